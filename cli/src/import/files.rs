//! The files of an old storage, for reading only.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::Error;

/// The files of a storage of the JavaScript db-to-cloud. A path is what that library gave to its drive, such
/// as `docs/Some Note.json`.
#[async_trait]
pub(super) trait Files: Send + Sync + fmt::Debug {
    /// The names of the files that lie directly in this folder, as the storage has them; none if there is no
    /// such folder.
    async fn names(&self, folder: &str) -> Result<Vec<String>, Error>;

    /// Reads a file; `None` only if there is none.
    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error>;

    /// Which file a path means: paths of one file have one place. `None` if it would lie outside of the storage.
    fn place(&self, path: &str) -> Option<String>;

    /// The place of a file that was listed, from its folder and name.
    fn listed_place(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The path of a file that was listed, from its folder and name.
    fn listed_path(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// How often one file is read before its failure counts.
const ATTEMPTS: u32 = 4;
/// The first pause between two of them; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Files whose reads are repeated while the storage fails in a way that may pass.
#[derive(Clone, Debug)]
pub(super) struct Patient(Arc<dyn Files>);

impl Patient {
    pub(super) fn new(files: Arc<dyn Files>) -> Self {
        Self(files)
    }

    /// See [`Files::names`].
    pub(super) async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            match self.0.names(folder).await {
                Err(error) => pause(error, &mut attempts).await?,
                answer => return answer,
            }
        }
    }

    /// See [`Files::get`].
    pub(super) async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            match self.0.get(path).await {
                Err(error) => pause(error, &mut attempts).await?,
                answer => return answer,
            }
        }
    }

    pub(super) fn files(&self) -> &dyn Files {
        &*self.0
    }
}

/// Waits before the next attempt; answers the error if there is none, or it would not help.
async fn pause(error: Error, attempts: &mut Range<u32>) -> Result<(), Error> {
    match attempts.next() {
        Some(attempt) if error.is_transient() && attempt + 1 < ATTEMPTS => {
            let pause = error.retry_after().unwrap_or_default().max(PAUSE * 2_u32.pow(attempt));
            tokio::time::sleep(pause).await;
            Ok(())
        }
        _ => Err(error),
    }
}
