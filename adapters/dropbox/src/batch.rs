//! Many files in few requests: sessions are started together, filled by 500, committed together.
//!
//! Each file is committed or refused on its own: the answer to the last request is looked at entry by
//! entry. `shared/facts` of the project, 2.1.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::Key;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::append::append_all;
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::files::{Commit, Stored};
use crate::hash::content_hash;
use crate::sessions::{Cursor, Finish};

/// The most files of a batch.
pub(crate) const FILES: usize = 1000;

/// How often entries that were refused for too many writes are committed again, before their bytes
/// would have to be sent again.
const ROUNDS: u32 = 4;

/// One file of a batch on its way.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub(crate) bytes: &'a Bytes,
    commit: Commit,
    hash: String,
    pub(crate) session: String,
    pub(crate) answer: Option<Result<(), Failure>>,
}

#[derive(Serialize)]
struct Start {
    num_sessions: usize,
}

#[derive(Deserialize)]
struct Started {
    session_ids: Vec<String>,
}

/// An argument that is a list.
#[derive(Serialize)]
struct Entries<T> {
    entries: Vec<T>,
}

/// An answer that is a list.
#[derive(Deserialize)]
pub(crate) struct Answers {
    pub(crate) entries: Vec<Value>,
}

/// Writes at most [`FILES`] files; one answer for each.
pub(crate) async fn put(client: &Client, items: &[(Key, Bytes)]) -> Vec<Result<(), Failure>> {
    let mut files: Vec<_> =
        items.iter().map(|(key, bytes)| File::new(client, key, bytes)).collect();
    let failure = put_files(client, &mut files).await.err();
    let failure = failure.unwrap_or(Failure::NotDropbox("a file without an answer"));
    files.into_iter().map(|file| file.answer.unwrap_or_else(|| Err(failure.clone()))).collect()
}

/// An error is that of all files without an answer.
async fn put_files(client: &Client, files: &mut [File<'_>]) -> Result<(), Failure> {
    let start = Call::rpc("files/upload_session/start_batch", &Start { num_sessions: files.len() });
    let sessions = client.ask::<Started>(start).await?.session_ids;
    if sessions.len() != files.len() {
        return Err(Failure::NotDropbox("more or fewer sessions than were asked for"));
    }
    for (file, session) in files.iter_mut().zip(sessions) {
        file.session = session;
    }
    append_all(client, files).await?;
    let mut open: Vec<_> = files.iter_mut().filter(|file| file.answer.is_none()).collect();
    if open.is_empty() { Ok(()) } else { finish_all(client, &mut open).await }
}

/// Commits. Never two batches at once, nor beside other writes: Dropbox would refuse the one for the
/// other.
async fn finish_all(client: &Client, files: &mut [&mut File<'_>]) -> Result<(), Failure> {
    let _alone = client.commits.write().await;
    for round in 0..ROUNDS {
        let is_open = |file: &&mut &mut File<'_>| file.is_open();
        let mut open: Vec<_> = files.iter_mut().filter(is_open).collect();
        if open.is_empty() {
            break;
        }
        let refused = match finish(client, &mut open).await {
            Err(failure) if failure.is_too_much() && round + 1 < ROUNDS => true,
            Err(failure) => {
                open.iter_mut().for_each(|file| file.answer = Some(Err(failure.clone())));
                return Err(failure);
            }
            Ok(()) => open.iter().any(|file| file.is_open()),
        };
        if refused {
            // Kept by all requests, the next of ours among them.
            client.pace.pause(Duration::from_secs(1 << round));
        }
    }
    Ok(())
}

async fn finish(client: &Client, files: &mut [&mut &mut File<'_>]) -> Result<(), Failure> {
    let entry =
        |file: &'_ File<'_>| Cursor { session_id: file.session.clone(), offset: file.bytes.len() };
    let entries = files.iter().map(|file| Finish { cursor: entry(file), commit: &file.commit });
    let arg = Entries { entries: entries.collect() };
    let call = Call::rpc("files/upload_session/finish_batch_v2", &arg).of_files(files.len());
    let answers = client.ask::<Answers>(call).await?.entries;
    if answers.len() != files.len() {
        return Err(Failure::NotDropbox("more or fewer answers than files"));
    }
    for (file, answer) in files.iter_mut().zip(answers) {
        let stored = success(&answer).and_then(|answer| {
            let stored = serde_json::from_value::<Stored>(answer.clone());
            let stored = stored.map_err(|_| Failure::NotDropbox("a file without its hash"))?;
            stored.check(file.bytes.len(), &file.hash)
        });
        file.answer = Some(stored);
    }
    Ok(())
}

/// The entry of a batch that went well, or why it did not.
pub(crate) fn success(entry: &Value) -> Result<&Value, Failure> {
    match entry.get(".tag").and_then(Value::as_str) {
        Some("success") => Ok(entry),
        Some("failure") => Err(Failure::of_entry(entry.get("failure").unwrap_or(&Value::Null))),
        _ => Err(Failure::NotDropbox("an entry that is neither success nor failure")),
    }
}

impl<'a> File<'a> {
    fn new(client: &Client, key: &Key, bytes: &'a Bytes) -> Self {
        let commit = Commit::put(client.path(key));
        let (hash, session) = (content_hash(bytes), String::new());
        Self { bytes, commit, hash, session, answer: None }
    }

    /// Not committed yet, or refused for now.
    fn is_open(&self) -> bool {
        match &self.answer {
            Some(Err(failure)) => failure.is_too_much(),
            answer => answer.is_none(),
        }
    }
}
