//! Sessions become files (facts 2.1, 5.2).

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::account::{Account, Api};
use super::arg::{CommitInfo, Hash};
use super::call::{Call, Outcome};
use super::json::Json;
use super::metadata::Node;
use super::sessions::{BATCH, Cursor, Unfit, check_content, check_entries};
use super::tree::NotWritten;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishArg {
    cursor: Cursor,
    commit: CommitInfo,
    content_hash: Option<Hash>,
}

pub(crate) fn finish(api: &Api, call: &Call) -> Outcome {
    let arg: FinishArg = call.arg()?;
    check_content(call, arg.content_hash.as_ref())?;
    let mut account = api.account();
    if account.is_locked {
        return Err(call.refuse(Json::tag("too_many_write_operations")));
    }
    let mut cursor = arg.cursor;
    if !call.body.is_empty() {
        let appended = account.append(&cursor, &call.body, false);
        appended.map_err(|unfit| call.refuse(Json::nested("lookup_failed", unfit.json())))?;
        cursor.offset += call.body.len();
    }
    let node = account.finish(&cursor, &arg.commit, false);
    Ok(node.map_err(|error| call.refuse(error.json()))?.json().into())
}

/// Why a session did not become a file.
pub(crate) enum NotFinished {
    Lookup(Unfit),
    Path(NotWritten),
    Contention,
}

impl NotFinished {
    /// `UploadSessionFinishError`.
    fn json(&self) -> Json {
        match self {
            Self::Lookup(unfit) => Json::nested("lookup_failed", unfit.json()),
            Self::Path(not_written) => Json::nested("path", not_written.json()),
            Self::Contention => Json::tag("too_many_write_operations"),
        }
    }
}

impl Account {
    /// The session becomes a file and is gone; if nothing was written it stays.
    fn finish(
        &mut self,
        cursor: &Cursor,
        commit: &CommitInfo,
        in_batch: bool,
    ) -> Result<Node, NotFinished> {
        let session = self.session(cursor).map_err(NotFinished::Lookup)?;
        if in_batch && !session.is_closed {
            return Err(NotFinished::Lookup(Unfit::NotClosed));
        }
        let content = Bytes::copy_from_slice(&session.content);
        let node = self.write(commit, content).map_err(NotFinished::Path)?;
        self.sessions.remove(&cursor.session_id);
        Ok(node)
    }
}

/// The argument of `finish_batch` and `finish_batch_v2`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishBatchArg {
    pub(crate) entries: Vec<FinishEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishEntry {
    cursor: Cursor,
    commit: CommitInfo,
}

pub(crate) async fn finish_batch(api: &Arc<Api>, call: &Call) -> Outcome {
    let arg: FinishBatchArg = call.arg()?;
    check_entries(call, arg.entries.len(), BATCH)?;
    let Some(lock) = api.lock() else {
        let refused = arg.entries.iter();
        let refused = refused.map(|_| Json::nested("failure", NotFinished::Contention.json()));
        return Ok(Json::object().with("entries", refused.collect::<Vec<_>>()).into());
    };
    let entries = api.account().finish_all(&arg.entries);
    lock.hold().await;
    Ok(Json::object().with("entries", entries).into())
}

impl Account {
    /// One result for each, in their order.
    pub(crate) fn finish_all(&mut self, entries: &[FinishEntry]) -> Vec<Json> {
        let finish = |entry: &FinishEntry| {
            let refused = self.knobs.refuses(&entry.commit.path.0);
            let finished = match refused {
                true => Err(NotFinished::Contention),
                false => self.finish(&entry.cursor, &entry.commit, true),
            };
            match finished {
                Ok(node) => Json::flat("success", node.json()),
                Err(error) => Json::nested("failure", error.json()),
            }
        };
        entries.iter().map(finish).collect()
    }
}
