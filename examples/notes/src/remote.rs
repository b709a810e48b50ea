//! From a URL to a storage. Copy this file into an application of your own: it needs nothing else.
//!
//! | URL | storage | feature |
//! |---|---|---|
//! | a path, `file:///path` | a folder: a disk, a USB stick, a share | |
//! | `s3://bucket/prefix` | a bucket; credentials as for the AWS command line | `s3` |
//! | `webdavs://user@host/path`, `webdav://…` | WebDAV; the password is in `WEBDAV_PASSWORD` | `webdav` |
//! | `dropbox:/path` | Dropbox, after `db-to-cloud login dropbox` | `dropbox` |
//! | `gdrive:/path` | Google Drive, after `db-to-cloud login google-drive` | `google-drive` |
//! | `gdrive-appdata:/path` | its folder that the user does not see | `google-drive` |

use std::path::Path;
use std::sync::Arc;

use db_to_cloud::{Adapter, Error, ErrorKind};
use db_to_cloud_fs::FsAdapter;
use url::Url;

/// A storage, and the name under which a device keeps its state for it.
#[derive(Clone)]
pub struct Remote {
    /// The same for all ways to say the same storage.
    pub name: String,
    /// The storage.
    pub storage: Arc<dyn Adapter>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remote({:?})", self.name)
    }
}

/// Opens a storage. Of one on the network nothing is asked yet.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] and [`ErrorKind::Unsupported`] if the URL makes no sense or this build
/// lacks the feature. For a folder also what the file system says.
pub fn open(url: &str) -> Result<Remote, Error> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("s3") => s3(url),
        Some("webdav" | "webdavs") => webdav(url),
        Some("dropbox") => dropbox(url),
        Some("gdrive" | "gdrive-appdata") => google_drive(url),
        Some("file") => {
            let path = Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
            folder(&path.ok_or_else(|| invalid("write file:///path/to/folder"))?)
        }
        Some(_) if url.contains("://") => Err(invalid(
            "the scheme is not known: use a path, file://, s3://, webdavs://, dropbox: or gdrive:",
        )),
        _ => folder(Path::new(url)),
    }
}

fn folder(path: &Path) -> Result<Remote, Error> {
    // It is made if there is none, but not where a drive is not mounted.
    let storage = FsAdapter::open(path)?;
    let path = storage.folder().canonicalize().unwrap_or_else(|_| storage.folder().to_owned());
    Ok(Remote { name: path.to_string_lossy().into_owned(), storage: Arc::new(storage) })
}

#[cfg(feature = "s3")]
fn s3(url: &str) -> Result<Remote, Error> {
    let config = db_to_cloud_s3::S3Config::from_url(url)?;
    Ok(Remote { name: config.name(), storage: Arc::new(config.build()?) })
}

#[cfg(feature = "webdav")]
fn webdav(url: &str) -> Result<Remote, Error> {
    use db_to_cloud_webdav::{Credentials, WebDavConfig};
    let (mut config, user) = WebDavConfig::from_url(url)?;
    if let Some(user) = user {
        let password = std::env::var("WEBDAV_PASSWORD")
            .map_err(|_| invalid("put the password into the variable WEBDAV_PASSWORD"))?;
        config = config.with_credentials(Credentials::password(user, password));
    }
    Ok(Remote { name: config.name()?, storage: Arc::new(config.build()?) })
}

#[cfg(feature = "dropbox")]
fn dropbox(url: &str) -> Result<Remote, Error> {
    use db_to_cloud_dropbox::DropboxConfig;
    let tokens = oauth::tokens(db_to_cloud_oauth::Provider::dropbox(), "dropbox")?;
    let path = url.trim_start_matches("dropbox:").trim_matches('/');
    let storage = DropboxConfig::new(format!("/{path}"), tokens).build()?;
    Ok(Remote { name: format!("dropbox:/{path}"), storage: Arc::new(storage) })
}

#[cfg(feature = "google-drive")]
fn google_drive(url: &str) -> Result<Remote, Error> {
    use db_to_cloud_google_drive::GoogleDriveConfig;
    let tokens = oauth::tokens(db_to_cloud_oauth::Provider::google_drive(), "google-drive")?;
    let (scheme, path) = url.split_once(':').unwrap_or((url, ""));
    let path = path.trim_matches('/');
    let config = match scheme {
        "gdrive" => GoogleDriveConfig::visible(path, tokens),
        _ => GoogleDriveConfig::app_data(path, tokens),
    };
    Ok(Remote { name: format!("{scheme}:/{path}"), storage: Arc::new(config.build()?) })
}

/// The sign-in that `db-to-cloud login` keeps. An application of your own has a sign-in of its own:
/// see the crate `db-to-cloud-oauth`.
#[cfg(any(feature = "dropbox", feature = "google-drive"))]
mod oauth {
    use std::env::var_os;
    use std::path::PathBuf;

    use db_to_cloud_oauth::{FileStore, Provider, Refreshing, TokenProvider};

    use super::*;

    pub(super) fn tokens(
        provider: Provider,
        service: &str,
    ) -> Result<Arc<dyn TokenProvider>, Error> {
        let path = |name: &str| var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let file = path("DB_TO_CLOUD_TOKENS").or_else(|| {
            let config = path("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
            let config = config.or_else(|| Some(path("HOME")?.join(".config")))?;
            Some(config.join("db-to-cloud").join(format!("{service}.json")))
        });
        let file = file.ok_or_else(|| invalid("HOME is not set: where is the sign-in?"))?;
        let advice = format!("sign in with `db-to-cloud login {service}`");
        Ok(Arc::new(Refreshing::new(provider, Arc::new(FileStore::new(file)))?.with_advice(advice)))
    }
}

#[cfg(not(feature = "s3"))]
fn s3(_: &str) -> Result<Remote, Error> {
    Err(absent("s3"))
}

#[cfg(not(feature = "webdav"))]
fn webdav(_: &str) -> Result<Remote, Error> {
    Err(absent("webdav"))
}

#[cfg(not(feature = "dropbox"))]
fn dropbox(_: &str) -> Result<Remote, Error> {
    Err(absent("dropbox"))
}

#[cfg(not(feature = "google-drive"))]
fn google_drive(_: &str) -> Result<Remote, Error> {
    Err(absent("google-drive"))
}

#[allow(dead_code, reason = "not used if all features are on")]
fn absent(feature: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "open").with_key(feature).with_message(format!(
        "this build cannot do that: build it with `--features {feature}`, such as \
         `cargo run -p db-to-cloud-notes --features {feature} -- …`"
    ))
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "open").with_message(why)
}
