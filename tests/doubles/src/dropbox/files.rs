//! Endpoints of one file or folder (facts 5.2).

use bytes::Bytes;
use serde::Deserialize;

use super::account::{Account, Api};
use super::answers;
use super::arg::{ReadPath, Rev, UploadArg, WritePath};
use super::call::{self, Call, Outcome, Reply};
use super::hash::content_hash;
use super::json::Json;
use super::metadata::{File, Node};
use super::sessions::Session;
use super::tree::{Lookup, NotDeleted, NotMoved, NotWritten};
use crate::server::Response;

/// The most a request may carry: 150 MiB.
pub(crate) const LARGEST: usize = 150 << 20;

pub(crate) fn upload(api: &Api, call: Call) -> Outcome {
    let arg: UploadArg = call.arg()?;
    if call.body.len() > LARGEST {
        return Err(call.refuse(Json::tag("payload_too_large")));
    }
    if arg.content_hash.is_some_and(|hash| hash.0 != content_hash(&call.body)) {
        return Err(call.refuse(Json::tag("content_hash_mismatch")));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(answers::too_many_write_operations(None));
    }
    match account.write(&arg.commit, call.body.clone()) {
        Ok(node) => Ok(node.json().into()),
        Err(not_written) => {
            // What was uploaded can still be finished under another name.
            let session = Session { content: call.body.to_vec(), is_closed: false };
            let id = account.open(session);
            let fields = Json::object().with("reason", not_written.json());
            let error = Json::flat("path", fields.with("upload_session_id", id));
            Err(call.refuse(error))
        }
    }
}

impl Account {
    /// Writes a file if there is space for it.
    pub(crate) fn write(
        &mut self,
        commit: &super::arg::CommitInfo,
        content: Bytes,
    ) -> Result<Node, NotWritten> {
        if self.tree.bytes() + content.len() > self.knobs.space {
            return Err(NotWritten::Full);
        }
        self.tree.commit(commit, content)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathArg {
    path: ReadPath,
}

pub(crate) fn download(api: &Api, call: &Call) -> Outcome {
    let arg: PathArg = call.arg()?;
    let account = api.account();
    let refuse = |lookup: Lookup| call.refuse(Json::nested("path", lookup.json()));
    let node = account.tree.find(&arg.path.0).map_err(refuse)?;
    let file = node.file().ok_or_else(|| refuse(Lookup::NotFile))?;
    Ok(Reply::Download(send(call, node, file)))
}

/// All of the file, a range of it, or that it is the one the client has.
fn send(call: &Call, node: &Node, file: &File) -> Response {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let etag = format!("W/\"{}\"", file.rev);
    let mut response = match header("range").and_then(|range| part(range, file.content.len())) {
        _ if header("if-none-match") == Some(&etag) => {
            crate::Answer::new(304, "application/octet-stream", "").into()
        }
        Some((from, to)) => {
            let content = file.content.slice(from..=to);
            let mut response = call::download(206, &node.json(), content);
            let range = format!("bytes {from}-{to}/{}", file.content.len());
            response.headers_mut().insert("content-range", range.try_into().unwrap());
            response
        }
        None => call::download(200, &node.json(), file.content.clone()),
    };
    response.headers_mut().insert("etag", etag.try_into().unwrap());
    response
}

/// The first and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = length.checked_sub(1)?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.min(last)),
        (Ok(from), Err(_)) if to.is_empty() => (from, last),
        (Err(_), Ok(n)) if from.is_empty() => (length.saturating_sub(n), last),
        _ => return None,
    };
    (from <= to).then_some((from, to))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetadataArg {
    path: ReadPath,
    #[serde(default)]
    include_deleted: bool,
    #[serde(default, rename = "include_media_info")]
    _media: bool,
    #[serde(default, rename = "include_has_explicit_shared_members")]
    _members: bool,
}

pub(crate) fn get_metadata(api: &Api, call: &Call) -> Outcome {
    let arg: MetadataArg = call.arg()?;
    let account = api.account();
    let path = &arg.path.0;
    let deleted = || account.tree.find_deleted(path).filter(|_| arg.include_deleted);
    match account.tree.find(path) {
        Ok(node) => Ok(node.tagged().into()),
        Err(lookup) => match deleted() {
            Some(node) => Ok(node.tagged().into()),
            None => Err(call.refuse(Json::nested("path", lookup.json()))),
        },
    }
}

/// The argument of `delete_v2`, and an entry of `delete_batch`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteArg {
    pub(crate) path: WritePath,
    pub(crate) parent_rev: Option<Rev>,
}

pub(crate) fn delete(api: &Api, call: &Call) -> Outcome {
    let arg: DeleteArg = call.arg()?;
    let mut account = api.account();
    if account.is_locked {
        return Err(call.refuse(Json::tag("too_many_write_operations")));
    }
    let deleted = account.tree.delete(&arg.path.0, arg.parent_rev.as_ref());
    let node = deleted.map_err(|error| call.refuse(error.json()))?;
    Ok(Json::object().with("metadata", node.tagged()).into())
}

impl NotDeleted {
    /// `DeleteError`.
    pub(crate) fn json(self) -> Json {
        match self {
            Self::Lookup(lookup) => Json::nested("path_lookup", lookup.json()),
            Self::Changed => Json::nested("path_write", NotWritten::Conflict("file").json()),
            Self::NotFile => Json::nested("path_lookup", Lookup::NotFile.json()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderArg {
    path: WritePath,
    #[serde(default)]
    autorename: bool,
}

pub(crate) fn create_folder(api: &Api, call: &Call) -> Outcome {
    let arg: FolderArg = call.arg()?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames no folders"));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(answers::too_many_write_operations(None));
    }
    let made = account.tree.create_folder(&arg.path.0);
    let node = made.map_err(|error| call.refuse(Json::nested("path", error.json())))?;
    Ok(Json::object().with("metadata", node.json()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveArg {
    from_path: WritePath,
    to_path: WritePath,
    #[serde(default)]
    autorename: bool,
    #[serde(default, rename = "allow_ownership_transfer")]
    _transfer: bool,
    #[serde(default, rename = "allow_shared_folder")]
    _shared: bool,
}

pub(crate) fn rename(api: &Api, call: &Call) -> Outcome {
    let arg: MoveArg = call.arg()?;
    if arg.autorename {
        return Err(call.bad("autorename: the double renames nothing it moves"));
    }
    let mut account = api.account();
    if account.is_locked {
        return Err(call.refuse(Json::tag("too_many_write_operations")));
    }
    let moved = account.tree.rename(&arg.from_path.0, &arg.to_path.0);
    let node = moved.map_err(|error| {
        call.refuse(match error {
            NotMoved::From(lookup) => Json::nested("from_lookup", lookup.json()),
            NotMoved::To(not_written) => Json::nested("to", not_written.json()),
            NotMoved::IntoItself => Json::tag("duplicated_or_nested_paths"),
        })
    })?;
    Ok(Json::object().with("metadata", node.tagged()).into())
}
