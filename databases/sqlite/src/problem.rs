//! What can go wrong, and what to do about it.

use std::path::{Path, PathBuf};

use db_to_cloud::state::StateError;
use rusqlite::ErrorCode;

/// The private reasons behind [`StateError::Store`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "{operation} the client state {path:?}: the file is damaged or is not a SQLite file: move it \
         away and sync again, which compares every document anew"
    )]
    Damaged { operation: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error(
        "{operation} the client state {path:?}: SQLite failed: check that the file can be written \
         and that the disk is not full"
    )]
    Sqlite { operation: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error(
        "open the client state {path:?}: it is a database of another application: choose another \
         file"
    )]
    Foreign { path: PathBuf },
    #[error(
        "open the client state {path:?}: it has format {found}, this program knows up to {known}: \
         update this program"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("scan the client state {path:?}: a key is not UTF-8: the file is damaged")]
    Key { path: PathBuf },
    #[error("{operation} the client state {path:?}: a record has the wrong type: it is damaged")]
    Record { operation: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error(
        "claim the client state: cannot lock {path:?}: check that it can be written and that its \
         file system has file locks"
    )]
    Lock { path: PathBuf, source: std::io::Error },
    #[error(
        "{operation} the client state {path:?}: it has none for this storage any more: another program \
         detached the file: open it anew"
    )]
    Detached { operation: &'static str, path: PathBuf },
    #[error(
        "{operation} the client state {path:?}: another program found another storage at this address \
         meanwhile: nothing was written, sync again"
    )]
    Turned { operation: &'static str, path: PathBuf },
    #[error(
        "{operation} the client state {path:?}: the state of the other address is gone: nothing was \
         changed, sync again"
    )]
    NoSibling { operation: &'static str, path: PathBuf },
    #[error("find the client state {path:?}: check that its folder exists")]
    Path { path: PathBuf, source: std::io::Error },
    #[error("{operation} the client state {path:?}: the application's connection: {source}")]
    Lent { operation: &'static str, path: PathBuf, source: db_to_cloud::BoxError },
    #[error("{operation} the client state {path:?}: the task did not end")]
    Task { operation: &'static str, path: PathBuf, source: tokio::task::JoinError },
}

impl Problem {
    /// The reason for a failed statement.
    pub(crate) fn sqlite(operation: &'static str, path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source {
            rusqlite::Error::InvalidColumnType(..) => {
                return Self::Record { operation, path, source };
            }
            rusqlite::Error::QueryReturnedNoRows => return Self::Detached { operation, path },
            _ => {}
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { operation, path, source }
            }
            _ => Self::Sqlite { operation, path, source },
        }
    }
}

impl From<Problem> for StateError {
    fn from(problem: Problem) -> Self {
        Self::Store(Box::new(problem))
    }
}
