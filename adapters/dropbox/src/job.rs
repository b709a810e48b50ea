//! What Dropbox does after it has answered: a job, which is looked at until it is done.

use std::time::Duration;

use db_to_cloud_http::NoAnswer;
use serde::Serialize;
use serde_json::Value;

use crate::batch::Answers;
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;

/// The first pause before a job is looked at, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// A job is given up after this; the core begins another, which finds less to do.
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Serialize)]
struct Job {
    async_job_id: String,
}

/// Begins a job and waits for its end; one answer for each of its entries, in their order.
pub(crate) async fn run(
    client: &Client,
    start: Call,
    check: &'static str,
) -> Result<Vec<Value>, Failure> {
    let entries = start.files;
    let mut state: Value = client.ask(start).await?;
    let job = state.get("async_job_id").and_then(Value::as_str).map(str::to_owned);
    let (mut pause, mut waited) = (PAUSES.0, Duration::ZERO);
    loop {
        match (state.get(".tag").and_then(Value::as_str), &job) {
            (Some("complete"), _) => return answers(state, entries),
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
                state = client.ask(Call::rpc(check, &job)).await?;
            }
            _ => return Err(Failure::NotDropbox("a job in an unknown state")),
        }
    }
}

fn answers(state: Value, entries: usize) -> Result<Vec<Value>, Failure> {
    let answers: Result<Answers, _> = serde_json::from_value(state);
    let answers = answers.map_err(|_| Failure::NotDropbox("a job without entries"))?.entries;
    match answers.len() == entries {
        true => Ok(answers),
        false => Err(Failure::NotDropbox("more or fewer answers than files")),
    }
}
