//! A storage named by a URL, as on a command line.

use db_to_cloud::Error;
use db_to_cloud_http::percent_decoded;

use crate::WebDavConfig;
use crate::error::invalid;

impl WebDavConfig {
    /// Reads `webdavs://user@host/path` (`https` below it) or `webdav://user@host/path` (`http`).
    /// Answers the user beside it: what proves them never stands in a URL.
    ///
    /// `?ca-file=PATH` names a file of certificates to trust, `?client-certificate-file=PATH` one of
    /// our own certificate and its private key; both are read now.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if it makes no sense or a
    /// file cannot be read; the message says what is wrong, and shows no part of the URL that could
    /// be a secret.
    pub fn from_url(url: &str) -> Result<(Self, Option<String>), Error> {
        parse(url)
    }

    /// The name of the storage: two ways to say the same have one name. The user is a part of it, for
    /// two users may see two storages under one path.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if the address makes no sense.
    pub fn name(&self) -> Result<String, Error> {
        let mut base = self.base()?;
        // An address with a host can have a user.
        let _ = base.set_username(self.credentials.user().unwrap_or_default());
        Ok(base.as_str().replacen("http", "webdav", 1).trim_end_matches('/').to_owned())
    }
}

fn parse(url: &str) -> Result<(WebDavConfig, Option<String>), Error> {
    let wrong =
        || invalid("url", "write webdavs://user@host/path, or webdav:// without encryption");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "webdav" => "http",
        "webdavs" => "https",
        _ => return Err(wrong()),
    };
    let mut address = reqwest::Url::parse(&format!("{scheme}://{rest}")).map_err(|_| wrong())?;
    if address.password().is_some() {
        let why = "a password does not belong into a URL, where others see it: leave out what is \
                   between the colon and the @";
        return Err(invalid("url", why));
    }
    let user = percent_decoded(address.username()).ok_or_else(wrong)?;
    if address.set_username("").is_err() {
        return Err(wrong());
    }
    let settings = address.query().unwrap_or_default().to_owned();
    address.set_query(None);
    let config = WebDavConfig::new(address);
    config.base()?;
    let settings = settings.split('&').filter(|setting| !setting.is_empty());
    let config = settings.into_iter().try_fold(config, set)?;
    Ok((config, Some(user).filter(|user| !user.is_empty())))
}

fn set(config: WebDavConfig, setting: &str) -> Result<WebDavConfig, Error> {
    let (name, path) = setting.split_once('=').unwrap_or((setting, ""));
    let read = |name, why| {
        let path = percent_decoded(path).filter(|path| !path.is_empty());
        path.and_then(|path| std::fs::read(path).ok()).ok_or_else(|| invalid(name, why))
    };
    match name {
        "ca-file" => {
            let why = "this file of certificates cannot be read";
            Ok(config.with_root_certificate(read("ca-file", why)?))
        }
        "client-certificate-file" => {
            let why = "this file of a certificate and its private key cannot be read";
            Ok(config.with_client_certificate(read("client-certificate-file", why)?))
        }
        _ => Err(invalid("url", "known settings are ca-file and client-certificate-file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credentials;

    #[test]
    fn urls_are_read() {
        let (config, user) =
            WebDavConfig::from_url("WebDAVs://ada%40x@cloud.example/a b/").unwrap();
        assert_eq!(user.as_deref(), Some("ada@x"));
        assert_eq!(config.base().unwrap().as_str(), "https://cloud.example/a%20b/");
        let config = config.with_credentials(Credentials::password("ada@x", "p"));
        assert_eq!(config.name().unwrap(), "webdavs://ada%40x@cloud.example/a%20b");
        let (config, user) = WebDavConfig::from_url("webdav://127.0.0.1:8080").unwrap();
        assert_eq!((config.name().unwrap().as_str(), user), ("webdav://127.0.0.1:8080", None));
    }

    #[test]
    fn certificates_are_read_from_files_and_are_no_part_of_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("my ca"), "trusted").unwrap();
        std::fs::write(at("mine"), "me").unwrap();
        let (ca, mine) = (at("my%20ca"), at("mine"));
        let url = format!("webdavs://h/a?ca-file={ca}&client-certificate-file={mine}");
        let (config, _) = WebDavConfig::from_url(&url).unwrap();
        assert_eq!(config.name().unwrap(), "webdavs://h/a");
        let plain = WebDavConfig::new("https://h/a");
        assert_eq!(config, plain.with_root_certificate("trusted").with_client_certificate("me"));
        for setting in ["ca-file", "client-certificate-file"] {
            let missing = format!("webdavs://h/a?{setting}={}", at("missing"));
            let error = WebDavConfig::from_url(&missing).unwrap_err();
            assert_eq!(error.key(), Some(setting), "{error}");
        }
    }

    #[test]
    fn what_is_none_is_refused_without_showing_it() {
        let wrong = [
            "webdav://",
            "https://h/a",
            "webdav://h/a?hunter2",
            "webdav://h/a?password=hunter2",
            "webdav://h/a#hunter2",
            "webdavs://ada:hunter2@h/a",
            "x",
        ];
        for url in wrong {
            let error = WebDavConfig::from_url(url).unwrap_err();
            assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput, "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
