//! What an application says of a document beside its bytes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What an application says of a document beside its bytes, such as that a file is executable: a small
/// map of JSON values. What they mean is the application's business.
///
/// They travel with a version of the document, and are no part of its revision or its hash: a change of
/// attributes alone is no edit, and travels with the next edit.
///
/// An attribute that a [`Database`](crate::Database) does not mention is one that it does not know: its
/// edits keep the one of the version that they replace. `null` says that a document has it not. So a
/// device on a file system without permission bits does not make a private file public.
///
/// ```
/// use db_to_cloud::{Attributes, Document};
///
/// let script = Attributes::default().with("executable", true);
/// let document = Document::of_content("#!/bin/sh").with_attributes(script);
/// assert!(document.attributes.is("executable"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// The most that a version may have, in bytes of JSON. Of a document that has more none are stored, and
    /// a change that says more of a document than this is read as if it said nothing.
    pub const MOST: usize = 1024;

    /// The same with this attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// An attribute; `None` if nothing is said.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether this attribute is `true`.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    /// Whether this attribute is mentioned and not `null`.
    fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many bytes they take as JSON; 0 if there are none.
    pub(crate) fn len(&self) -> usize {
        match self.is_empty() {
            true => 0,
            false => serde_json::to_string(&self.0).map_or(usize::MAX, |json| json.len()),
        }
    }

    /// As they are stored with a version that replaces one with these: what is not mentioned is kept, and
    /// `null` is needed only where there was something else.
    pub(crate) fn upon(mut self, replaced: Option<&Self>) -> Self {
        self.0.retain(|name, value| !value.is_null() || replaced.is_some_and(|r| r.has(name)));
        let kept = replaced.into_iter().flat_map(|r| &r.0).filter(|(_, value)| !value.is_null());
        for (name, value) in kept {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self.bounded()
    }

    /// All of them or, if they are too long, none.
    fn bounded(self) -> Self {
        if self.len() > Self::MOST { Self::default() } else { self }
    }
}

impl<'de> Deserialize<'de> for Attributes {
    /// What is no map, or too long, is read as nothing: it is optional, and no reason to refuse a change.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Object(map) => Self(map.into_iter().collect()).bounded(),
            _ => Self::default(),
        })
    }
}

/// Shows how many there are, not what they say.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::format::{Change, Record};
    use crate::model::{DeferredChange, SyncedVersion};
    use serde_json::json;

    fn change(attr: &Value) -> Change {
        let change = json!({"id": "a", "rev": "1", "action": "put", "vid": "0".repeat(32),
            "base": null, "len": 5, "hash": "0".repeat(64), "body": "hello", "attr": attr});
        serde_json::from_value(change).unwrap()
    }

    #[test]
    fn they_go_with_a_version_wherever_it_is_kept() {
        let change = change(&json!({"executable": true, "mtime": [1, 2]}));
        assert!(change.attr.is("executable") && !change.attr.is("mtime"));
        let written = serde_json::to_value(&change).unwrap();
        assert_eq!(written["attr"], json!({"executable": true, "mtime": [1, 2]}));
        let record = Record::of(&change, 7);
        assert_eq!(record.clone().into_change("a".into()).attr, change.attr);
        let read: Record = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
        assert_eq!(read, record);
        let synced = SyncedVersion::of(&change, 1);
        let kept: SyncedVersion =
            serde_json::from_value(serde_json::to_value(&synced).unwrap()).unwrap();
        assert_eq!(kept.attr, change.attr);
        let contested = DeferredChange::contested(&"a".into(), &kept);
        assert_eq!(contested.change.unwrap().attr, change.attr);
    }

    #[test]
    fn a_version_without_any_is_written_as_before() {
        let change = change(&json!({}));
        for object in [
            serde_json::to_value(&change).unwrap(),
            serde_json::to_value(Record::of(&change, 7)).unwrap(),
            serde_json::to_value(SyncedVersion::of(&change, 1)).unwrap(),
        ] {
            assert!(object.get("attr").is_none(), "{object}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_map_says_nothing() {
        let long = |length: usize| json!({"a": "x".repeat(length)});
        let room = Attributes::MOST - r#"{"a":""}"#.len();
        assert_eq!(change(&long(room)).attr.len(), Attributes::MOST);
        for attr in [long(room + 1), json!(null), json!("text"), json!([1]), json!(7)] {
            assert!(change(&attr).attr.is_empty());
        }
        let document = Attributes::default().with("a", "x".repeat(room + 1));
        assert!(document.bounded().is_empty());
    }

    #[test]
    fn what_is_not_mentioned_is_kept_and_null_takes_it_away() {
        let of = |json: Value| serde_json::from_value::<Attributes>(json).unwrap();
        let cases = [
            (json!({}), json!({}), json!({})),
            (json!({}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 2}), json!({"a": 1, "b": 3}), json!({"a": 2, "b": 3})),
            (json!({"a": null}), json!({"a": 1, "b": 3}), json!({"a": null, "b": 3})),
            (json!({"a": null}), json!({}), json!({})),
            // Said once is enough.
            (json!({"a": null}), json!({"a": null}), json!({})),
            (json!({}), json!({"a": null}), json!({})),
            (json!({"a": 1}), json!({"a": null}), json!({"a": 1})),
        ];
        for (document, replaced, stored) in cases {
            let upon = of(document.clone()).upon(Some(&of(replaced.clone())));
            assert_eq!(upon, of(stored), "{document} upon {replaced}");
        }
        assert_eq!(of(json!({"a": null, "b": 1})).upon(None), of(json!({"b": 1})));
    }

    /// Rule X1.
    #[test]
    fn debug_never_shows_a_value() {
        let attributes = Attributes::default().with("tag", "secret");
        assert_eq!(format!("{attributes:?}"), "Attributes(1)");
    }
}
