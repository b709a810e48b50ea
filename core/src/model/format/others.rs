//! Fields of a newer program in the change or the record of a document (rule S8).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Fields that this program does not know. It keeps them from the change of a version to the record of that
/// version in a snapshot, so that a newer program may add what is optional.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OtherFields(Map<String, Value>);

/// The most that is kept of one document, in bytes of JSON. Longer fields are left out, all of them.
const MOST: usize = 4096;

/// The fields of changes and records. A field that only the other one of the two has is not kept: there it
/// would stand twice.
const KNOWN: [&str; 11] =
    ["id", "rev", "action", "vid", "base", "len", "hash", "body", "seen", "attr", "deleted"];

impl OtherFields {
    /// How many bytes they take in an object.
    pub(crate) fn len(&self) -> usize {
        match self.0.is_empty() {
            true => 0,
            false => serde_json::to_string(&self.0).map_or(0, |json| json.len()),
        }
    }
}

impl<'de> Deserialize<'de> for OtherFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Self(Map::deserialize(deserializer)?);
        KNOWN.iter().for_each(|name| drop(fields.0.remove(*name)));
        Ok(if fields.len() > MOST { Self::default() } else { fields })
    }
}

/// Shows how many there are, not what they say.
impl std::fmt::Debug for OtherFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OtherFields({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::format::{Change, Record};
    use serde_json::json;

    fn change(others: Value) -> Change {
        let mut change = json!({"id": "a", "rev": "1", "action": "put", "vid": "0".repeat(32),
            "base": "1".repeat(32), "len": 5, "hash": "0".repeat(64), "body": "hello", "attr": {"executable": true}});
        change.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        serde_json::from_value(change).unwrap()
    }

    fn names(object: &impl Serialize) -> Vec<String> {
        let object = serde_json::to_value(object).unwrap();
        object.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn a_field_of_a_newer_program_goes_with_its_version() {
        let others = json!({"mode": 493, "tags": {"laptop": [1, null]}});
        let record = Record::of(&change(others), 7);
        let read: Record = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
        assert_eq!(read, record);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!((&written["mode"], &written["tags"]["laptop"][0]), (&json!(493), &json!(1)));
        let change = serde_json::to_value(read.into_change("a".into())).unwrap();
        assert_eq!(change["mode"], json!(493));
    }

    #[test]
    fn no_field_stands_twice() {
        let deleted = Record { deleted: Some(3), ..Record::of(&change(json!({})), 7) };
        for known in [names(&change(json!({}))), names(&deleted)].concat() {
            assert!(KNOWN.contains(&known.as_str()), "{known} is not in the list");
        }
        let record = Record::of(&change(json!({"deleted": "something else"})), 7);
        let text = serde_json::to_string(&Record { deleted: Some(3), ..record }).unwrap();
        assert_eq!(text.matches("deleted").count(), 1);
        assert!(serde_json::from_str::<Record>(&text).is_ok());
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        for (length, kept) in [(MOST - 12, true), (MOST, false)] {
            let change = change(json!({"long": "x".repeat(length)}));
            assert_eq!(change.other.len() > 0, kept, "{length}");
            assert!(!format!("{change:?}").contains("xxx"));
        }
    }
}
