//! The bytes of a batch, as many files in a request as its header has room for.

use db_to_cloud_http::NoAnswer;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde::Serialize;
use serde_json::Value;

use crate::batch::{Answers, File, success};
use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::hash::content_hash;
use crate::sessions::Cursor;

/// The most files that one request may bring: the official client for Python allows for no more.
const APPENDED: usize = 500;

/// Fewer after a line that broke: it may have been for the header.
const APPENDED_AT_LEAST: usize = 50;

/// How many files the argument of one request names: it stands in a header, and 500 are some 70 kB.
/// How long a header may be is not documented, so there are fewer once one was refused.
#[derive(Debug)]
pub(crate) struct HeaderRoom(AtomicUsize);

impl Default for HeaderRoom {
    fn default() -> Self {
        Self(AtomicUsize::new(APPENDED))
    }
}

#[derive(Serialize)]
struct Append {
    cursor: Cursor,
    length: usize,
    close: bool,
}

#[derive(Serialize)]
struct AppendAll<'a> {
    entries: Vec<Append>,
    /// Of all the bytes together.
    content_hash: &'a str,
}

/// Brings the bytes: in one request, if their names fit into its header.
pub(crate) async fn append_all(client: &Client, files: &mut [File<'_>]) -> Result<(), Failure> {
    let mut rest = files;
    while !rest.is_empty() {
        let most = client.header_room.0.load(Relaxed).min(rest.len());
        match append(client, &rest[..most]).await {
            Err(failure) if failure.is_long_header() && most > 1 => {
                tracing::debug!(files = most / 2, "fewer files in one request");
                client.header_room.0.store(most / 2, Relaxed);
            }
            Err(failure @ Failure::NoAnswer(NoAnswer::Line(_))) => {
                if most > APPENDED_AT_LEAST {
                    let fewer = (most / 2).max(APPENDED_AT_LEAST);
                    client.header_room.0.store(fewer, Relaxed);
                }
                return Err(failure);
            }
            answers => {
                let (now, later) = rest.split_at_mut(most);
                for (file, answer) in now.iter_mut().zip(answers?) {
                    // One that could not be filled is not committed.
                    file.answer = answer.err().map(Err);
                }
                rest = later;
            }
        }
    }
    Ok(())
}

async fn append(client: &Client, files: &[File<'_>]) -> Result<Vec<Result<(), Failure>>, Failure> {
    let entry = |file: &File<'_>| {
        let cursor = Cursor { session_id: file.session.clone(), offset: 0 };
        Append { cursor, length: file.bytes.len(), close: true }
    };
    let bytes: Vec<u8> = files.iter().flat_map(|file| file.bytes.iter().copied()).collect();
    let arg = AppendAll {
        entries: files.iter().map(entry).collect(),
        content_hash: &content_hash(&bytes),
    };
    let call = Call::upload("files/upload_session/append_batch", &arg, bytes.into());
    let answers = client.ask::<Answers>(call).await?.entries;
    let of_file = |answer: &Value| success(answer).map(drop);
    match answers.len() == files.len() {
        true => Ok(answers.iter().map(of_file).collect()),
        false => Err(Failure::NotDropbox("more or fewer answers than files")),
    }
}
