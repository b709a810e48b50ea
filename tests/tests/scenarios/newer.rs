//! Objects of a newer program, such as format 2 will have them, met by this one (rule S8): it stops,
//! names what is lacking, and leaves everything as it is.

use db_to_cloud::{Error, ErrorKind};
use db_to_cloud_tests::{Device, World};
use serde_json::{Value, json};

/// What is no JSON, as a newer program writes it: compressed, with a table of frames, sealed.
const BINARY: [&[u8]; 3] = [b"\x28\xb5\x2f\xfd\x04\x00", b"\x5e\x2a\x4d\x18\0\0", b"DbC\x01\0\0"];

/// The first commit of a storage of format 2.
fn first_commit() -> Value {
    json!({"format": 2, "layout": "packed", "seed": "5eed", "needs": ["packs-1", "zstd-1"],
           "may": [], "since": {"packs-1": "1.4", "zstd-1": "1.4"}, "chunk": 20, "keep": 30})
}

/// Its sync stops with a newer format and changes nothing, here or in the storage. Uploads may have
/// begun beside the reading: nothing names them.
#[track_caller]
fn stops(world: &World, device: &Device) -> Error {
    let objects = || {
        let mut objects = world.backup();
        objects.retain(|(key, _)| !key.as_str().starts_with("docs/"));
        objects
    };
    let before = (objects(), device.all());
    let error = device.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat, "{error}");
    assert!((objects(), device.all()) == before, "something was changed");
    error
}

/// A storage with 20 commits, and so with a snapshot, and the device that made it.
fn storage() -> (World, Device) {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..20 {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    }
    (world, alice)
}

/// The entry that another device would commit next, with these fields set.
fn next_entry(world: &World, fields: Value) -> Value {
    let last = world.commits();
    let mut entry = world.json(&format!("changes/{last}.json"));
    entry["prev"] = entry["commit"].clone();
    entry["commit"] = json!("0123456789abcdef0123456789abcdef");
    entry.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    entry
}

#[test]
fn a_new_device_stops_at_a_storage_of_format_2() {
    let meta = json!({"format": 2, "layout": "packed", "needs": ["packs-1"], "head": 812});
    let objects = [("changes/1.json", first_commit()), ("meta.json", meta)];
    for which in [&objects[..], &objects[..1], &objects[1..]] {
        let world = World::new();
        for (name, object) in which {
            world.overwrite(name, object.to_string());
        }
        for text in [None, Some("new")] {
            let device = world.device("new");
            text.into_iter().for_each(|text| device.edit("note", text));
            let error = stops(&world, &device).to_string();
            assert!(error.contains("format 2") && error.contains("packs-1"), "{error}");
        }
    }
}

#[test]
fn a_known_device_stops_at_the_next_slot_idle_or_with_an_edit_and_keeps_its_queue() {
    let upgrade = json!({"format": 2, "needs": ["moved-1"], "since": {"moved-1": "1.4"},
                         "moved_to": "https://cloud.example/notes"});
    let (world, alice) = storage();
    let next = format!("changes/{}.json", world.commits() + 1);
    world.overwrite(&next, next_entry(&world, upgrade).to_string());
    let error = stops(&world, &alice).to_string();
    assert!(error.contains("moved to https://cloud.example/notes"), "{error}");
    assert!(error.contains("version 1.4 or newer"), "{error}");
    alice.edit("note", "an edit");
    stops(&world, &alice);
    world.remove(&next);
    assert_eq!(alice.sync().pushed, 1, "the edit is still queued");
}

#[test]
fn any_other_format_and_any_other_kind_of_bytes_is_newer() {
    let formats = [json!("2"), json!(2.0), json!(-1), json!(1_u64 << 32), json!(null), json!([2])];
    let (world, alice) = storage();
    let next = format!("changes/{}.json", world.commits() + 1);
    for format in formats {
        world.overwrite(&next, next_entry(&world, json!({"format": format})).to_string());
        stops(&world, &alice);
    }
    for bytes in BINARY {
        world.overwrite(&next, bytes);
        stops(&world, &alice);
    }
}

#[test]
fn an_unknown_need_stops_a_device_wherever_it_is_written() {
    let needs = |object: &mut Value| object["needs"] = json!(["later-1"]);
    let (world, alice) = storage();
    let head = world.snapshots().pop().unwrap();
    let part = world.json(&head)["parts"][0]["key"].as_str().unwrap().to_owned();
    for name in ["meta.json", &head, &part] {
        let before = world.object(name).unwrap();
        let mut object = world.json(name);
        needs(&mut object);
        world.overwrite(name, object.to_string());
        let error = stops(&world, &world.device("new")).to_string();
        assert!(error.contains("later-1") && error.contains(name), "{error}");
        for bytes in BINARY {
            world.overwrite(name, bytes);
            stops(&world, &world.device("new"));
        }
        world.overwrite(name, before);
    }
    let next = format!("changes/{}.json", world.commits() + 1);
    let entry = next_entry(&world, json!({"needs": ["later-1"]}));
    let stub = json!({"format": 1, "commit": entry["commit"], "prev": entry["prev"],
                      "snapshot": head, "needs": ["later-1"]});
    for object in [entry, stub] {
        world.overwrite(&next, object.to_string());
        stops(&world, &alice);
        // A new device has what stands before that slot.
        let new = world.device("new");
        assert_eq!(new.try_sync().unwrap_err().kind(), ErrorKind::NewerFormat);
        assert_eq!(new.read("note"), alice.read("note"));
    }
}

