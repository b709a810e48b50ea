//! One sync at a time on one state (rule C2).

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use db_to_cloud::state::StateError;

use crate::problem::Problem;

/// The locks that this process holds. The lock of the operating system is not enough: on some file
/// systems (NFS) it belongs to the process and does not keep the process out of its own file.
static HELD: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Holds the lock file until it is dropped. The operating system lets go of it if the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    // Declared first, so that the file is closed before the process may open it anew.
    file: Option<File>,
    path: PathBuf,
}

impl Lock {
    /// Locks this file.
    ///
    /// The file is never deleted: a process that waits on the old file and one that creates a new
    /// one would both believe to hold it.
    pub(crate) fn acquire(path: &Path) -> Result<Self, StateError> {
        if !held().get_or_insert_default().insert(path.to_owned()) {
            return Err(StateError::Busy);
        }
        // From here on dropping it gives back the place among the held ones.
        let mut lock = Self { file: None, path: path.to_owned() };
        let failed = |source| Problem::Lock { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => lock.file = Some(file),
            Err(TryLockError::WouldBlock) => return Err(StateError::Busy),
            Err(TryLockError::Error(source)) => return Err(failed(source).into()),
        }
        Ok(lock)
    }
}

impl Lock {
    /// The same for a database in memory, which has a number in this process instead of a file.
    pub(crate) fn acquire_in_memory(path: &Path) -> Result<Self, StateError> {
        if !held().get_or_insert_default().insert(path.to_owned()) {
            return Err(StateError::Busy);
        }
        Ok(Self { file: None, path: path.to_owned() })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = held();
        if let Some(file) = self.file.take() {
            // Closing it would not do: a process that another thread is just about to start has a copy of
            // the open file until it runs its own program, and the lock with it.
            let _ = file.unlock();
        }
        held.get_or_insert_default().remove(&self.path);
    }
}

fn held() -> MutexGuard<'static, Option<HashSet<PathBuf>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
