//! Valid JSON that is wrong (rules S5 and S7): other types, hostile values, the content of other
//! objects.

use super::*;

#[test]
fn any_object_with_json_of_another_type() {
    let story = Story::new();
    let deep = "[".repeat(100_000);
    let nested = format!("{{\"format\":1,\"changes\":{deep}");
    for key in story.representatives() {
        for json in [
            "null",
            "true",
            "0",
            "-1",
            "1e999",
            "\"\"",
            "[]",
            "{}",
            "[1]",
            "[[]]",
            &deep,
            &nested,
            r#"{"format":1}"#,
            r#"{"format":"1"}"#,
            r#"{"format":-1}"#,
            r#"{"format":1.5}"#,
            r#"{"format":0}"#,
            r#"{"format":4294967296}"#,
            r#"{"format":1,"changes":{}}"#,
            r#"{"format":1,"parts":[]}"#,
            r#"{"format":1,"documents":[]}"#,
            r#"{"format":1,"documents":{}}"#,
            r#"{"format":1,"snapshot":""}"#,
            r#"{"format":1,"snapshot":null}"#,
            r#"{"format":1,"format":1}"#,
        ] {
            story.run(&key, &json[..json.len().min(40)], |world| {
                world.overwrite(&key, json.to_owned())
            });
        }
    }
}

#[test]
fn any_object_with_the_content_of_another() {
    let story = Story::new();
    let keys = story.representatives();
    for key in &keys {
        for other in keys.iter().filter(|other| *other != key) {
            story.meet(key, &format!("the content of {other}"), |world| {
                world.overwrite(key, world.object(other).unwrap());
            });
        }
    }
}

/// All values inside a JSON value that are no array and no object, by their paths.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().for_each(|(k, v)| leaves(v, &format!("{path}/{}", escaped(k)), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{path}/{i}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn any_value_in_any_object_replaced_by_a_hostile_one() {
    let story = Story::new();
    let long = "x".repeat(3000);
    let hostile = [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0),
        json!(null),
        json!("../x"),
        json!("snapshot/../../x"),
        json!("0123456789abcdef0123456789abcde/"),
        json!(long),
        json!([]),
        json!({}),
    ];
    let keys = story.representatives().into_iter();
    for key in keys.filter(|key| !key.starts_with("docs") && key != "changes/1.json") {
        let whole: Value = serde_json::from_slice(&story.world.object(&key).unwrap()).unwrap();
        let mut paths = Vec::new();
        leaves(&whole, "", &mut paths);
        // A part holds much that is alike.
        paths.retain(|path| {
            !path.contains("/documents/") || path.contains("/sa/") || path.contains("/sgone/")
        });
        for path in paths {
            for value in hostile.iter() {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&path).unwrap() = value.clone();
                let text = value.to_string();
                let damage = format!("{path} = {}", &text[..text.len().min(40)]);
                story.meet(&key, &damage, |world| world.overwrite(&key, damaged.to_string()));
            }
        }
    }
}

#[test]
fn a_hint_to_a_hostile_snapshot() {
    let story = Story::new();
    let whole = story.world.json(&story.world.snapshots()[0]);
    let seqs = [json!(u64::MAX), json!(u64::MAX - 1), json!(1_u64 << 53), json!(0), json!(1000)];
    for seq in seqs {
        let mut head = whole.clone();
        head["seq"] = seq.clone();
        let key = format!("snapshot/{seq}.0123456789abcdef0123456789abcdef.json");
        story.run("meta.json", &format!("a snapshot after entry {seq}"), |world| {
            world.overwrite(&key, head.to_string());
            world.overwrite("meta.json", json!({"format": 1, "snapshot": key}).to_string());
        });
    }
}

/// Rule S7.
#[test]
fn a_part_that_lost_a_document_deletes_none() {
    let story = Story::new();
    let parts = story.world.keys("snapshot");
    let part = parts.iter().find(|key| key.split('.').count() == 4).unwrap();
    let ids: Vec<_> =
        story.world.json(part)["documents"].as_object().unwrap().keys().cloned().collect();
    for id in ids {
        story.run(part, &format!("without {id}"), |world| {
            let mut content = world.json(part);
            content["documents"].as_object_mut().unwrap().remove(&id);
            world.overwrite(part, content.to_string());
        });
    }
}
