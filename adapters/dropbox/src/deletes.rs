//! Many deletes in one job.

use std::time::Duration;

use db_to_cloud::Key;
use db_to_cloud_http::NoAnswer;
use serde::Serialize;
use serde_json::Value;

use crate::batch::{Answers, success};
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;

/// The most files of one job.
pub(crate) const FILES: usize = 1000;
/// The first pause before a job is looked at, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// A job is given up after this; the core begins another, which finds less to do.
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Serialize)]
struct Paths {
    entries: Vec<Path>,
}

#[derive(Serialize)]
struct Path {
    path: String,
}

#[derive(Serialize)]
struct Job {
    async_job_id: String,
}

/// Deletes at most [`FILES`] files; one answer for each.
pub(crate) async fn delete(client: &Client, keys: &[Key]) -> Vec<Result<(), Failure>> {
    // A job writes for as long as it runs: nothing else is committed beside it.
    let _alone = client.commits.write().await;
    let entries = match run(client, keys).await {
        Ok(entries) if entries.len() == keys.len() => entries,
        Ok(_) => {
            let failure = Failure::NotDropbox("more or fewer answers than files");
            return vec![Err(failure); keys.len()];
        }
        Err(failure) => return vec![Err(failure); keys.len()],
    };
    let deleted = |entry: &Value| match success(entry) {
        Err(failure) if failure.is_absence() => Ok(()),
        answer => answer.map(drop),
    };
    entries.iter().map(deleted).collect()
}

async fn run(client: &Client, keys: &[Key]) -> Result<Vec<Value>, Failure> {
    let entries = keys.iter().map(|key| Path { path: client.path(key) }).collect();
    let start = Call::rpc("files/delete_batch", &Paths { entries }).of_files(keys.len());
    let mut state: Value = client.ask(start).await?;
    let job = state.get("async_job_id").and_then(Value::as_str).map(str::to_owned);
    let (mut pause, mut waited) = (PAUSES.0, Duration::ZERO);
    loop {
        match (state.get(".tag").and_then(Value::as_str), &job) {
            (Some("complete"), _) => {
                let answers: Result<Answers, _> = serde_json::from_value(state);
                let answers = answers.map_err(|_| Failure::NotDropbox("a job without entries"));
                return answers.map(|answers| answers.entries);
            }
            (Some("failed"), _) => {
                return Err(Failure::of_entry(state.get("failed").unwrap_or(&Value::Null)));
            }
            (Some("async_job_id" | "in_progress"), Some(job)) => {
                if waited >= LONGEST {
                    return Err(Failure::NoAnswer(NoAnswer::TimedOut(LONGEST)));
                }
                tokio::time::sleep(pause).await;
                waited += pause;
                pause = (pause * 2).min(PAUSES.1);
                let job = Job { async_job_id: job.clone() };
                state = client.ask(Call::rpc("files/delete_batch/check", &job)).await?;
            }
            _ => return Err(Failure::NotDropbox("a job in an unknown state")),
        }
    }
}
