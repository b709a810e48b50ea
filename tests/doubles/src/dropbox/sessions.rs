//! Upload sessions: content on its way (facts 2.1, 5.2).

use serde::Deserialize;

use super::account::{Account, Api};
use super::arg::Hash;
use super::call::{Call, Outcome};
use super::files::LARGEST;
use super::hash::content_hash;
use super::json::Json;
use crate::Answer;
use crate::tokens::random;

/// The most entries of a batch.
pub(crate) const BATCH: usize = 1000;

/// Content on its way to a file.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) content: Vec<u8>,
    pub(crate) is_closed: bool,
}

impl Account {
    /// A new session's id.
    pub(crate) fn open(&mut self, session: Session) -> String {
        let id = random("pid_upload_session:");
        self.sessions.insert(id.clone(), session);
        id
    }
}

/// Which session, and how much the client believes to be in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    pub(crate) session_id: String,
    pub(crate) offset: usize,
}

/// Why a session cannot take or give what it is asked for.
pub(crate) enum Unfit {
    NotFound,
    Closed,
    NotClosed,
    Offset(usize),
}

impl Unfit {
    pub(crate) fn json(&self) -> Json {
        match self {
            Self::NotFound => Json::tag("not_found"),
            Self::Closed => Json::tag("closed"),
            Self::NotClosed => Json::tag("not_closed"),
            Self::Offset(right) => {
                Json::tag("incorrect_offset").with("correct_offset", *right as u64)
            }
        }
    }
}

impl Account {
    /// The session, if the client knows how much is in it.
    pub(crate) fn session(&mut self, cursor: &Cursor) -> Result<&mut Session, Unfit> {
        let session = self.sessions.get_mut(&cursor.session_id).ok_or(Unfit::NotFound)?;
        match session.content.len() {
            length if length == cursor.offset => Ok(session),
            length => Err(Unfit::Offset(length)),
        }
    }

    /// More content.
    pub(crate) fn append(
        &mut self,
        cursor: &Cursor,
        content: &[u8],
        close: bool,
    ) -> Result<(), Unfit> {
        let closed = self.sessions.get(&cursor.session_id).is_some_and(|it| it.is_closed);
        if closed {
            return Err(Unfit::Closed);
        }
        let session = self.session(cursor)?;
        session.content.extend_from_slice(content);
        session.is_closed = close;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartArg {
    #[serde(default)]
    close: bool,
    #[serde(rename = "session_type")]
    _session_type: Option<SessionType>,
    content_hash: Option<Hash>,
}

/// Only sequential sessions are known here.
#[derive(Deserialize)]
#[serde(untagged)]
enum SessionType {
    Bare(Sequential),
    Tagged {
        #[serde(rename = ".tag")]
        _tag: Sequential,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sequential {
    Sequential,
}

pub(crate) fn start(api: &Api, call: &Call) -> Outcome {
    let arg: StartArg = call.arg()?;
    check_content(call, arg.content_hash.as_ref())?;
    let session = Session { content: call.body.to_vec(), is_closed: arg.close };
    Ok(Json::object().with("session_id", api.account().open(session)).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartBatchArg {
    num_sessions: usize,
    #[serde(rename = "session_type")]
    _session_type: Option<SessionType>,
}

pub(crate) fn start_batch(api: &Api, call: &Call) -> Outcome {
    let arg: StartBatchArg = call.arg()?;
    if !(1..=BATCH).contains(&arg.num_sessions) {
        return Err(call.bad("num_sessions: must be from 1 to 1000"));
    }
    let mut account = api.account();
    let ids = (0..arg.num_sessions).map(|_| account.open(Session::default()).into());
    let ids: Vec<Json> = ids.collect();
    Ok(Json::object().with("session_ids", ids).into())
}

/// The body is not too large and has the hash that was given.
pub(crate) fn check_content(call: &Call, hash: Option<&Hash>) -> Result<(), Answer> {
    if call.body.len() > LARGEST {
        return Err(call.refuse(Json::tag("payload_too_large")));
    }
    if hash.is_some_and(|hash| hash.0 != content_hash(&call.body)) {
        return Err(call.refuse(Json::tag("content_hash_mismatch")));
    }
    Ok(())
}

/// A list has at most so many entries.
pub(crate) fn check_entries(call: &Call, entries: usize, most: usize) -> Result<(), Answer> {
    let why = format!("entries: list of {entries} must have at most {most} items");
    if entries > most { Err(call.bad(&why)) } else { Ok(()) }
}
