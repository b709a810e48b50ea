//! What is done later and asked for by a job's id (facts 5.2).

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::account::{Account, Api};
use super::arg::WritePath;
use super::call::{Call, Outcome};
use super::files::DeleteArg;
use super::finish::FinishBatchArg;
use super::json::Json;
use super::sessions::{BATCH, check_entries};
use super::tree::NotMoved;
use crate::tokens::random;

/// Something that goes on while the client asks again and again.
#[derive(Debug)]
pub(crate) struct Job {
    /// The route that began it; another's check does not know it.
    route: String,
    /// Results, once there are.
    entries: Option<Vec<Json>>,
    /// Whether a client was told once that it goes on.
    was_asked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteBatchArg {
    entries: Vec<DeleteArg>,
}

pub(crate) fn delete_batch(api: &Arc<Api>, call: &Call) -> Outcome {
    let arg: DeleteBatchArg = call.arg()?;
    check_entries(call, arg.entries.len(), BATCH)?;
    Ok(begin(api, call, move |account| account.delete_all(&arg.entries)).into())
}

pub(crate) fn finish_batch(api: &Arc<Api>, call: &Call) -> Outcome {
    let arg: FinishBatchArg = call.arg()?;
    check_entries(call, arg.entries.len(), BATCH)?;
    Ok(begin(api, call, move |account| account.finish_all(&arg.entries)).into())
}

impl Account {
    fn delete_all(&mut self, entries: &[DeleteArg]) -> Vec<Json> {
        let delete = |entry: &DeleteArg| {
            if self.knobs.refuses(&entry.path.0) {
                return Json::nested("failure", Json::tag("too_many_write_operations"));
            }
            match self.tree.delete(&entry.path.0, entry.parent_rev.as_ref()) {
                Ok(node) => Json::tag("success").with("metadata", node.tagged()),
                Err(error) => Json::nested("failure", error.json()),
            }
        };
        entries.iter().map(delete).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyBatchArg {
    entries: Vec<PairArg>,
    #[serde(default)]
    autorename: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairArg {
    from_path: WritePath,
    to_path: WritePath,
}

/// Always as a job, although the service may also answer at once.
pub(crate) fn copy_batch(api: &Arc<Api>, call: &Call) -> Outcome {
    let arg: CopyBatchArg = call.arg()?;
    check_entries(call, arg.entries.len(), BATCH)?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames nothing it copies"));
    }
    Ok(begin(api, call, move |account| account.copy_all(&arg.entries)).into())
}

impl Account {
    fn copy_all(&mut self, entries: &[PairArg]) -> Vec<Json> {
        let mut seen = Vec::new();
        let copy = |entry: &PairArg| {
            let (from, to) = (&entry.from_path.0, &entry.to_path.0);
            if self.knobs.refuses(to) {
                return Json::nested("failure", Json::tag("too_many_write_operations"));
            }
            // One file may be named once in a batch.
            let copied = match seen.contains(from) {
                true => Err(NotMoved::IntoItself),
                false => self.copy(from, to),
            };
            seen.push(from.clone());
            match copied {
                Ok(node) => Json::nested("success", node.tagged()),
                Err(error) => {
                    Json::nested("failure", Json::nested("relocation_error", error.json()))
                }
            }
        };
        entries.iter().map(copy).collect()
    }
}

/// Answers the job's id; the work is done a little later, and whether or not anybody asks.
fn begin(
    api: &Arc<Api>,
    call: &Call,
    work: impl FnOnce(&mut Account) -> Vec<Json> + Send + 'static,
) -> Json {
    let id = random("dbjid:");
    let job = Job { route: call.route.clone(), entries: None, was_asked: false };
    api.account().jobs.insert(id.clone(), job);
    let (api, job) = (api.clone(), id.clone());
    tokio::spawn(async move {
        let lock = loop {
            match api.lock() {
                Some(lock) => break lock,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        lock.hold().await;
        let mut account = api.account();
        let entries = work(&mut account);
        if let Some(job) = account.jobs.get_mut(&job) {
            job.entries = Some(entries);
        }
    });
    Json::tag("async_job_id").with("async_job_id", id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckArg {
    async_job_id: String,
}

pub(crate) fn check(api: &Api, call: &Call) -> Outcome {
    let arg: CheckArg = call.arg()?;
    let mut account = api.account();
    let began = match call.route.as_str() {
        "files/copy_batch/check_v2" => Some("files/copy_batch_v2"),
        route => route.strip_suffix("/check"),
    };
    let job = account.jobs.get_mut(&arg.async_job_id);
    let job = job.filter(|job| began == Some(job.route.as_str()));
    let job = job.ok_or_else(|| call.refuse(Json::tag("invalid_async_job_id")))?;
    let was_asked = std::mem::replace(&mut job.was_asked, true);
    Ok(match &job.entries {
        Some(entries) if was_asked => Json::tag("complete").with("entries", entries.clone()),
        _ => Json::tag("in_progress"),
    }
    .into())
}
