//! Which collection, at which server, and how it is asked.

use std::time::Duration;

use db_to_cloud::Error;
use reqwest::Url;

use crate::error::invalid;
use crate::{Credentials, Slots, WebDavAdapter};

/// Settings of a [`WebDavAdapter`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct WebDavConfig {
    pub(crate) url: String,
    pub(crate) credentials: Credentials,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) slots: Option<Slots>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) concurrency: usize,
}

/// A certificate and its private key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity(pub(crate) Vec<u8>);

// Rule X1.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl WebDavConfig {
    /// A collection, such as `https://cloud.example/remote.php/dav/files/ada/notes`. It is made with
    /// the first write if it is not there.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::Anonymous,
            roots: Vec::new(),
            identity: None,
            slots: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            concurrency: 16,
        }
    }

    /// Who we are; by default nobody.
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// A certificate (PEM) to trust beside those of the system: that of a server or an authority of
    /// one's own.
    pub fn with_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Our own certificate and its private key (both PEM, in one text), for servers that ask for one.
    pub fn with_client_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.identity = Some(Identity(pem.into()));
        self
    }

    /// How the server makes log slots, for who knows; by default it is found out. All devices must
    /// use the same.
    pub fn with_slots(mut self, slots: Slots) -> Self {
        self.slots = Some(slots);
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

    /// How many requests run at once, at most; by default 16. Fewer do while the server says that it
    /// is too much.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// The adapter. No request is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense;
    /// the message says which.
    pub fn build(self) -> Result<WebDavAdapter, Error> {
        self.base().and_then(|base| WebDavAdapter::new(&self, base))
    }

    /// The address of the collection, with a slash at its end.
    pub(crate) fn base(&self) -> Result<Url, Error> {
        let wrong = "write https://host/path or http://host/path";
        let mut url = Url::parse(&self.url).map_err(|_| invalid("url", wrong))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().or(url.fragment()).is_some() {
            return Err(invalid("url", wrong));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "a user and a password do not belong into the URL, where others see them";
            return Err(invalid("url", why));
        }
        if self.concurrency == 0 {
            return Err(invalid("concurrency", "use at least 1"));
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_ends_with_one_slash() {
        let base = |url: &str| WebDavConfig::new(url).base().unwrap().to_string();
        assert_eq!(base("https://h/a b/c"), "https://h/a%20b/c/");
        assert_eq!(base("https://h/a//"), "https://h/a/");
        assert_eq!(base("http://h:80"), "http://h/");
    }

    /// The error shows no credential (rule X1).
    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let wrong = [
            ("url", WebDavConfig::new("h/a")),
            ("url", WebDavConfig::new("ftp://h/a")),
            ("url", WebDavConfig::new("https://h/a?b")),
            ("url", WebDavConfig::new("https://ada:hunter2@h/a")),
            ("concurrency", WebDavConfig::new("https://h/").with_concurrency(0)),
            ("root certificate", WebDavConfig::new("https://h/").with_root_certificate("x")),
            ("client certificate", WebDavConfig::new("https://h/").with_client_certificate("x")),
        ];
        for (setting, config) in wrong {
            let error = config.build().unwrap_err();
            assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput);
            assert_eq!(error.key(), Some(setting), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
