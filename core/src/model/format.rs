//! The objects in the storage, as JSON (rules S4, S5, S6, S7 and S8). Each format is documented on
//! its type.

mod about;
mod body;
mod entry;
mod head;
mod lock;
mod metadata;
mod snapshot;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use about::About;
pub use body::Body;
pub use entry::{Change, Entry, Slot, Stub};
pub(crate) use head::{START, SlotHead};
pub use lock::LockObject;
pub use metadata::ServerMetadata;
pub use snapshot::{Part, PartName, Record, Snapshot};

use crate::model::{Error, ErrorKind, Key};

/// The format this version reads and writes.
pub const FORMAT: u32 = 1;

/// No length or number in an honest object is greater; arithmetic with smaller ones cannot overflow.
pub(crate) const PLAUSIBLE: u64 = 1 << 50;

/// How an object of this format begins.
const USUAL: &[u8] = br#"{"format":1,"#;

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    format: u32,
    #[serde(flatten)]
    object: &'a T,
}

/// The JSON of an object, with its format first.
pub(crate) fn encode<T: Serialize>(key: &Key, object: &T) -> Result<Bytes, Error> {
    let json = serde_json::to_vec(&Versioned { format: FORMAT, object });
    json.map(Bytes::from)
        .map_err(|e| Error::new(ErrorKind::InvalidInput, "encode").with_key(key).with_source(e))
}

/// Reads an object. A newer format and a damaged object are different errors (rule S8).
pub(crate) fn decode<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, Error> {
    // The source is not kept: serde quotes what it met, which may be a document's content (rule
    // X1).
    let corrupt =
        |e: serde_json::Error| damaged(key, &format!("at line {} column {}", e.line(), e.column()));
    // Large objects are not read twice: what this version writes begins so.
    let format = match bytes.starts_with(USUAL) {
        true => FORMAT,
        false => serde_json::from_slice::<Version>(bytes).map_err(corrupt)?.format,
    };
    if format != FORMAT {
        return Err(Error::new(ErrorKind::NewerFormat, "read").with_key(key).with_message(format!(
            "it has format {format}, this program knows format {FORMAT}: install a version that \
             knows format {format}"
        )));
    }
    serde_json::from_slice(bytes).map_err(corrupt)
}

/// The error of an object that cannot be understood.
pub(crate) fn damaged(key: &Key, place: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "read").with_key(key).with_message(format!(
        "it is not what this program wrote ({place}): restore it from a backup of the storage, or \
         delete nothing and ask for help"
    ))
}
