//! The first line of the objects by which others are found.
//!
//! # Format 1
//! Slots of the log, the lock, `meta.json` and all of `snapshot/` begin with one line of JSON, a
//! [`Header`]; after its line feed come the core's bytes, exactly. All other objects are the core's bytes
//! and nothing else. A header with another number is of a newer version of this crate.

use std::collections::BTreeMap;

use bytes::Bytes;
use db_to_cloud::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::error::Failure;

const FORMAT: u32 = 1;
/// How a header begins, so that what people wrote over it is known as such.
const START: &[u8] = b"{\"db-to-cloud-google-drive\":";

/// What an object tells of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(rename = "db-to-cloud-google-drive")]
    pub(crate) format: u32,
    /// The reserved id of another object of the same chain: of slot n + 64 in slot n, of the next lock
    /// in a lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The ids of the objects that the bytes name, by vid or by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ids: BTreeMap<String, String>,
    /// In `meta.json`: the first number and the ids of the slots around the snapshot it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slots: Option<(u64, Vec<String>)>,
    /// A lock that is not far from the newest: its number and id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lock: Option<(u64, String)>,
    /// The object was deleted; its file stays, for the sake of `next`, and because it is not known
    /// whether an id can be used again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
}

/// The header, and the core's bytes after it.
pub(crate) fn seal(header: &Header, bytes: &[u8]) -> Result<Bytes, Failure> {
    let header = Header { format: FORMAT, ..header.clone() };
    let line = serde_json::to_vec(&header);
    let mut sealed = line.map_err(|_| Failure::not_drive("a header cannot be written"))?;
    sealed.push(b'\n');
    sealed.extend_from_slice(bytes);
    Ok(sealed.into())
}

/// What [`seal`] put together. Without a header that can be read, the object was damaged: then it is
/// all the core's, who knows what to do with damage.
pub(crate) fn open(sealed: Bytes) -> Result<(Option<Header>, Bytes), Failure> {
    #[derive(Deserialize)]
    struct Any {
        #[serde(rename = "db-to-cloud-google-drive")]
        format: u32,
    }
    let end = sealed.iter().position(|byte| *byte == b'\n');
    let Some(end) = end.filter(|_| sealed.starts_with(START)) else { return Ok((None, sealed)) };
    let line = sealed.get(..end).unwrap_or_default();
    let newer = serde_json::from_slice::<Any>(line).is_ok_and(|any| any.format > FORMAT);
    if newer {
        let why = "the storage is of a newer version of db-to-cloud-google-drive: update this one";
        return Err(Failure::storage(ErrorKind::NewerFormat, why));
    }
    match serde_json::from_slice(line) {
        Ok(header) => Ok((Some(header), sealed.slice(end + 1..))),
        Err(_) => Ok((None, sealed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_after_the_header_are_exactly_those_that_were_sealed() {
        let ids = BTreeMap::from([("docs/\"\n".to_owned(), "1a\n".to_owned())]);
        let header = Header { next: Some("1b".to_owned()), ids, format: 1, ..Header::default() };
        for bytes in [&b""[..], b"\n", b"{\"a\":1}\r\n\0\xff"] {
            let (opened, rest) = open(seal(&header, bytes).unwrap()).unwrap();
            assert_eq!((opened, &rest[..]), (Some(header.clone()), bytes));
        }
    }

    #[test]
    fn what_has_no_header_is_left_to_the_core() {
        for damaged in ["", "{", "{}\n{}", "{\"db-to-cloud-google-drive\":x}\n{}"] {
            let (header, rest) = open(Bytes::from(damaged)).unwrap();
            assert_eq!((header, &rest[..]), (None, damaged.as_bytes()));
        }
    }

    #[test]
    fn a_newer_format_is_refused() {
        let newer = Bytes::from("{\"db-to-cloud-google-drive\":2,\"next\":7}\n{}");
        let error = open(newer).unwrap_err().at("get", "changes/1.json");
        assert_eq!(error.kind(), ErrorKind::NewerFormat);
    }
}
