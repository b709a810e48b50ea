//! The types of arguments, each as strict as the service. A message here ends in a 400.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads an argument; the message names the field.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8], place: &str) -> Result<T, String> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|_| format!("{place}: could not decode input as JSON"))?;
    parse_value(value, place)
}

fn parse_value<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("{place}: {error}"))
}

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

/// What to do with what stands at the path.
#[derive(Clone, Debug, Default)]
pub(crate) enum WriteMode {
    #[default]
    Add,
    Overwrite,
    Update(Rev),
}

impl<'de> Deserialize<'de> for WriteMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Tagged {
            #[serde(rename = ".tag")]
            tag: String,
            update: Option<Rev>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bare(String),
            Tagged(Tagged),
        }
        let (tag, update) = match Form::deserialize(deserializer) {
            Ok(Form::Bare(tag)) => (tag, None),
            Ok(Form::Tagged(Tagged { tag, update })) => (tag, update),
            Err(_) => return Err(D::Error::custom("mode: expected string or object, with a rev")),
        };
        match (tag.as_str(), update) {
            ("add", None) => Ok(Self::Add),
            ("overwrite", None) => Ok(Self::Overwrite),
            ("update", Some(rev)) => Ok(Self::Update(rev)),
            ("update", None) => Err(D::Error::custom("mode: missing 'update' key")),
            (tag, _) => Err(D::Error::custom(format!("mode: unknown tag '{tag}'"))),
        }
    }
}

/// How a file is to be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommitInfo {
    pub(crate) path: WritePath,
    #[serde(default)]
    pub(crate) mode: WriteMode,
    #[serde(default)]
    pub(crate) autorename: bool,
    pub(crate) client_modified: Option<Timestamp>,
    /// Whether people are told; nobody is here.
    #[serde(default, rename = "mute")]
    _mute: bool,
    #[serde(default)]
    pub(crate) strict_conflict: bool,
}

/// The argument of `files/upload`: a commit, and the hash of the body.
#[derive(Clone, Debug)]
pub(crate) struct UploadArg {
    pub(crate) commit: CommitInfo,
    pub(crate) content_hash: Option<Hash>,
}

impl<'de> Deserialize<'de> for UploadArg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let hash = fields.remove("content_hash").unwrap_or(Value::Null);
        let content_hash = serde_json::from_value(hash).map_err(D::Error::custom)?;
        let commit = serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { commit, content_hash })
    }
}
