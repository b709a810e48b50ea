//! Copies of files, made by Dropbox: one in a request, many in one job.

use std::sync::atomic::Ordering::Relaxed;

use db_to_cloud::{Copied, Key};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batch::success;
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::files::Stored;
use crate::job;

/// The most files of one job.
pub(crate) const FILES: usize = 1000;
/// So many files are copied faster one by one.
const FEW: usize = 2;
/// So many files that are there already are looked at, by two requests each. Beyond that the bytes are
/// cheaper: a thousand small files are uploaded in four requests.
const LOOKED_AT: usize = 20;

#[derive(Serialize)]
struct Pair {
    from_path: String,
    to_path: String,
}

/// Never renamed by itself: a conflict would look like success.
#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    pair: Pair,
    autorename: bool,
}

#[derive(Serialize)]
struct Many {
    entries: Vec<Pair>,
    autorename: bool,
}

#[derive(Deserialize)]
struct Relocated {
    metadata: Value,
}

#[derive(Serialize)]
struct At {
    path: String,
}

/// What Dropbox said of one file.
enum Answer {
    Done,
    Missing,
    /// There is a file of this name: perhaps our own, by an earlier request.
    Occupied,
    /// This file is not copied, though others may be.
    Refused,
    /// Dropbox does not copy for this app.
    RefusedForAll,
}

/// Copies at most [`FILES`] files; one answer for each.
pub(crate) async fn copy(client: &Client, pairs: &[(Key, Key)]) -> Vec<Result<Copied, Failure>> {
    if client.copyless.load(Relaxed) {
        return vec![Ok(Copied::Unsupported); pairs.len()];
    }
    let answers = match pairs.len() {
        0..=FEW => join_all(pairs.iter().map(|(from, to)| copy_one(client, from, to))).await,
        _ => copy_all(client, pairs).await,
    };
    let mut looks = LOOKED_AT;
    let settled = answers.into_iter().zip(pairs).map(|(answer, pair)| {
        let may_look = matches!(answer, Ok(Answer::Occupied)) && looks > 0;
        looks -= usize::from(may_look);
        settle(client, answer, may_look.then_some(pair))
    });
    join_all(settled.collect::<Vec<_>>()).await
}

async fn copy_one(client: &Client, from: &Key, to: &Key) -> Result<Answer, Failure> {
    let one = One { pair: pair(client, from, to), autorename: false };
    let _alone = client.commits.read().await;
    match client.ask::<Relocated>(Call::rpc("files/copy_v2", &one)).await {
        Ok(relocated) => is_copy(&relocated.metadata, to),
        Err(failure) => refusal(failure, &[]),
    }
}

async fn copy_all(client: &Client, pairs: &[(Key, Key)]) -> Vec<Result<Answer, Failure>> {
    let entries = pairs.iter().map(|(from, to)| pair(client, from, to)).collect();
    let start = Call::rpc("files/copy_batch_v2", &Many { entries, autorename: false });
    // A job writes for as long as it runs: nothing else is committed beside it.
    let _alone = client.commits.write().await;
    let done = job::run(client, start.of_files(pairs.len()), "files/copy_batch/check_v2").await;
    let answer = |(entry, (_, to)): (&Value, &(Key, Key))| match success(entry) {
        Ok(entry) => is_copy(entry.get("success").unwrap_or(&Value::Null), to),
        Err(failure) => refusal(failure, &["relocation_error"]),
    };
    match done {
        Ok(entries) => entries.iter().zip(pairs).map(answer).collect(),
        Err(failure) => pairs.iter().map(|_| refusal(failure.clone(), &[])).collect(),
    }
}

fn pair(client: &Client, from: &Key, to: &Key) -> Pair {
    Pair { from_path: client.path(from), to_path: client.path(to) }
}

/// Whether Dropbox names the file that was asked for, with a content.
fn is_copy(metadata: &Value, to: &Key) -> Result<Answer, Failure> {
    let text = |field| metadata.get(field).and_then(Value::as_str);
    let name = to.split().map_or(to.as_str(), |(_, name)| name);
    let is_named = text("name").is_some_and(|there| there.eq_ignore_ascii_case(name));
    match text(".tag") == Some("file") && is_named && text("content_hash").is_some() {
        true => Ok(Answer::Done),
        false => Err(Failure::NotDropbox("the answer does not name the copy")),
    }
}

/// What a refusal means whose tags are below these.
fn refusal(failure: Failure, around: &[&str]) -> Result<Answer, Failure> {
    let says = |tags: &[&str]| failure.says(&[around, tags].concat());
    let of_this_file = [
        "cant_copy_shared_folder",
        "cant_nest_shared_folder",
        "duplicated_or_nested_paths",
        "too_many_files",
    ];
    if says(&["from_lookup", "not_found"]) {
        Ok(Answer::Missing)
    } else if says(&["to", "conflict", "file"]) {
        Ok(Answer::Occupied)
    } else if says(&["from_lookup"]) || of_this_file.iter().any(|tag| says(&[tag])) {
        Ok(Answer::Refused)
    } else if failure.is_for_good() {
        tracing::debug!(?failure, "files are not copied here");
        Ok(Answer::RefusedForAll)
    } else {
        Err(failure)
    }
}

/// What the caller is told; with a pair, by a look at both files.
async fn settle(
    client: &Client,
    answer: Result<Answer, Failure>,
    occupied: Option<&(Key, Key)>,
) -> Result<Copied, Failure> {
    match (answer?, occupied) {
        (Answer::Done, _) => Ok(Copied::Done),
        (Answer::Missing, _) => Ok(Copied::Missing),
        (Answer::Occupied, Some((from, to))) => {
            let Some(from) = stored(client, from).await? else { return Ok(Copied::Missing) };
            let same = stored(client, to).await? == Some(from);
            Ok(if same { Copied::Done } else { Copied::Unsupported })
        }
        (Answer::Occupied | Answer::Refused, _) => Ok(Copied::Unsupported),
        (Answer::RefusedForAll, _) => {
            client.copyless.store(true, Relaxed);
            Ok(Copied::Unsupported)
        }
    }
}

/// Size and hash of a file; `None` if there is none.
async fn stored(client: &Client, key: &Key) -> Result<Option<Stored>, Failure> {
    let call = Call::rpc("files/get_metadata", &At { path: client.path(key) });
    match client.ask(call).await {
        Ok(stored) => Ok(Some(stored)),
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure),
    }
}
