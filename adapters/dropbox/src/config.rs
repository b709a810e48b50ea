//! Which folder, of whose Dropbox, and how it is asked.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::Error;
use db_to_cloud_oauth::TokenProvider;
use reqwest::Url;

use crate::DropboxAdapter;
use crate::error::invalid;

/// Settings of a [`DropboxAdapter`].
#[derive(Clone, Debug)]
#[must_use]
pub struct DropboxConfig {
    pub(crate) folder: String,
    pub(crate) tokens: Arc<dyn TokenProvider>,
    pub(crate) api: String,
    pub(crate) content: String,
    pub(crate) notify: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) concurrency: usize,
    pub(crate) piece: usize,
}

/// The hosts of the service, already parsed.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) api: Url,
    pub(crate) content: Url,
    pub(crate) notify: Url,
}

/// All pieces of a file but the last are a multiple of this (`upload_session/append_v2`).
const BLOCK: usize = 4 * 1024 * 1024;
/// One request may bring 150 MiB (`files/upload`).
const LARGEST_PIECE: usize = 37 * BLOCK;
/// The longest name of a file or folder at Dropbox, in characters.
const LONGEST_NAME: usize = 255;

impl DropboxConfig {
    /// A folder of the user's Dropbox, such as `/notes`; `""` is all of it, or the app's own folder
    /// for an app that has no more. The folder is made with the first write.
    pub fn new(folder: impl Into<String>, tokens: Arc<dyn TokenProvider>) -> Self {
        Self {
            folder: folder.into(),
            tokens,
            api: "https://api.dropboxapi.com".to_owned(),
            content: "https://content.dropboxapi.com".to_owned(),
            notify: "https://notify.dropboxapi.com".to_owned(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(20),
            concurrency: 8,
            piece: LARGEST_PIECE,
        }
    }

    /// Other hosts than Dropbox's for calls, contents and waiting: a double for tests, or a gateway.
    pub fn with_endpoints(
        mut self,
        api: impl Into<String>,
        content: impl Into<String>,
        notify: impl Into<String>,
    ) -> Self {
        (self.api, self.content, self.notify) = (api.into(), content.into(), notify.into());
        self
    }

    /// Another account, or the same with other permissions.
    pub fn with_tokens(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.tokens = tokens;
        self
    }

    /// How long a connection may take to come about; by default 5 seconds.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take, and longer for many bytes or files; by default 20 seconds. Keep
    /// it below that of [`Limits`](db_to_cloud::Limits), so that the error tells more.
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How many requests run at once, at most; by default 8. Fewer do while Dropbox says that it is
    /// too much.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// The size of the pieces that a larger file is uploaded in, in bytes; by default 148 MiB, which is
    /// the most. On a line that often breaks, less is better.
    pub fn with_piece_size(mut self, bytes: usize) -> Self {
        self.piece = bytes;
        self
    }

    /// The adapter. No request is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense;
    /// the message says which.
    pub fn build(self) -> Result<DropboxAdapter, Error> {
        DropboxAdapter::new(&self)
    }

    /// The folder as Dropbox wants it: nothing, or a path with a slash before and none after.
    pub(crate) fn root(&self) -> Result<String, Error> {
        let path = self.folder.trim_matches('/');
        if path.is_empty() {
            return Ok(String::new());
        }
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..")
                && name.chars().count() <= LONGEST_NAME
                && !name.contains(|c: char| c == '\\' || c.is_control())
                && !name.ends_with(char::is_whitespace)
        };
        match path.split('/').all(is_name) {
            true => Ok(format!("/{path}")),
            false => Err(invalid("folder", "write it as /folder or /folder/of/folders")),
        }
    }

    pub(crate) fn endpoints(&self) -> Result<Endpoints, Error> {
        if self.concurrency == 0 {
            return Err(invalid("concurrency", "use at least 1"));
        }
        if !self.piece.is_multiple_of(BLOCK) || !(BLOCK..=LARGEST_PIECE).contains(&self.piece) {
            return Err(invalid("piece size", "use a multiple of 4 MiB, at most 148 MiB"));
        }
        let read = |setting, text: &str| match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            _ => Err(invalid(setting, "write https://host or http://host")),
        };
        Ok(Endpoints {
            api: read("api endpoint", &self.api)?,
            content: read("content endpoint", &self.content)?,
            notify: read("notify endpoint", &self.notify)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use db_to_cloud_oauth::{AccessToken, StaticToken};

    use super::*;

    fn config(folder: &str) -> DropboxConfig {
        DropboxConfig::new(folder, Arc::new(StaticToken(AccessToken::new("hunter2"))))
    }

    #[test]
    fn a_folder_has_a_slash_before_and_none_after() {
        for (folder, root) in
            [("", ""), ("/", ""), ("notes", "/notes"), ("/my notes/ü/", "/my notes/ü")]
        {
            assert_eq!(config(folder).root().unwrap(), root, "{folder}");
        }
    }

    /// The error shows no credential (rule X1).
    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let wrong = [
            ("folder", config("/a//b")),
            ("folder", config("/a/../b")),
            ("folder", config("/a\\b")),
            ("folder", config("/a\nb")),
            ("folder", config("/a ")),
            ("folder", config(&"x".repeat(256))),
            ("concurrency", config("/a").with_concurrency(0)),
            ("piece size", config("/a").with_piece_size(5 * 1024 * 1024)),
            ("piece size", config("/a").with_piece_size(152 * 1024 * 1024)),
            ("piece size", config("/a").with_piece_size(0)),
            ("api endpoint", config("/a").with_endpoints("h", "https://h", "https://h")),
            ("notify endpoint", config("/a").with_endpoints("https://h", "https://h", "ftp://h")),
        ];
        for (setting, config) in wrong {
            assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
            let error = config.build().unwrap_err();
            assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput);
            assert_eq!(error.key(), Some(setting), "{error}");
        }
    }
}
