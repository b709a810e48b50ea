//! Strings that must be of a form.

use serde::Deserialize;

/// A path or an id to write to.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WritePath(pub(crate) String);

impl TryFrom<String> for WritePath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let fits = path.starts_with('/') || path.starts_with("id:") || is_namespace(&path);
        let pattern = r"(/(.|[\r\n])*)|(ns:[0-9]+(/(.|[\r\n])*)?)|(id:.*)";
        fits.then(|| Self(path.clone())).ok_or_else(|| mismatch(&path, pattern))
    }
}

/// A path, an id or a rev to read from.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ReadPath(pub(crate) String);

impl TryFrom<String> for ReadPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let is_rev = path.strip_prefix("rev:").is_some_and(is_rev);
        let fits =
            path.starts_with('/') || path.starts_with("id:") || is_rev || is_namespace(&path);
        let pattern = r"(/(.|[\r\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/(.|[\r\n])*)?)";
        fits.then(|| Self(path.clone())).ok_or_else(|| mismatch(&path, pattern))
    }
}

/// A folder to list; the root is `""`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct FolderPath(pub(crate) String);

impl TryFrom<String> for FolderPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        if path == "/" {
            let hint = "Specify the root folder as an empty string rather than as \"/\".";
            return Err(format!("path: {hint}"));
        }
        let fits = path.is_empty()
            || path.starts_with('/')
            || path.starts_with("id:")
            || is_namespace(&path);
        let pattern = r"(/(.|[\r\n])*)?|id:.*|(ns:[0-9]+(/(.|[\r\n])*)?)";
        fits.then(|| Self(path.clone())).ok_or_else(|| mismatch(&path, pattern))
    }
}

fn is_namespace(path: &str) -> bool {
    let digits = path.strip_prefix("ns:").map(|rest| rest.split('/').next().unwrap_or_default());
    digits.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
}

fn mismatch(path: &str, pattern: &str) -> String {
    format!("path: '{path}' did not match pattern '{pattern}'")
}

fn is_rev(rev: &str) -> bool {
    rev.len() >= 9 && rev.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A version of a file: hex, at least nine characters.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Rev(pub(crate) String);

impl TryFrom<String> for Rev {
    type Error = String;

    fn try_from(rev: String) -> Result<Self, String> {
        let message = format!("rev: '{rev}' did not match pattern '[0-9a-f]+'");
        is_rev(&rev).then_some(Self(rev)).ok_or(message)
    }
}

/// A `content_hash`: 64 characters.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hash(pub(crate) String);

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(hash: String) -> Result<Self, String> {
        let message =
            format!("content_hash: '{hash}' must be at least 64 characters, got {}", hash.len());
        (hash.len() == 64).then_some(Self(hash)).ok_or(message)
    }
}

/// `%Y-%m-%dT%H:%M:%SZ`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Timestamp(pub(crate) String);

impl TryFrom<String> for Timestamp {
    type Error = String;

    fn try_from(time: String) -> Result<Self, String> {
        let message = format!("time data '{time}' does not match format '%Y-%m-%dT%H:%M:%SZ'");
        let fits = time.len() == 20 && humantime::parse_rfc3339(&time).is_ok();
        fits.then_some(Self(time)).ok_or(message)
    }
}
