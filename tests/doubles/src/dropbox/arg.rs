//! The types of arguments, each as strict as the service. A message here ends in a 400.

mod text;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub(crate) use self::text::{FolderPath, Hash, ReadPath, Rev, Timestamp, WritePath};

/// Reads an argument; the message names the field.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8], place: &str) -> Result<T, String> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|_| format!("{place}: could not decode input as JSON"))?;
    parse_value(value, place)
}

fn parse_value<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("{place}: {error}"))
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
