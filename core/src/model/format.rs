//! The objects in the storage, as JSON (rules S4, S5, S6, S7 and S8). Each format is documented on
//! its type.

mod about;
mod body;
mod entry;
mod head;
mod joined;
mod lock;
mod metadata;
mod newer;
mod others;
mod snapshot;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use memchr::memmem;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use about::About;
pub use body::Body;
pub use entry::{Change, Entry, Slot, Stub};
pub(crate) use head::{START, SlotHead};
pub use joined::Break;
pub use lock::LockObject;
pub use metadata::ServerMetadata;
pub use others::OtherFields;
pub use snapshot::{Part, PartName, Record, Snapshot};

use crate::model::{Error, ErrorKind, Key};

/// The format this version reads and writes.
pub const FORMAT: u32 = 1;

/// No length or number in an honest object is greater; arithmetic with smaller ones cannot overflow.
pub(crate) const PLAUSIBLE: u64 = 1 << 50;

/// How an object of this format begins.
const USUAL: &[u8] = br#"{"format":1,"#;
/// What an object holds somewhere if it names features that a reader must have. In the text of a
/// document the quotes are escaped.
const NEEDS: &[u8] = br#""needs""#;

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
    newer::check_first_bytes(key, bytes)?;
    // Large objects are not read twice: what this version writes begins so, and needs nothing.
    if !bytes.starts_with(USUAL) || memmem::find(bytes, NEEDS).is_some() {
        newer::Header::read(bytes).map_err(corrupt)?.check(key)?;
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
