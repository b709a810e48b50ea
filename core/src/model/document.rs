//! Documents, their revisions, and the changes that are made to them.

use std::fmt;

use bytes::Bytes;
use serde::de::Visitor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Attributes;

/// What the application calls one state of one document: a counter, a hash, a time stamp.
///
/// The library only asks whether two revisions of one document are equal. An edit MUST give a
/// document a revision that it did not have before on this device.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// A revision with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The SHA-256 of the bytes as a revision, for applications that keep none of their own.
    pub fn of_content(bytes: &[u8]) -> Self {
        Self(ContentHash::of(bytes).to_string())
    }

    /// The text of the revision.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Revision {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self::new(number.to_string())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A document as the application holds it: its revision and its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// The revision of these bytes.
    pub revision: Revision,
    /// The content. What it means is the application's business.
    pub bytes: Bytes,
    /// What is said of it beside, if anything.
    pub attributes: Attributes,
}

impl Document {
    /// A document with this revision and these bytes.
    pub fn new(revision: impl Into<Revision>, bytes: impl Into<Bytes>) -> Self {
        Self { revision: revision.into(), bytes: bytes.into(), attributes: Attributes::default() }
    }

    /// A document whose revision is the hash of its bytes.
    pub fn of_content(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::new(Revision::of_content(&bytes), bytes)
    }

    /// A document that holds a value as JSON.
    ///
    /// # Errors
    /// If the value has no JSON form.
    pub fn from_json<T: Serialize>(
        revision: impl Into<Revision>,
        value: &T,
    ) -> serde_json::Result<Self> {
        Ok(Self::new(revision, serde_json::to_vec(value)?))
    }

    /// The same with these attributes.
    #[must_use]
    pub fn with_attributes(self, attributes: Attributes) -> Self {
        Self { attributes, ..self }
    }

    /// The value that the bytes hold as JSON.
    ///
    /// # Errors
    /// If the bytes are not the JSON of such a value.
    pub fn to_json<T: for<'de> Deserialize<'de>>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.bytes)
    }

    /// The SHA-256 of the bytes.
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(&self.bytes)
    }
}

/// Shows the revision and the length, never the content or what is said of it.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?}, {} bytes)", self.revision, self.bytes.len())
    }
}

/// What a change does to its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The document now has these bytes.
    Put,
    /// The document is gone.
    Delete,
}

/// The SHA-256 of a document's bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first four bytes: enough where a mistake is rare and does no harm.
    pub(crate) fn mark(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The random 128-bit name of one version of one document, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId([u8; 16]);

/// The random 128-bit name of one commit, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId([u8; 16]);

/// The random 64-bit name under which one client state makes edits, written as 16 hexadecimal digits
/// (rule T1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MakerId([u8; 8]);

impl From<u64> for MakerId {
    fn from(random: u64) -> Self {
        Self(random.to_be_bytes())
    }
}

impl From<u128> for VersionId {
    fn from(random: u128) -> Self {
        Self(random.to_be_bytes())
    }
}

impl From<u128> for CommitId {
    fn from(random: u128) -> Self {
        Self(random.to_be_bytes())
    }
}

/// Hexadecimal text on the outside, an array of bytes within.
macro_rules! hexadecimal {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// Reads the hexadecimal form; `None` if it is anything else.
            pub fn parse(text: &str) -> Option<Self> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes).ok()?;
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 2 * $bytes];
                f.write_str(write_hex(&self.0, &mut digits))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                let mut digits = [0; 2 * $bytes];
                s.serialize_str(write_hex(&self.0, &mut digits))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_str(Hexadecimal::<$bytes>).map(Self)
            }
        }
    };
}

/// These bytes in hexadecimal, written into `digits`, which is twice as long. Entries and records are
/// full of such names: a text of its own for each would be a third of the work of a pull.
fn write_hex<'a>(bytes: &[u8], digits: &'a mut [u8]) -> &'a str {
    // Neither can fail: the length is right, and the digits are ASCII.
    let _ = hex::encode_to_slice(bytes, digits);
    std::str::from_utf8(digits).unwrap_or_default()
}

/// Reads the hexadecimal form of so many bytes where it stands.
struct Hexadecimal<const BYTES: usize>;

impl<const BYTES: usize> Visitor<'_> for Hexadecimal<BYTES> {
    type Value = [u8; BYTES];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BYTES} bytes in hexadecimal")
    }

    /// The error names no text: a damaged object may hold a document's content there.
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        let mut bytes = [0; BYTES];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(E::custom(format_args!("not {BYTES} bytes in hexadecimal"))),
        }
    }
}

hexadecimal!(ContentHash, 32);
hexadecimal!(VersionId, 16);
hexadecimal!(CommitId, 16);
hexadecimal!(MakerId, 8);

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule X1.
    #[test]
    fn debug_never_shows_content() {
        let document = Document::of_content("my secret");
        assert!(!format!("{document:?}").contains("secret"));
    }

    #[test]
    fn names_are_hexadecimal_and_nothing_else() {
        let vid = VersionId::from(0xabc);
        assert_eq!(VersionId::parse(&vid.to_string()), Some(vid));
        for bad in ["", "abc", "../../etc/passwd", "0000000000000000000000000000000g"] {
            assert_eq!(VersionId::parse(bad), None, "{bad}");
        }
    }
}
