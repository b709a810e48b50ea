//! What the text of a remote says, before anything is looked up.

use std::ffi::OsString;
use std::path::PathBuf;

use db_to_cloud_fs::Sharing;

use crate::sys::{os_string, url_path};

/// The schemes that are known, for the message about one that is not.
const SCHEMES: &str = "file:///path/to/folder, s3://bucket/prefix, webdavs://user@host/path, \
                       dropbox:/path, gdrive:/path, gdrive-appdata:/";

/// A storage as it was named on the command line; nothing was looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RemoteUrl {
    /// A folder on this machine or a drive or share of it, and how the devices share it.
    Folder(PathBuf, Sharing),
    /// A bucket. What follows the scheme is read when it is looked up: an error of clap would show
    /// the whole text, and with it credentials that somebody wrote into it.
    S3(String),
    /// A collection of WebDAV, read later for the same reason.
    WebDav(String),
    /// A folder of Dropbox.
    Dropbox(String),
    /// A folder of Google Drive.
    GoogleDrive {
        /// In the app's hidden folder.
        hidden: bool,
        /// Its path there.
        path: String,
    },
}

/// What says in a URL that [another program](Sharing::SyncedByOtherProgram) carries the files.
const OTHER_PROGRAM: &[u8] = b"?synced-by=other-program";

/// The last ones are not ours, but somebody may try them, with a password: the reader of the URL says
/// what to write, and does not show it.
const WEBDAV: [&str; 6] = ["webdav", "webdavs", "dav", "davs", "http", "https"];

/// Why a text names no storage.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BadUrl {
    #[error("it is empty: give a URL or a path")]
    Empty,
    #[error(
        "the scheme {0:?} is not known: use {SCHEMES} or a path (a folder whose name has a colon \
         is written with ./ in front)"
    )]
    UnknownScheme(String),
    #[error("a file URL has three slashes and an absolute path: file:///path/to/folder")]
    NotAbsolute,
    #[error("in a URL write bytes that are no text as % and two digits")]
    NotText,
    #[error(
        "the only parameter of a file URL is ?synced-by=other-program: another program carries the \
         files of the folder between the devices (write a ? of a name as %3F)"
    )]
    Parameter,
    #[error(
        "in such a URL write % as %25, ? as %3F, # as %23, and other bytes as % and two digits"
    )]
    Escape,
    #[error("{0} has one slash, no host, and a path: {0}:/path/to/folder")]
    NotAPath(&'static str),
}

impl RemoteUrl {
    /// Reads a URL or a path.
    pub(crate) fn parse(text: OsString) -> Result<Self, BadUrl> {
        if text.is_empty() {
            return Err(BadUrl::Empty);
        }
        let Some(scheme) = scheme(text.as_encoded_bytes()) else {
            return Ok(Self::Folder(text.into(), Sharing::default()));
        };
        let scheme = String::from_utf8_lossy(scheme).to_ascii_lowercase();
        match scheme.as_str() {
            "file" => file_url(text.as_encoded_bytes()),
            "s3" => text.into_string().map(Self::S3).map_err(|_| BadUrl::NotText),
            "dropbox" => service_path("dropbox", text.as_encoded_bytes()).map(Self::Dropbox),
            "gdrive" => {
                let path = service_path("gdrive", text.as_encoded_bytes())?;
                Ok(Self::GoogleDrive { hidden: false, path })
            }
            "gdrive-appdata" => {
                let path = service_path("gdrive-appdata", text.as_encoded_bytes())?;
                Ok(Self::GoogleDrive { hidden: true, path })
            }
            webdav if WEBDAV.contains(&webdav) => {
                text.into_string().map(Self::WebDav).map_err(|_| BadUrl::NotText)
            }
            _ => Err(BadUrl::UnknownScheme(scheme)),
        }
    }
}

/// What is before the first colon, if it can be a scheme. One letter is a drive of Windows.
fn scheme(text: &[u8]) -> Option<&[u8]> {
    let colon = text.iter().position(|b| *b == b':')?;
    let (scheme, _) = text.split_at(colon);
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
    let is_scheme = scheme.len() > 1 && scheme[0].is_ascii_alphabetic() && scheme.iter().all(legal);
    is_scheme.then_some(scheme)
}

/// The folder of `file:///path`, `file://localhost/path` or `file:/path`, each perhaps with
/// `?synced-by=other-program`.
fn file_url(url: &[u8]) -> Result<RemoteUrl, BadUrl> {
    let rest = &url[b"file:".len()..];
    let (rest, sharing) = match rest.iter().position(|b| *b == b'?') {
        None => (rest, Sharing::default()),
        Some(end) if rest[end..] == *OTHER_PROGRAM => (&rest[..end], Sharing::SyncedByOtherProgram),
        Some(_) => return Err(BadUrl::Parameter),
    };
    let path = match rest.strip_prefix(b"//") {
        Some(path) => path.strip_prefix(b"localhost").unwrap_or(path),
        None => rest,
    };
    if !path.starts_with(b"/") {
        return Err(BadUrl::NotAbsolute);
    }
    let path = os_string(unescaped(path)?).ok_or(BadUrl::NotText)?;
    Ok(RemoteUrl::Folder(url_path(path), sharing))
}

