//! What a folder must remember beyond a sync: `.db-to-cloud/folder.json`.
//!
//! Unlike the stat cache it cannot be made again from what lies in the folder. A file that is missing
//! stands for a folder that is seen for the first time; one that cannot be read ends the sync.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::FolderError;
use crate::path::is_below;
use crate::state_folder::write_whole;

const FORMAT: u32 = 1;
const FILE: &str = "folder.json";
const LOCK: &str = "folder.lock";

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    format: u32,
    /// Whether guarded names may be written (rule F4).
    #[serde(default)]
    pub(crate) guard_is_open: bool,
    /// The folders inside on which another file system was mounted that had documents (rule F1).
    #[serde(default)]
    pub(crate) mounts: BTreeSet<String>,
    /// Ignore files, by their paths, that came from the storage and nobody here has accepted (rule F2).
    #[serde(default)]
    pub(crate) arrived: BTreeMap<String, Arrived>,
}

/// An ignore file that came from the storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrived {
    /// The content that counts here until the other one is accepted; `None` if there was no such file.
    pub(crate) accepted: Option<String>,
    /// The contents that came, as revisions, the newest last; `None` for a file that was deleted. Two, since a
    /// process may be stopped between this record and the write.
    pub(crate) contents: Vec<Option<String>>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            format: FORMAT,
            guard_is_open: false,
            mounts: BTreeSet::new(),
            arrived: BTreeMap::new(),
        }
    }
}

/// The file, and what it says.
#[derive(Debug)]
pub(crate) struct Records {
    folder: PathBuf,
    record: Mutex<Record>,
}

impl Records {
    /// Reads the file in the state folder.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, FolderError> {
        let record = Mutex::new(read(&folder.join(FILE))?);
        Ok(Self { folder, record })
    }

    /// What is remembered.
    pub(crate) fn get(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folders with a mount that this path lies below, the outermost first.
    pub(crate) fn mounts_above(&self, path: &str) -> Vec<String> {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.mounts.iter().filter(|mount| is_below(path, mount)).cloned().collect()
    }

    /// Changes what is remembered, and brings it to the disk. Another process may have changed it, so it
    /// is read again.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Record)) -> Result<(), FolderError> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(FILE);
        let failed = || FolderError::io("write", path.clone());
        let lock = File::create(self.folder.join(LOCK)).map_err(failed())?;
        match lock.lock() {
            // A file system without locks: two processes at this at once are rare.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked.map_err(failed())?,
        }
        let before = read(&path)?;
        let mut now = before.clone();
        change(&mut now);
        if now != before {
            write_whole(&self.folder, &path, &now).map_err(failed())?;
        }
        *record = now;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Record, FolderError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
        Err(error) => return Err(FolderError::io("read", path)(error)),
    };
    let damaged = |source: io::Error| FolderError::Record { path: path.to_owned(), source };
    let record: Record = serde_json::from_slice(&bytes).map_err(|e| damaged(e.into()))?;
    match record.format {
        FORMAT => Ok(record),
        other => Err(damaged(io::Error::other(format!("its format is {other}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_there_after_a_restart_and_for_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path().to_owned()).unwrap();
        assert_eq!(records.get(), Record::default());
        let other = Records::open(folder.path().to_owned()).unwrap();
        records.change(|record| record.guard_is_open = true).unwrap();
        other.change(|record| _ = record.mounts.insert("photos".into())).unwrap();
        let record = Records::open(folder.path().to_owned()).unwrap().get();
        assert!(record.guard_is_open && record.mounts.contains("photos"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_new_folder() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", r#"{"format":2}"#, r#"{"format":1,"mounts":7}"#] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let error = Records::open(folder.path().to_owned()).unwrap_err();
            assert!(matches!(error, FolderError::Record { .. }), "{text}: {error}");
        }
    }
}
