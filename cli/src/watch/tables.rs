//! Finds out that the watched file is not the attached database any more: nothing would be queued,
//! and nobody would tell.

use std::path::PathBuf;
use std::time::Duration;

use db_to_cloud_sqlite::SqliteDatabase;
use tokio::time::sleep;

use crate::failure::Failure;
use crate::side::Side;
use crate::sys::identity;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Which file it is.
type Identity = Option<(u64, u64)>;

/// The database file as it was when the watch began; none for a folder.
pub(super) struct Original(Option<(PathBuf, Identity)>);

impl Original {
    pub(super) fn of(side: &Side) -> Self {
        match side {
            Side::Tables(_, path) => Self(Some((path.clone(), identity(path)))),
            Side::Folder(_) => Self(None),
        }
    }

    /// Returns when the file was removed, or replaced, such as by its backup. A sync would go on with
    /// the old one, which it still has open.
    pub(super) async fn replaced(&self) -> Failure {
        let Some((path, first)) = &self.0 else { return std::future::pending().await };
        while identity(path) == *first {
            sleep(LOOK).await;
        }
        Failure::Lost(path.clone())
    }

    /// Why a sync failed: a database that was detached has no queue and no state any more.
    pub(super) async fn explain(&self, failure: Failure) -> Failure {
        let Some((path, first)) = &self.0 else { return failure };
        let file = path.clone();
        // Trouble of this look, such as a lock, tells nothing.
        let counted = tokio::task::spawn_blocking(|| SqliteDatabase::unsynced(file)).await;
        if matches!(counted, Ok(Ok(None))) || identity(path) != *first {
            return Failure::Lost(path.clone());
        }
        failure
    }
}
