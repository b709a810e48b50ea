//! Any damage to any one object of the storage, met by a new device, by one far behind and by one at
//! the head: an error that names the object or recovery, and no document lost or changed.

use std::sync::OnceLock;

use bytes::Bytes;
use db_to_cloud::Key;
use db_to_cloud_tests::fuzz::store::{self, Documents, Met, Who};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::cases;

fn who() -> impl Strategy<Value = Who> {
    select(&Who::ALL[..])
}

/// An object that is there, and its bytes.
fn object() -> impl Strategy<Value = (Key, Bytes)> {
    let there = store::keys().iter().filter_map(|key| Some((key.clone(), store::healthy(key)?)));
    select(there.map(|(key, bytes)| (key, bytes.clone())).collect::<Vec<_>>())
}

/// Any key, there or not.
fn key() -> impl Strategy<Value = Key> {
    select(store::keys())
}

/// What the device has in the end when nothing is damaged.
fn usual_end(who: Who) -> &'static Documents {
    static ENDS: [OnceLock<Documents>; 3] = [const { OnceLock::new() }; 3];
    ENDS[who as usize].get_or_init(|| {
        let key = Key::metadata();
        store::meet(who, &key, store::healthy(&key).unwrap().clone()).mended
    })
}

/// For damage that cannot be taken for a document: every text was a version of that very document,
/// none is gone that should be there, and in the end all is as if nothing had been.
#[track_caller]
fn assert_unharmed(who: Who, met: &Met) {
    let end = usual_end(who);
    for (id, text) in &met.damaged {
        let known = store::versions().get(id).is_some_and(|versions| versions.contains(text));
        assert!(known, "nobody ever wrote {text:.40?} into {id:?}");
    }
    for id in met.before.keys().filter(|id| end.contains_key(id)) {
        assert!(met.damaged.contains_key(id), "{id:?} is lost");
    }
    assert_eq!(&met.mended, end);
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn an_object_cut_at_any_byte_harms_no_document(
        who in who(), (key, bytes) in object(), at in any::<Index>(),
    ) {
        let met = store::meet(who, &key, bytes.slice(..at.index(bytes.len())));
        assert_unharmed(who, &met);
    }

    #[test]
    fn an_object_with_zeros_in_any_place_harms_no_document(
        who in who(), (key, bytes) in object(), from in any::<Index>(), length in 1..3000_usize,
    ) {
        let mut content = bytes.to_vec();
        let from = from.index(content.len());
        content.iter_mut().skip(from).take(length).for_each(|byte| *byte = 0);
        assert_unharmed(who, &store::meet(who, &key, content.into()));
    }

    #[test]
    fn random_bytes_in_any_place_of_the_storage_harm_no_document(
        who in who(), key in key(), content in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        assert_unharmed(who, &store::meet(who, &key, content.into()));
    }

    #[test]
    fn random_json_in_any_place_of_the_storage_harms_no_document(
        who in who(), key in key(), content in any_json(),
    ) {
        assert_unharmed(who, &store::meet(who, &key, content.to_string().into()));
    }

    /// Documents and parts of snapshots are named with their hash.
    #[test]
    fn a_changed_byte_of_a_document_or_of_a_part_harms_no_document(
        who in who(), (key, bytes) in object(), at in any::<Index>(), byte in any::<u8>(),
    ) {
        prop_assume!(is_hashed(&key));
        let mut content = bytes.to_vec();
        content[at.index(bytes.len())] = byte;
        assert_unharmed(who, &store::meet(who, &key, content.into()));
    }

    /// Entries and heads hold no hash of themselves, so that a changed value may be a legal one: what
    /// is not pushed yet is safe whatever they say.
    #[test]
    fn a_changed_value_of_any_object_harms_no_edit(
        who in who(), (key, bytes) in object(), at in any::<Index>(), harm in harm(),
    ) {
        if let Ok(json) = serde_json::from_slice(&bytes) {
            let met = store::meet(who, &key, harmed(json, at, &harm).into());
            if is_hashed(&key) || key == Key::metadata() {
                assert_unharmed(who, &met);
            }
        }
    }
}

fn is_hashed(key: &Key) -> bool {
    key.as_str().starts_with("docs/") || key.as_str().split('.').count() == 4
}

/// What is done to one value of an object.
#[derive(Clone, Debug)]
enum Harm {
    Replaced(Value),
    Removed,
    /// Given twice, the second time like this.
    Doubled(Value),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => hostile().prop_map(Harm::Replaced),
        1 => Just(Harm::Removed),
        1 => hostile().prop_map(Harm::Doubled),
    ]
}

/// Values that somebody may have forgotten to think of.
fn hostile() -> impl Strategy<Value = Value> {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1_u64 << 50),
        json!(""),
        json!("../../etc/passwd"),
        json!("/etc/passwd"),
        json!("a\0b"),
        json!("con.txt"),
        json!("x".repeat(10_000)),
        json!("\u{430}"),
        json!("e\u{301}"),
        json!("snapshot/../meta.json"),
        json!("0".repeat(32)),
        json!("f".repeat(64)),
        json!("delete"),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"base64": "%"}),
        deep,
    ])
}

fn any_json() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] =
        &["format", "commit", "prev", "changes", "snapshot", "parts", "documents", "id"];
    hostile().prop_recursive(4, 32, 6, |inner| {
        let name = select(NAMES).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6).prop_map(|map| {
                let mut object = json!({"format": 1});
                object.as_object_mut().unwrap().extend(map);
                object
            }),
        ]
    })
}

/// The object as text, with one of its values harmed.
fn harmed(mut object: Value, at: Index, harm: &Harm) -> String {
    const MARK: &str = "(the second value)";
    let mut paths = Vec::new();
    values(&object, String::new(), &mut paths);
    let path = &paths[at.index(paths.len())];
    let (parent, name) = path.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match (harm, object.pointer_mut(parent).unwrap()) {
        (Harm::Replaced(value), Value::Object(map)) => drop(map.insert(name, value.clone())),
        (Harm::Replaced(value), Value::Array(list)) => {
            list[name.parse::<usize>().unwrap()] = value.clone();
        }
        (Harm::Removed, Value::Object(map)) => drop(map.remove(&name)),
        (_, Value::Array(list)) => drop(list.remove(name.parse().unwrap())),
        (Harm::Doubled(value), Value::Object(map)) => {
            map.insert(MARK.to_owned(), value.clone());
            let doubled = json!(name).to_string();
            return object.to_string().replace(&json!(MARK).to_string(), &doubled);
        }
        _ => {}
    }
    object.to_string()
}

/// The paths of all values inside a value.
fn values(value: &Value, path: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().map(|(key, value)| (escaped(key), value)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let path = format!("{path}/{name}");
        values(child, path.clone(), found);
        found.push(path);
    }
}
