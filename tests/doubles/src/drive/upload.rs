//! Uploads: `multipart`, `media`, and `resumable` in chunks.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::files::{File, Metadata, Space};
use super::parameters::Parameters;
use super::{State, answers, fields, multipart};
use crate::Answer;
use crate::server::{Request, Response};

/// Chunks but the last are multiples of this.
const STEP: usize = 256 * 1024;

/// Uploads under way.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<String, Session>);

#[derive(Debug)]
struct Session {
    /// The file to change; `None` makes one.
    target: Option<String>,
    metadata: Metadata,
    kind: String,
    received: BytesMut,
    spaces: Vec<Space>,
    fields: Option<String>,
    /// What the last chunk was answered.
    done: Option<Value>,
}

/// `POST` makes the file, `PATCH` changes the one with this id.
pub(super) fn begin(
    state: &mut State,
    request: &Request,
    parameters: &Parameters,
    spaces: &[Space],
    target: Option<&str>,
) -> Result<Response, Answer> {
    let header = |name: &str| super::header(request, name).unwrap_or_default().to_owned();
    let (metadata, content) = match parameters.get("uploadType") {
        Some("multipart") => {
            let parts = multipart::parse(&header("content-type"), request.body())?;
            let [metadata, content] = &parts[..] else {
                return Err(answers::bad("body", "A multipart upload has two parts."));
            };
            let kind = content.header("content-type").unwrap_or_default().to_owned();
            (Metadata::parse(&metadata.body)?, (content.body.clone(), kind))
        }
        Some("media") => (Metadata::default(), (request.body().clone(), header("content-type"))),
        Some("resumable") => {
            let kind = header("x-upload-content-type");
            return open(state, request, parameters, spaces, (target, kind));
        }
        _ => return Err(answers::bad("uploadType", "Invalid Value")),
    };
    let file = finish(state, target, metadata, content, spaces)?;
    let file = fields::of_file(state.files.describe(&file), parameters.get("fields"))?;
    Ok(answers::ok(&file))
}

fn finish(
    state: &mut State,
    target: Option<&str>,
    metadata: Metadata,
    content: (Bytes, String),
    spaces: &[Space],
) -> Result<File, Answer> {
    if state.used + content.0.len() as u64 > state.quota {
        return Err(answers::quota_exceeded());
    }
    let length = content.0.len() as u64;
    let file = match target {
        None => state.files.create(metadata, Some(content), spaces)?,
        Some(id) => state.files.update(id, metadata, Some(content), spaces)?,
    };
    state.used += length;
    Ok(file)
}

/// Makes a file with the content of another one: in the same folder under the same name, unless the
/// client says otherwise.
pub(super) fn copy(
    state: &mut State,
    id: &str,
    mut metadata: Metadata,
    spaces: &[Space],
) -> Result<File, Answer> {
    let original = state.files.get(id, spaces)?.clone();
    let Some(content) = original.content else {
        return Err(answers::bad("fileId", "This file cannot be copied."));
    };
    metadata.name = metadata.name.or(Some(original.name));
    metadata.parent = metadata.parent.or(Some(original.parent));
    finish(state, None, metadata, (content, original.mime_type), spaces)
}

fn open(
    state: &mut State,
    request: &Request,
    parameters: &Parameters,
    spaces: &[Space],
    (target, kind): (Option<&str>, String),
) -> Result<Response, Answer> {
    let metadata = Metadata::parse(request.body())?;
    match target {
        None => drop(state.files.check_new(&metadata, spaces)?),
        Some(id) => drop(state.files.get(id, spaces)?),
    }
    let id = crate::tokens::random("upload");
    let session = Session {
        target: target.map(str::to_owned),
        metadata,
        kind,
        received: BytesMut::new(),
        spaces: spaces.to_vec(),
        fields: parameters.get("fields").map(str::to_owned),
        done: None,
    };
    state.sessions.0.insert(id.clone(), session);
    let host = super::header(request, "host").unwrap_or_default();
    let place = format!("http://{host}/upload/drive/v3/files?uploadType=resumable&upload_id={id}");
    Ok(Answer::new(200, "text/plain", "").with("location", place).into())
}

/// `PUT` of a chunk, or the question how much is there.
pub(super) fn chunk(state: &mut State, request: &Request, id: &str) -> Result<Response, Answer> {
    let gone = || Answer::new(404, "text/plain", "Not Found");
    let session = state.sessions.0.get_mut(id).ok_or_else(gone)?;
    if let Some(done) = &session.done {
        return Ok(answers::ok(done));
    }
    let range = super::header(request, "content-range");
    let (start, total) = match range {
        None => (Some(0), Some(request.body().len())),
        Some(range) => parse_range(range).ok_or_else(|| answers::bad("range", "Bad Request"))?,
    };
    if let Some(start) = start {
        let end = start + request.body().len();
        let is_last = total == Some(end);
        if start > session.received.len() || !is_last && !request.body().len().is_multiple_of(STEP)
        {
            return Err(answers::bad("range", "Bad Request"));
        }
        // What came already may come again.
        let known = session.received.len() - start;
        session.received.extend_from_slice(request.body().get(known..).unwrap_or_default());
    }
    if total != Some(session.received.len()) {
        return Ok(incomplete(session.received.len()));
    }
    let content = (session.received.clone().freeze(), session.kind.clone());
    let (target, metadata) = (session.target.clone(), session.metadata.clone());
    let (spaces, wanted) = (session.spaces.clone(), session.fields.clone());
    let file = finish(state, target.as_deref(), metadata, content, &spaces)?;
    let file = fields::of_file(state.files.describe(&file), wanted.as_deref())?;
    if let Some(session) = state.sessions.0.get_mut(id) {
        (session.done, session.received) = (Some(file.clone()), BytesMut::new());
    }
    Ok(answers::ok(&file))
}

/// `bytes 0-9/10`, `bytes 0-9/*` or `bytes */10`: where it begins, and how long the whole is.
fn parse_range(text: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (part, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    let start = match part {
        "*" => None,
        part => Some(part.split_once('-')?.0.parse().ok()?),
    };
    Some((start, total))
}

fn incomplete(received: usize) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::PERMANENT_REDIRECT;
    if received > 0 {
        let value = format!("bytes=0-{}", received - 1);
        response.headers_mut().insert("range", value.parse().unwrap());
    }
    response
}