#[test]
fn a_hint_that_is_damaged_and_not_newer_is_ignored() {
    let (world, alice) = storage();
    for damage in ["", "{", "no JSON", "[]", r#"{"snapshot":7}"#] {
        world.overwrite("meta.json", damage);
        let new = world.device("new");
        new.sync();
        assert_eq!(new.all(), alice.all());
    }
}

#[test]
fn what_may_be_ignored_is_ignored_and_kept_in_snapshots() {
    let (world, alice) = storage();
    let next = format!("changes/{}.json", world.commits() + 1);
    world.overwrite(&next, next_entry(&world, json!({"may": ["files-mark", 7]})).to_string());
    let before = world.snapshots().len();
    for i in 0..60 {
        alice.edit("note", &format!("later {i}"));
        alice.sync();
    }
    let after = world.snapshots();
    assert!(after.len() >= before + 2, "{after:?}");
    for head in &after[before..] {
        assert_eq!(world.json(head)["may"], json!(["files-mark"]), "{head}");
    }
    assert_eq!(world.json(&after[0]).get("may"), None);
    let new = world.device("new");
    new.sync();
    assert_eq!(new.all(), alice.all());
}

#[test]
fn a_lock_of_a_newer_format_is_somebodys_and_is_broken_in_time() {
    let locks = [&br#"{"format":2}"#[..], br#"{"format":1,"needs":["later-1"]}"#, b"[7]"];
    for lock in locks.into_iter().chain(BINARY) {
        for weak in [false, true] {
            let world = if weak { World::weak() } else { World::new() };
            let alice = world.device("alice");
            let alice = alice.set_up(|b| b.with_lock(db_to_cloud::LockPolicy::Always));
            world.overwrite("lock.json", lock);
            alice.edit("note", "hello");
            let began = db_to_cloud::Environment::monotonic(&world.time);
            alice.sync();
            let took = db_to_cloud::Environment::monotonic(&world.time) - began;
            let ttl = if weak { 300 } else { 60 };
            assert!((ttl..ttl + 60).contains(&took.as_secs()), "{took:?}");
            assert_eq!(world.object("lock.json"), None);
        }
    }
}

/// Rule C1: the state of a newer program on this device.
#[test]
fn c1_a_client_state_of_a_newer_format_names_the_version_that_is_needed() {
    let (world, mut alice) = storage();
    alice.edit("note", "an edit that waits");
    let before = alice.position();
    assert_eq!(before["format"], 1);
    let versions =
        [(json!({"format": 2, "written_by": "1.4.0"}), "1.4.0"), (json!({"format": 2}), "a newer")];
    for (newer, named) in versions {
        alice.set_position(&newer);
        alice.restart();
        let durable = alice.durable();
        let error = stops(&world, &alice);
        assert!(error.to_string().contains(named), "{error}");
        assert!(alice.durable() == durable, "the state was changed");
    }
    // A state of a release that named no format.
    let mut first = before;
    first.as_object_mut().unwrap().remove("format").unwrap();
    alice.set_position(&first);
    assert_eq!(alice.sync().pushed, 1);
}

/// Optional fields that a newer program adds to a change stay with the version that they are of, also in
/// the snapshots that this program writes.
#[test]
fn s8_fields_of_a_newer_program_are_carried_through_snapshots() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for id in ["script", "note"] {
        alice.edit(id, "text");
    }
    alice.sync();
    let mut entry = world.json("changes/1.json");
    for change in entry["changes"].as_array_mut().unwrap() {
        change["mode"] = json!(493);
        change["tags"] = json!({"laptop": 7});
    }
    world.overwrite("changes/1.json", entry.to_string());
    let fields = |id: &str| {
        let head = world.json(world.snapshots().last().expect("there is a snapshot"));
        let parts = head["parts"].as_array().unwrap().iter();
        let parts = parts.map(|part| world.json(part["key"].as_str().unwrap()));
        let records: Vec<Value> =
            parts.filter_map(|part| part["documents"].get(format!("s{id}")).cloned()).collect();
        (records[0]["mode"].clone(), records[0]["tags"]["laptop"].clone())
    };
    let mut snapshots = 0;
    for i in 0..80 {
        bob.edit("other", &format!("text {i}"));
        bob.sync();
        if world.snapshots().len() > snapshots {
            assert_eq!(fields("script"), (json!(493), json!(7)), "after {i}");
            snapshots = world.snapshots().len();
        }
    }
    assert!(snapshots >= 2, "{snapshots}");
    // A version that this program writes is another one.
    bob.edit("note", "newer text");
    for i in 0..80 {
        bob.edit("other", &format!("again {i}"));
        bob.sync();
    }
    assert_eq!(fields("note"), (Value::Null, Value::Null));
    assert_eq!(fields("script"), (json!(493), json!(7)));
    let carol = world.device("carol");
    carol.sync();
    assert_eq!(carol.all(), bob.all());
}
