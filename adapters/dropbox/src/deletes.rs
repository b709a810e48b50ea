//! Many deletes in one job.

use db_to_cloud::Key;
use serde::Serialize;
use serde_json::Value;

use crate::batch::success;
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::job;

/// The most files of one job.
pub(crate) const FILES: usize = 1000;

#[derive(Serialize)]
struct Paths {
    entries: Vec<Path>,
}

#[derive(Serialize)]
struct Path {
    path: String,
}

/// Deletes at most [`FILES`] files; one answer for each.
pub(crate) async fn delete(client: &Client, keys: &[Key]) -> Vec<Result<(), Failure>> {
    // A job writes for as long as it runs: nothing else is committed beside it.
    let _alone = client.commits.write().await;
    let entries = keys.iter().map(|key| Path { path: client.path(key) }).collect();
    let start = Call::rpc("files/delete_batch", &Paths { entries }).of_files(keys.len());
    let deleted = |entry: &Value| match success(entry) {
        Err(failure) if failure.is_absence() => Ok(()),
        answer => answer.map(drop),
    };
    match job::run(client, start, "files/delete_batch/check").await {
        Ok(entries) => entries.iter().map(deleted).collect(),
        Err(failure) => vec![Err(failure); keys.len()],
    }
}
