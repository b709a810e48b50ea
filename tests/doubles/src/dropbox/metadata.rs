//! What Dropbox says of a file, a folder or what is gone.

use std::time::SystemTime;

use bytes::Bytes;

use super::json::Json;

/// What stands at a path. The path itself, in lower case, is the key it is kept by.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The path as it was first written.
    pub(crate) display: String,
    /// When it changed, in the order of all changes.
    pub(crate) changed: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    File(File),
    Folder { id: String },
    Deleted,
}

/// A file's content and versions.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) rev: String,
    pub(crate) client_modified: String,
    pub(crate) server_modified: String,
    pub(crate) content: Bytes,
    pub(crate) hash: String,
}

impl Node {
    pub(crate) fn file(&self) -> Option<&File> {
        match &self.kind {
            Kind::File(file) => Some(file),
            _ => None,
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        !matches!(self.kind, Kind::Deleted)
    }

    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder { .. })
    }

    fn id(&self) -> Option<&str> {
        match &self.kind {
            Kind::File(File { id, .. }) | Kind::Folder { id } => Some(id),
            Kind::Deleted => None,
        }
    }

    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.id() == Some(id)
    }

    /// Where the type is known from the endpoint: `FileMetadata`, `FolderMetadata`.
    pub(crate) fn json(&self) -> Json {
        let name = self.display.rsplit('/').next().unwrap_or_default();
        let mut json = Json::object()
            .with("name", name)
            .with("path_lower", self.display.to_lowercase())
            .with("path_display", self.display.as_str());
        if let Some(id) = self.id() {
            json = json.with("id", id);
        }
        match self.file() {
            None => json,
            Some(file) => json
                .with("client_modified", file.client_modified.as_str())
                .with("server_modified", file.server_modified.as_str())
                .with("rev", file.rev.as_str())
                .with("size", file.content.len() as u64)
                .with("is_downloadable", true)
                .with("content_hash", file.hash.as_str()),
        }
    }

    /// Where it may be any: `Metadata`, with a tag.
    pub(crate) fn tagged(&self) -> Json {
        let tag = match self.kind {
            Kind::File(_) => "file",
            Kind::Folder { .. } => "folder",
            Kind::Deleted => "deleted",
        };
        Json::flat(tag, self.json())
    }
}

/// Now, to the second.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
