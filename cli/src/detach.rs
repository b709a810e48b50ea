//! `db-to-cloud detach`: a SQLite file becomes as if it had never been synced.

use std::process::ExitCode;

use db_to_cloud_sqlite::SqliteDatabase;

use crate::args::Detach;
use crate::failure::Failure;
use crate::output::result;
use crate::{ask, local};

pub(crate) async fn run(options: Detach) -> Result<ExitCode, Failure> {
    let path = local::find(&options.database, true)?;
    let Some(unsynced) = SqliteDatabase::unsynced(&path)? else {
        result("nothing to detach: it is not synced")?;
        return Ok(ExitCode::SUCCESS);
    };
    if unsynced > 0 && !options.yes && !is_agreed(unsynced).await {
        return Err(Failure::Unsynced(unsynced));
    }
    SqliteDatabase::detach(&path)?;
    result("detached: all rows stay; what the storage has stays there")?;
    Ok(ExitCode::SUCCESS)
}

async fn is_agreed(unsynced: u64) -> bool {
    let question =
        format!("edits that were not synced yet: {unsynced}. Detach all the same? [y/N] ");
    ask::is_possible() && ask::is_agreed(question).await
}
