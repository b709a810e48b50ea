//! Endpoints of one file or folder (facts 5.2).

use bytes::Bytes;
use serde::Deserialize;

use super::account::{Account, Api};
use super::answers;
use super::arg::{CommitInfo, ReadPath, Rev, UploadArg, WritePath};
use super::call::{Call, Outcome};
use super::hash::content_hash;
use super::json::Json;
use super::metadata::Node;
use super::sessions::Session;
use super::tree::{Lookup, NotDeleted, NotWritten};

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
        commit: &CommitInfo,
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
