//! What names a document.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::Number;

/// The id of a document: any string, or any number that JSON can hold.
///
/// - `1` and `"1"` are different documents.
/// - `1` and `1.0` are the same document, as they are in JSON.
/// - The empty string is a legal id; an id need not be a legal file name.
///
/// ```
/// use db_to_cloud::DocumentId;
/// assert_ne!(DocumentId::from(1), DocumentId::from("1"));
/// assert_eq!(DocumentId::from(1), serde_json::from_str("1.0").unwrap());
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentId(Repr);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Repr {
    Text(String),
    Number(#[serde(deserialize_with = "canonical_number")] Number),
}

/// Integers up to 2^53 that were written as floating point (`1.0`) become integers (`1`).
fn canonical(number: Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            Number::from(float as i64)
        }
        _ => number,
    }
}

fn canonical_number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Number, D::Error> {
    Number::deserialize(d).map(canonical)
}

impl DocumentId {
    /// The id as text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Number(_) => None,
        }
    }

    /// The id as a number, if it is one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.0 {
            Repr::Text(_) => None,
            Repr::Number(number) => Some(number),
        }
    }

    /// A string that no other id has: `s` and the text, or `n` and the digits. It orders the
    /// parts of a snapshot and names the records of the client state.
    pub fn to_key(&self) -> String {
        match &self.0 {
            Repr::Text(text) => ["s", text].concat(),
            Repr::Number(number) => format!("n{number}"),
        }
    }

    /// The reverse of [`DocumentId::to_key`]; `None` if the text is no such key.
    pub fn from_key(key: &str) -> Option<Self> {
        if let Some(text) = key.strip_prefix('s') {
            return Some(Self::from(text));
        }
        let number = key.strip_prefix('n')?.parse::<Number>().ok()?;
        Some(Self(Repr::Number(canonical(number))))
    }
}

impl From<&str> for DocumentId {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.to_owned()))
    }
}

impl From<String> for DocumentId {
    fn from(text: String) -> Self {
        Self(Repr::Text(text))
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for DocumentId {
            fn from(number: $integer) -> Self {
                Self(Repr::Number(Number::from(number)))
            }
        }
    )*};
}
from_integer!(i32 i64 u32 u64);

impl From<Number> for DocumentId {
    fn from(number: Number) -> Self {
        Self(Repr::Number(canonical(number)))
    }
}

impl PartialEq for DocumentId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DocumentId {}

impl PartialOrd for DocumentId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DocumentId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Text(a), Repr::Text(b)) => a.cmp(b),
            _ => self.to_key().cmp(&other.to_key()),
        }
    }
}

impl Hash for DocumentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Text(text) => (b's', text).hash(state),
            Repr::Number(number) => (b'n', number.to_string()).hash(state),
        }
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => write!(f, "{text}"),
            Repr::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => write!(f, "{text:?}"),
            Repr::Number(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_digits_are_two_documents() {
        assert_ne!(DocumentId::from(7), DocumentId::from("7"));
        assert_ne!(DocumentId::from(7).to_key(), DocumentId::from("7").to_key());
    }

    #[test]
    fn every_id_comes_back_from_its_key_and_from_json() {
        let numbers =
            ["0", "-3", "1.5", "18446744073709551615", "1e300", "10e31", "-9.085716445501721e246"];
        let ids = ["", "a", "ns", "s", "日本", "a/b\\c\0"].map(DocumentId::from);
        let numbers = numbers.map(|n| serde_json::from_str::<DocumentId>(n).unwrap());
        for id in ids.into_iter().chain(numbers) {
            assert_eq!(DocumentId::from_key(&id.to_key()), Some(id.clone()));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<DocumentId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn a_whole_float_is_the_integer() {
        let float: DocumentId = serde_json::from_str("2.0").unwrap();
        assert_eq!(float, DocumentId::from(2));
        assert_eq!(float.to_key(), "n2");
    }
}
