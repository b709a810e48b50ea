//! `db-to-cloud unlock`: who holds the lock, and an end to it.

use std::process::ExitCode;

use db_to_cloud::LockAdmin;

use crate::args::Unlock;
use crate::failure::Failure;
use crate::output::{note, result};
use crate::remote;
use crate::status::held;

pub(crate) async fn run(options: Unlock) -> Result<ExitCode, Failure> {
    let remote = options.storage.resolve()?;
    if !remote.holds_storage() {
        return Err(Failure::NoStorage(remote.name()));
    }
    let keeper = LockAdmin::new(remote::open(&remote, None).await?);
    let Some(lock) = keeper.holder().await? else {
        result("not locked")?;
        return Ok(ExitCode::SUCCESS);
    };
    if options.force {
        keeper.break_lock(&lock).await?;
        result(format_args!("unlocked: it was {}", held(&lock)))?;
    } else {
        result(format_args!("locked: {}", held(&lock)))?;
        note(
            "hint: other devices wait for it and take it when its time is over; if that device is \
             gone and there is no time to wait, add --force",
        );
    }
    Ok(ExitCode::SUCCESS)
}