/// The path of `dropbox:/path` and the like.
fn service_path(scheme: &'static str, url: &[u8]) -> Result<String, BadUrl> {
    let path = &url[scheme.len() + 1..];
    if !path.starts_with(b"/") || path.starts_with(b"//") {
        return Err(BadUrl::NotAPath(scheme));
    }
    String::from_utf8(unescaped(path)?).map_err(|_| BadUrl::NotText)
}

fn unescaped(text: &[u8]) -> Result<Vec<u8>, BadUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
                let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
                bytes.push(byte.filter(|b| *b != 0).ok_or(BadUrl::Escape)?);
                rest = &after[2..];
            }
            b'?' | b'#' => return Err(BadUrl::Escape),
            byte => bytes.push(*byte),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RemoteUrl, BadUrl> {
        RemoteUrl::parse(text.into())
    }

    #[test]
    fn paths_and_file_urls_name_folders() {
        let same = [
            ("./cloud", "./cloud"),
            ("/mnt/a b/ü", "/mnt/a b/ü"),
            ("file:///cloud", "/cloud"),
            ("FILE:///cloud", "/cloud"),
            ("file:/cloud/", "/cloud/"),
            ("file://localhost/cloud", "/cloud"),
            ("file:///a%20b/%C3%BC%25", "/a b/ü%"),
            ("file:///a b", "/a b"),
            ("./a:b", "./a:b"),
            ("a/b:c", "a/b:c"),
        ];
        for (text, path) in same {
            assert_eq!(
                parse(text),
                Ok(RemoteUrl::Folder(path.into(), Sharing::default())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_the_known_schemes() {
        for text in ["ftp://host/x", "web+dav://h"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, BadUrl::UnknownScheme(_)), "{text}");
            assert!(error.to_string().contains("file:///"), "{error}");
        }
        for text in ["file://host/x", "file:x", "file://"] {
            assert_eq!(parse(text), Err(BadUrl::NotAbsolute), "{text}");
        }
        for text in ["file:///a%2", "file:///a%zz", "file:///a%+1", "file:///a#b", "file:///%00"] {
            assert_eq!(parse(text), Err(BadUrl::Escape), "{text}");
        }
        assert_eq!(parse(""), Err(BadUrl::Empty));
    }

    #[test]
    fn a_url_says_that_another_program_carries_the_files() {
        let carried =
            |path: &str| Ok(RemoteUrl::Folder(path.into(), Sharing::SyncedByOtherProgram));
        assert_eq!(parse("file:///a%3Fb?synced-by=other-program"), carried("/a?b"));
        // In a path a question mark is a letter like any other.
        let path = "/a?synced-by=other-program";
        assert_eq!(parse(path), Ok(RemoteUrl::Folder(path.into(), Sharing::SameFileSystem)));
        for parameter in ["?", "?b", "?synced-by=", "?synced-by=me", "?synced-by=other-program&x"] {
            let parsed = parse(&format!("file:///a{parameter}"));
            assert_eq!(parsed, Err(BadUrl::Parameter), "{parameter}");
        }
    }

    #[test]
    fn buckets_and_collections_are_read_later() {
        for text in ["s3://bucket", "S3://bucket/a?region=x", "s3:bucket"] {
            assert_eq!(parse(text), Ok(RemoteUrl::S3(text.to_owned())));
        }
        for text in ["webdavs://ada@host/a", "WebDAV:x", "https://ada:hunter2@host/a"] {
            assert_eq!(parse(text), Ok(RemoteUrl::WebDav(text.to_owned())));
        }
    }

    #[test]
    fn folders_of_services_have_a_path_and_no_host() {
        assert_eq!(parse("Dropbox:/my%20notes/ü"), Ok(RemoteUrl::Dropbox("/my notes/ü".into())));
        assert_eq!(parse("dropbox:/"), Ok(RemoteUrl::Dropbox("/".into())));
        let drive = |hidden, path: &str| Ok(RemoteUrl::GoogleDrive { hidden, path: path.into() });
        assert_eq!(parse("gdrive:/a b/c"), drive(false, "/a b/c"));
        assert_eq!(parse("gdrive-appdata:/"), drive(true, "/"));
        for text in ["dropbox:", "dropbox:notes", "dropbox://notes", "gdrive://h/a"] {
            assert!(matches!(parse(text), Err(BadUrl::NotAPath(_))), "{text}");
        }
        assert_eq!(parse("dropbox:/a?b"), Err(BadUrl::Escape));
        assert_eq!(parse("gdrive:/%ff"), Err(BadUrl::NotText));
        assert_eq!(parse("gdrives:/a"), Err(BadUrl::UnknownScheme("gdrives".into())));
    }
}
