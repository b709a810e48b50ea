//! Rule S8: recognises what a newer program wrote, and says which program can read it.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::FORMAT;
use crate::model::{Error, ErrorKind, Key};

/// The names in `needs` that this program supports: it has none of them yet.
const SUPPORTED: &[&str] = &[];

/// First bytes of objects that are no JSON and that no program of format 1 writes.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
const SEALED: &[u8] = b"DbC\x01";

/// The number of names, and of characters of each, in an error: the object may be hostile.
const SHOWN_NAMES: usize = 8;
const SHOWN_CHARACTERS: usize = 40;
const SHOWN_ADDRESS: usize = 300;

/// What any program reads of any object of ours, whatever its format.
#[derive(Deserialize)]
pub(super) struct Header {
    /// An object without it is not ours.
    format: Value,
    /// Names of features without which the object must not be read.
    #[serde(default)]
    needs: Value,
    /// For each name the version of the program that has it: `{"packs-1": "1.4"}`.
    #[serde(default)]
    since: Value,
    /// Where the storage is now, if it was moved.
    #[serde(default)]
    moved_to: Value,
}

/// Recognises an object that is no JSON by its first bytes: compressed or sealed.
pub(super) fn check_first_bytes(key: &Key, bytes: &[u8]) -> Result<(), Error> {
    let skippable = bytes.first().is_some_and(|first| first & 0xf0 == 0x50)
        && bytes.get(1..4) == Some(SKIPPABLE);
    let what = if bytes.starts_with(SEALED) {
        "it is encrypted"
    } else if bytes.starts_with(ZSTD) || skippable {
        "it is compressed"
    } else {
        return Ok(());
    };
    Err(error(key, format!("{what}, which this program cannot read: install a newer version")))
}

impl Header {
    /// Reads the first JSON value: a newer format may have more of them, one a line.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        Self::deserialize(&mut serde_json::Deserializer::from_slice(bytes))
    }

    /// An error unless this program can read the object.
    pub(super) fn check(&self, key: &Key) -> Result<(), Error> {
        let lacks = self.lacks();
        let known = self.format.as_u64() == Some(FORMAT.into());
        if known && lacks.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let mut why = Vec::new();
        if !known {
            let format = match self.format.as_u64() {
                Some(number) => format!("format {number}"),
                None => "an unknown format".to_owned(),
            };
            why.push(format!("it has {format}, this program reads format {FORMAT}"));
        }
        match &lacks {
            Some(names) if names.is_empty() => {}
            Some(names) => {
                let shown: Vec<_> =
                    names.iter().take(SHOWN_NAMES).map(|name| plain(name)).collect();
                why.push(format!("it needs {}, which this program lacks", shown.join(", ")));
            }
            None => why.push("what it needs is written in a way unknown here".to_owned()),
        }
        Err(error(key, format!("{}: {}", why.join("; "), self.advice())))
    }

    /// The needed names that this program does not support; `None` if the list has another shape.
    fn lacks(&self) -> Option<Vec<&str>> {
        let names = match &self.needs {
            Value::Null => return Some(Vec::new()),
            Value::Array(names) => names,
            _ => return None,
        };
        let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
        Some(names?.into_iter().filter(|name| !SUPPORTED.contains(name)).collect())
    }

    fn advice(&self) -> String {
        let version = match self.since() {
            Some(version) => format!("version {version} or newer"),
            None => "a newer version".to_owned(),
        };
        match self.moved_to.as_str().and_then(address) {
            Some(address) => {
                format!("the storage has moved to {address}: sync with that one, with {version}")
            }
            None => format!("install {version}"),
        }
    }

    /// The newest of the versions that `since` names: it has all that is needed.
    fn since(&self) -> Option<&str> {
        let versions = self.since.as_object()?.values().filter_map(Value::as_str);
        let numbered = versions.filter_map(|version| Some((numbers(version)?, version)));
        numbered.max().map(|(_, version)| version)
    }
}

/// The names of a list that is for other programs: what is no name is ignored.
pub(super) fn names<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<String>, D::Error> {
    let names = Value::deserialize(d)?;
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(names.map(str::to_owned).collect())
}

/// The numbers of a version such as `1.4`.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// A name as it may be shown in a terminal.
fn plain(name: &str) -> String {
    let shown = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '?' };
    name.chars().take(SHOWN_CHARACTERS).map(shown).collect()
}

/// An address as it may be shown: without user and password (rule X1), and only if it is short and
/// has no character that a terminal does not print.
fn address(text: &str) -> Option<String> {
    let printable = text.chars().all(|c| c.is_ascii_graphic());
    if text.is_empty() || text.len() > SHOWN_ADDRESS || !printable {
        return None;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return Some(text.to_owned()) };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(format!("{scheme}://{host}{path}"))
}

fn error(key: &Key, message: String) -> Error {
    Error::new(ErrorKind::NewerFormat, "read").with_key(key).with_message(message)
}
