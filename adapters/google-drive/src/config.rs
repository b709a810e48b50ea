//! Which folder of whose Drive, and how it is asked.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::Error;
use db_to_cloud::state::StateStore;
use db_to_cloud_oauth::{DRIVE_APPDATA, DRIVE_FILE, TokenProvider};
use reqwest::Url;

use crate::error::invalid;
use crate::{FlatFiles, GoogleDriveAdapter};

/// Settings of a [`GoogleDriveAdapter`].
#[derive(Clone)]
#[must_use]
pub struct GoogleDriveConfig {
    pub(crate) space: Space,
    pub(crate) path: String,
    pub(crate) tokens: Arc<dyn TokenProvider>,
    pub(crate) state: Option<Arc<dyn StateStore>>,
    pub(crate) root_url: String,
    pub(crate) settle: Duration,
    pub(crate) poll: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) concurrency: usize,
}

/// Where in a user's Drive an application keeps its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// A folder that the user sees, with the scope `drive.file`. It stays when the user takes the
    /// application's access back. The better choice for documents.
    Visible,
    /// The application's hidden folder, with the scope `drive.appdata`. **Google deletes it when the
    /// user disconnects the application**; nobody can look into it or restore it.
    AppData,
}

impl Space {
    /// The scope that the sign-in must ask for.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Visible => DRIVE_FILE,
            Self::AppData => DRIVE_APPDATA,
        }
    }

    /// Its name in requests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Visible => "drive",
            Self::AppData => "appDataFolder",
        }
    }

    /// The alias of its top folder.
    pub(crate) fn top(self) -> &'static str {
        match self {
            Self::Visible => "root",
            Self::AppData => "appDataFolder",
        }
    }
}

impl GoogleDriveConfig {
    /// A folder that the user sees, such as `Apps/notes`. It is made with the first write if it is not
    /// there.
    pub fn visible(path: impl Into<String>, tokens: Arc<dyn TokenProvider>) -> Self {
        Self::new(Space::Visible, path.into(), tokens)
    }

    /// The hidden folder of the application, or a folder within it; `""` is itself. See
    /// [`Space::AppData`] for how it gets lost.
    pub fn app_data(path: impl Into<String>, tokens: Arc<dyn TokenProvider>) -> Self {
        Self::new(Space::AppData, path.into(), tokens)
    }

    fn new(space: Space, path: String, tokens: Arc<dyn TokenProvider>) -> Self {
        Self {
            space,
            path,
            tokens,
            state: None,
            root_url: "https://www.googleapis.com".to_owned(),
            settle: Duration::from_secs(8),
            poll: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            concurrency: 8,
        }
    }

    /// Where to remember file ids from one start to the next: a state of its own, not the client's,
    /// such as a `SqliteState` under another name. Without it, and whenever it is lost, each start costs
    /// some requests more, and nothing else.
    pub fn with_state(mut self, state: Arc<dyn StateStore>) -> Self {
        self.state = Some(state);
        self
    }

    /// Another address than `https://www.googleapis.com`: a proxy or a double.
    pub fn with_root_url(mut self, url: impl Into<String>) -> Self {
        self.root_url = url.into();
        self
    }

    /// How long lists may lag behind when two devices set up the same storage at the same time; by
    /// default 8 seconds. The first write into a new storage waits so long.
    pub fn with_settle(mut self, time: Duration) -> Self {
        self.settle = time;
        self
    }

    /// The pause between the first two looks for changes; by default 5 seconds. It doubles from look to
    /// look up to twelve times as long.
    pub fn with_poll(mut self, pause: Duration) -> Self {
        self.poll = pause;
        self
    }

    /// How long a connection may take to come about; by default 5 seconds.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take, and longer for large objects; by default 15 seconds. Keep it
    /// below that of [`Limits`](db_to_cloud::Limits), so that the error tells more.
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How many requests run at once, at most; by default 8. Fewer do while Google says that it is too
    /// much.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// The adapter. No request is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense;
    /// the message says which.
    pub fn build(self) -> Result<GoogleDriveAdapter, Error> {
        self.checked().and_then(GoogleDriveAdapter::new)
    }

    /// The files of another program at the top of the hidden folder. No request is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense, such
    /// as a path or the visible space; the message says which.
    pub fn flat_files(self) -> Result<FlatFiles, Error> {
        let config = self.checked()?;
        if config.space != Space::AppData || config.segments().next().is_some() {
            return Err(invalid("path", "only the hidden folder itself is read so"));
        }
        FlatFiles::new(&config)
    }

    fn checked(self) -> Result<Self, Error> {
        let url = Url::parse(&self.root_url).ok();
        let host = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if host.is_none_or(|url| url.path() != "/" || url.query().or(url.fragment()).is_some()) {
            return Err(invalid("root url", "write https://host"));
        }
        if self.concurrency == 0 {
            return Err(invalid("concurrency", "use at least 1"));
        }
        let is_top = self.segments().next().is_none();
        if is_top && self.space == Space::Visible {
            return Err(invalid("path", "name a folder, such as Apps/notes"));
        }
        if self.path.chars().any(char::is_control) {
            return Err(invalid("path", "use names without control characters"));
        }
        Ok(self)
    }

    /// The folders of the path, from the top.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').map(str::trim).filter(|name| !name.is_empty())
    }
}

// Rule X1.
impl std::fmt::Debug for GoogleDriveConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = f.debug_struct("GoogleDriveConfig").field("space", &self.space).finish();
        name.and_then(|()| write!(f, " {:?}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use db_to_cloud_oauth::{AccessToken, StaticToken};

    use super::*;

    fn visible(path: &str) -> GoogleDriveConfig {
        GoogleDriveConfig::visible(path, Arc::new(StaticToken(AccessToken::new("hunter2"))))
    }

    /// The error shows no credential (rule X1).
    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let wrong = [
            ("path", visible("")),
            ("path", visible("/ /")),
            ("path", visible("a\nb")),
            ("root url", visible("a").with_root_url("ftp://h")),
            ("root url", visible("a").with_root_url("https://h/a")),
            ("concurrency", visible("a").with_concurrency(0)),
        ];
        for (setting, config) in wrong {
            let error = config.build().unwrap_err();
            assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput);
            assert_eq!(error.key(), Some(setting), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_path_is_a_list_of_folders() {
        assert_eq!(visible("/Apps/my notes/").segments().collect::<Vec<_>>(), ["Apps", "my notes"]);
    }
}
