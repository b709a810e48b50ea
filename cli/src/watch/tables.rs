//! Finds out that the watched file is not the attached database any more: nothing would be queued,
//! and nobody would tell.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use db_to_cloud_sqlite::SqliteDatabase;
use tokio::time::sleep;

use crate::failure::Failure;
use crate::side::Side;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Returns when the file was detached, removed, or replaced, such as by its backup; never for a
/// folder.
pub(super) async fn lost(side: &Side) -> Failure {
    let Side::Tables(_, path) = side else { return std::future::pending().await };
    let first = identity(path);
    loop {
        sleep(LOOK).await;
        // A moment of trouble, such as a lock, is none.
        let file = path.clone();
        let counted = tokio::task::spawn_blocking(|| SqliteDatabase::unsynced(file)).await;
        let detached = matches!(counted, Ok(Ok(None)));
        if detached || identity(path) != first {
            return Failure::Lost(path.clone());
        }
    }
}

/// Which file it is. It is not opened: closing it again would drop the locks of SQLite.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
