//! What is read, what is newer, and what is damaged (rule S8).

use super::*;
use serde_json::json;

fn read(bytes: impl AsRef<[u8]>) -> Result<Slot, Error> {
    Slot::decode(&Key::change(1), bytes.as_ref())
}

fn entry() -> serde_json::Value {
    json!({"format": 1, "commit": "0".repeat(32), "prev": null, "changes": []})
}

#[track_caller]
fn newer(bytes: impl AsRef<[u8]>) -> String {
    let error = read(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat, "{error}");
    error.to_string()
}

/// With a field, as text that begins as this program begins its objects.
fn usual(name: &str, value: serde_json::Value) -> String {
    let text = entry().to_string();
    let rest = text.trim_start_matches('{').replace(r#""format":1,"#, "");
    let rest = rest.replace(r#","format":1"#, "");
    let object = format!(r#"{{"format":1,"{name}":{value},{rest}"#);
    assert!(object.as_bytes().starts_with(USUAL));
    object
}

#[test]
fn any_other_format_is_newer_and_no_format_is_damage() {
    let others = [json!(2), json!(0), json!(-1), json!(1_u64 << 32), json!(u64::MAX), json!(1.0)];
    let others = others.into_iter().chain([json!(2.0), json!("2"), json!("1"), json!(null)]);
    for format in others.chain([json!([1]), json!({"a": 1}), json!(true)]) {
        newer(json!({"format": format}).to_string());
    }
    for damaged in ["", "null", "[]", "{}", "{\"format\":2", "{\"format\":1}", "text", "\0\0\0\0"] {
        assert_eq!(read(damaged).unwrap_err().kind(), ErrorKind::Corrupt, "{damaged}");
    }
    read(entry().to_string()).unwrap();
    read(usual("new", json!({"unknown": true}))).unwrap();
}

#[test]
fn an_object_with_the_first_bytes_of_another_kind_is_newer() {
    for begin in [b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x5f\x2a\x4d\x18", b"DbC\x01"] {
        newer([&begin[..], b"more"].concat());
        newer(begin);
        assert_eq!(read(&begin[..3]).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    for other in [&b"\x60\x2a\x4d\x18"[..], b"\x4f\x2a\x4d\x18", b"DbC\x02", b"DbC1"] {
        assert_eq!(read(other).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn an_unknown_need_is_newer_and_no_need_is_not() {
    for needs in [json!(["packs-1"]), json!("packs-1"), json!([1]), json!({}), json!(true)] {
        newer(usual("needs", needs.clone()));
        let mut object = entry();
        object["needs"] = needs;
        newer(object.to_string());
    }
    for needs in [json!([]), json!(null)] {
        read(usual("needs", needs)).unwrap();
    }
    // No need of this object.
    read(usual("new", json!({"needs": ["packs-1"]}))).unwrap();
    // Nor is anything else of an object that needs more understood.
    newer(r#"{"format":1,"needs":["chunks-1"],"changes":{"in":"another shape"}}"#);
    // A newer format of several lines.
    newer("{\"format\":2,\"lines\":\"…\"}\n{\"id\":\"a\"}\n");
}

#[test]
fn the_message_names_what_is_needed_and_the_version_that_has_it() {
    let message = newer(r#"{"format":2}"#);
    assert!(message.contains("has format 2, this program reads format 1"), "{message}");
    assert!(message.ends_with(": install a newer version"), "{message}");
    let since = json!({"packs-1": "1.4", "zstd-1": "1.10.2", "no": "version", "seven": 7});
    let needs = json!(["packs-1", "zstd-1"]);
    let message = newer(json!({"format": 1, "needs": needs, "since": since}).to_string());
    assert!(message.contains("it needs packs-1, zstd-1, which this program lacks"), "{message}");
    assert!(message.ends_with(": install version 1.10.2 or newer"), "{message}");
}

#[test]
fn the_message_names_the_new_address_without_its_password() {
    let moved = |address: &str| {
        let since = json!({"moved-1": "1.4"});
        newer(json!({"format": 2, "since": since, "moved_to": address}).to_string())
    };
    let message = moved("https://me:secret@cloud.example/notes@home");
    let end = "the storage has moved to https://cloud.example/notes@home: sync with that one, with \
               version 1.4 or newer";
    assert!(message.ends_with(end), "{message}");
    assert!(moved("s3:bucket/notes").contains("moved to s3:bucket/notes:"));
    for hostile in ["\u{1b}[2Jhttps://a", "", "a\nb", &"x".repeat(1000)] {
        assert!(moved(hostile).ends_with(": install version 1.4 or newer"));
    }
}

#[test]
fn names_of_a_hostile_object_do_not_fill_the_terminal() {
    let needs: Vec<_> = (0..1000).map(|i| format!("\u{1b}[2J{i}{}", "x".repeat(1000))).collect();
    let message = newer(json!({"format": 1, "needs": needs}).to_string());
    assert!(message.len() < 600, "{message}");
    assert!(!message.contains('\u{1b}'));
}
