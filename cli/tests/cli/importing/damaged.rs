//! Old storages that are not whole: what is missing is named, and the rest is imported.

use super::{documents, expected, import, state_of, world};

#[test]
fn a_document_that_is_missing_or_damaged_is_named_and_the_rest_is_imported() {
    let world = world();
    world.remove("old/docs/note.json");
    world.write("old/docs/7.json", r#"{"doc":{"secret":"hunter2"#);
    world.write("old/docs/7a.json", r#"{"secret":"hunter2"}"#);
    world.remove("old/docs/back.json");
    std::fs::create_dir(world.path("old/docs/back.json")).unwrap();
    let before = state_of(&world.path("old"));
    let run = import(&world, 3, "old", &[]);
    for line in [
        "not imported: note: cannot be read: its file docs/note.json is missing in the old storage",
        "not imported: 7: cannot be read: its file docs/7.json is damaged: it ends too early",
        "not imported: 7a: cannot be read: its file docs/7a.json is damaged: it is not what",
        "not imported: back: cannot be read: ",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run:?}");
    }
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    assert!(run.stdout.starts_with("imported: 8 of 12 documents, 0 were there, 4 to"), "{run:?}");
    let mut rest = expected();
    rest.retain(|id, _| !["\"note\"", "7", "\"7a\"", "\"back\""].contains(&id.as_str()));
    assert_eq!(documents(&world), rest);
    assert_eq!(state_of(&world.path("old")), before);
}

/// A device was stopped in a push: it writes the documents first, then the log, then `meta.json`.
#[test]
fn a_push_that_was_stopped_is_seen() {
    let world = world();
    world.write("old/docs/unnamed.json", r#"{"doc":"unnamed","_rev":1}"#);
    world.write("old/docs/gone.json", r#"{"doc":"again","_rev":3}"#);
    world.write("old/docs/8.json", r#"{"doc":8,"_rev":1}"#);
    world.write("old/docs/.hidden", "");
    world.write("old/docs/photo.jpg", "");
    let changes = world.read("old/changes/1.json");
    let more = r#",{"_id":8,"_rev":1,"action":"put"},{"_id":"back","_rev":9,"action":"delete"}]"#;
    world.write("old/changes/1.json", changes.replace(']', more));
    let run = import(&world, 3, "old", &[]);
    let lines: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("not ")).collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    for (file, why) in [
        ("gone", "the log says that it was deleted, but its file is there again"),
        ("unnamed", "the log does not name this file: imported, with its file name as its id"),
        ("photo", "this is no document's file"),
    ] {
        let line = lines.iter().find(|line| line.contains(&format!("docs/{file}.")));
        assert!(line.unwrap().contains(why), "{run:?}");
    }
    let mut all = expected();
    all.insert("\"unnamed\"".into(), ("1".into(), "\"unnamed\"".into()));
    // Its record does not count yet, but says that the id is a number. The file of `back` is there.
    all.insert("8".into(), ("1".into(), "8".into()));
    assert_eq!(documents(&world), all);
}

/// Without the log nothing says which ids were numbers, so each of them is named.
#[test]
fn a_damaged_log_loses_no_document() {
    let world = world();
    world.write("old/changes/0.json", "[{\"_id\":");
    world.write("old/meta.json", "{\"lastCha");
    let run = import(&world, 3, "old", &["-v"]);
    assert!(run.stderr.contains("changes/0.json: it ends too early (line 1"), "{run:?}");
    assert!(run.stderr.contains("meta.json: it ends too early (line 1"), "{run:?}");
    assert_eq!(documents(&world).len(), 12);
    assert_eq!(documents(&world)["\"7\""].1, r#"{"_id":7,"text":"a number"}"#);
    let unnamed = run.stderr.matches("the log does not name this file").count();
    assert_eq!(unnamed, 7, "the second file of the log names the others: {run:?}");

    world.remove("old/changes/0.json");
    world.write("old/meta.json", "{\"lastChange\":107}");
    let run = import(&world, 3, "old", &[]);
    assert!(run.stderr.contains("changes/0.json: it is missing"), "{run:?}");
    world.write("old/meta.json", "{\"lastChange\":900719925474099}");
    import(&world, 3, "old", &[]);
    world.remove("old/meta.json");
    let run = import(&world, 3, "old", &[]);
    assert!(run.stderr.contains("meta.json: it is missing: a device was stopped in"), "{run:?}");
}

/// The package keeps `1` and `"1"` in one file, and would follow an id out of its folder.
#[test]
fn ids_that_have_no_file_of_their_own_are_named() {
    let world = world();
    world.write("secret.json", r#"{"doc":"hunter2"}"#);
    world.write(
        "old/changes/1.json",
        r#"[{"_id":"7","action":"put"},{"_id":"../../secret","action":"put"},{"action":"put"},5,
            {"_id":1e21,"action":"put"},{"_id":"note","action":"put"},{"_id":1.5,"action":"put"}]"#,
    );
    let run = import(&world, 3, "old", &[]);
    for line in [
        "not as it was: 7: its file docs/7.json was overwritten or deleted for another id, \"7\"",
        "not as it was: ../../secret: its file would lie outside of the storage",
        "not as it was: changes/1.json, record 2: ",
        "not as it was: changes/1.json, record 3: ",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run:?}");
    }
    let documents = documents(&world);
    assert!(documents.contains_key("\"7\"") && !documents.contains_key("7"), "{documents:?}");
    assert!(!format!("{documents:?}").contains("hunter2"));
}
