//! What people and scripts get to see.

use serde_json::Value;

use crate::world::World;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn two_with_a_change() -> World {
    let world = World::new(&["a", "b"]);
    for name in ["edited", "deleted", "edited by both", "still"] {
        world.write(&format!("a/{name}"), name);
    }
    world.sync("a");
    world.sync("b");
    world.write("a/new", "new");
    world.write("a/edited by both", "a");
    world.sync("a");
    world.write("b/edited by both", "b");
    world.write("b/edited", "edit");
    world.remove("b/deleted");
    world
}

#[test]
fn the_report_has_exactly_the_promised_keys() {
    let world = two_with_a_change();
    let run = world.sync_as(3, "b", &["--json"]);
    assert_eq!(run.stdout.lines().count(), 1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let promised = [
        "bytes_down",
        "bytes_up",
        "conflicts",
        "copies",
        "copies_count",
        "deferred",
        "deleted",
        "elapsed_ms",
        "excluded",
        "given_up",
        "missing",
        "needs_look",
        "new_storage",
        "pulled",
        "pushed",
        "put_again",
        "requests",
        "skipped",
        "skipped_count",
        "storage",
        "version",
        "waiting",
        "waiting_count",
        "ways",
    ];
    assert_eq!(keys(&report), promised);
    assert_eq!(keys(&report["requests"]), ["create", "delete", "get", "list", "put"]);
    assert_eq!(report["version"], 3);
    assert_eq!(report["pulled"], 2, "the new one and the other version of the conflict");
    assert_eq!(report["pushed"], 3, "an edit, a delete and the copy");
    assert_eq!((&report["conflicts"], &report["deferred"]), (&1.into(), &0.into()));
    assert!(run.stdout.starts_with(r#"{"version":3,"pulled":2,"#), "in the promised order");
    assert!(run.stderr.contains("kept both"), "people read the other stream");
}

/// What a sync of `a` that is refused prints for scripts.
#[track_caller]
fn refusal(world: &World, more: &[&str]) -> Value {
    let run = world.run(["sync", "a", "cloud", "--json"].iter().chain(more));
    assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("error: "), "people read the other stream: {run:?}");
    let refusal: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(refusal["exit"], run.code.unwrap(), "{run:?}");
    assert!(run.stderr.contains(refusal["message"].as_str().unwrap()), "{run:?}");
    for way in refusal["ways"].as_array().unwrap() {
        assert!(run.stderr.contains(way.as_str().unwrap()), "{run:?}");
    }
    refusal
}

#[test]
fn a_refusal_is_an_object_with_a_code_and_the_ways_on() {
    type Fate = fn(&World);
    let emptied: Fate = |world| {
        std::fs::remove_dir_all(world.path("cloud")).unwrap();
        std::fs::create_dir(world.path("cloud")).unwrap();
    };
    let log_lost: Fate = |world| std::fs::remove_dir_all(world.path("cloud/changes")).unwrap();
    let rolled_back: Fate =
        |world| std::fs::remove_file(world.path("cloud/changes/2.json")).unwrap();
    let gone: Fate = |world| std::fs::remove_dir_all(world.path("cloud")).unwrap();
    let damaged: Fate = |world| world.write("cloud/changes/3.json", "{");
    let deleted: Fate = |world| {
        world.names("a").iter().for_each(|name| world.remove(&format!("a/{name}")));
    };
    let cases: [(&str, u8, &[&str], Fate); 6] = [
        ("emptied", 4, &["--put-back"], emptied),
        ("log-lost", 4, &["--put-back"], log_lost),
        ("rolled-back", 4, &["--put-back", "--start-over"], rolled_back),
        ("no-storage", 1, &[], gone),
        ("corrupt", 1, &["repair"], damaged),
        ("too-many-deletes", 1, &["--accept-deletes"], deleted),
    ];
    for (code, exit, ways, fate) in cases {
        let world = two_with_a_change();
        fate(&world);
        let refusal = refusal(&world, &[]);
        assert_eq!(keys(&refusal), ["code", "exit", "message", "ways"]);
        assert_eq!((&refusal["code"], &refusal["exit"]), (&code.into(), &exit.into()));
        assert_eq!(refusal["ways"], serde_json::json!(ways), "{code}");
    }
}

#[test]
fn a_refusal_of_a_watch_is_its_last_line() {
    let world = two_with_a_change();
    std::fs::remove_dir_all(world.path("cloud/changes")).unwrap();
    let refusal = refusal(&world, &["--watch"]);
    assert_eq!(keys(&refusal), ["code", "event", "exit", "message", "time", "ways"]);
    assert_eq!((&refusal["event"], &refusal["code"]), (&"failed".into(), &"log-lost".into()));
    let run = world.run(["status", "a", "missing/cloud", "--json"]);
    assert_eq!((run.code, &run.report()["code"]), (Some(1), &Value::from("no-storage")));
    let run = world.run(["sync", "a", "a/inner", "--json"]);
    assert_eq!((run.code, &run.report()["code"]), (Some(2), &Value::from("usage")));
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let world = two_with_a_change();
    let before = world.tree(".");
    let run = world.sync_as(0, "b", &["--dry-run"]);
    let lines: Vec<_> = run.stdout.lines().collect();
    let told = [
        "pull          new",
        "push          edited",
        "delete there  deleted",
        "conflict      edited by both",
        "nothing was changed; a sync would: pull 1, delete here 0, push 1, delete there 1, conflict 1",
    ];
    assert_eq!(lines, told);
    let run = world.sync_as(0, "b", &["--dry-run", "--json"]);
    let preview: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(keys(&preview), ["conflicts", "delete", "excluded", "pull", "push", "push_deletes"]);
    assert_eq!(preview["pull"], serde_json::json!(["new"]));
    assert_eq!(world.tree("."), before);

    let run = world.run(["sync", "a", "another cloud", "--dry-run"]);
    assert!(run.stdout.contains("push 5,"), "{run:?}");
    assert_eq!(world.tree("."), before, "no storage was made");
    assert!(!world.exists("another cloud"));
    world.sync_as(3, "b", &[]);
}

#[test]
fn status_tells_where_both_sides_stand() {
    let world = two_with_a_change();
    let before = world.tree(".");
    let run = world.run(["status", "b", "cloud", "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let status: Value = serde_json::from_str(&run.stdout).unwrap();
    let promised = [
        "behind",
        "conflicts",
        "database",
        "delete",
        "documents",
        "excluded",
        "exists",
        "lock",
        "pending",
        "pull",
        "push",
        "push_deletes",
        "remaining_risk",
        "remote",
        "selection",
        "synced",
        "unsettled",
        "version",
    ];
    assert_eq!(keys(&status), promised);
    assert_eq!(status["version"], 1);
    assert_eq!(status["documents"], 4);
    assert_eq!(status["behind"], true);
    assert_eq!(status["remote"], world.path("cloud").display().to_string());
    let counts = ["pull", "delete", "push", "push_deletes", "conflicts"].map(|k| &status[k]);
    assert_eq!(counts, [1, 0, 1, 1, 1]);
    assert_eq!(status["lock"], Value::Null);
    assert_eq!(status["remaining_risk"], Value::Null);
    let run = world.run(["status", "b", "cloud"]);
    assert!(run.stdout.contains("4 documents at the last sync; since then 2 edited or new, 1 del"));
    assert!(run.stdout.contains("lock       free"), "{run:?}");
    let run = world.run(["status", "b", "new cloud"]);
    assert!(run.stdout.contains("(no storage yet)"), "{run:?}");
    assert!(run.stdout.contains("last sync  never"), "{run:?}");
    assert_eq!(world.tree("."), before);
}

#[test]
fn a_lock_is_shown_and_broken() {
    let world = two_with_a_change();
    let run = world.run(["unlock", "cloud"]);
    assert_eq!((run.code, &*run.stdout), (Some(0), "not locked\n"));
    let lock = r#"{"format":1,"owner":"lost \u001b[31m laptop",
        "nonce":"00112233445566778899aabbccddeeff","ttl":60,"time":1795408011000}"#;
    world.write("cloud/lock.json", lock);

    let run = world.run(["unlock", "cloud"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("locked: held by \"lost "), "{run:?}");
    assert!(run.stdout.contains("since 2026-11-23T04:26:51.000Z"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "names cannot command the terminal");
    assert!(run.stderr.contains("--force"), "{run:?}");
    assert!(world.exists("cloud/lock.json"));
    let status = world.run(["status", "a", "cloud", "--json"]).stdout;
    assert!(status.contains(r#""since":"2026-11-23T04:26:51.000Z","ttl":60"#), "{status}");

    let run = world.run(["unlock", "cloud", "--force"]);
    assert!(run.stdout.starts_with("unlocked: "), "{run:?}");
    assert!(!world.exists("cloud/lock.json"));
    for nothing in ["missing", "a"] {
        let before = world.tree(".");
        let run = world.run(["unlock", nothing, "--force"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("no storage"), "{run:?}");
        assert_eq!(world.tree("."), before);
        assert!(!world.exists("missing") && !world.exists("a/changes"));
    }
}

#[test]
fn verbose_tells_each_document_and_very_verbose_each_step() {
    let world = two_with_a_change();
    std::os::unix::fs::symlink("x", world.path("b/link")).unwrap();
    let quiet = world.sync("a").stderr;
    assert_eq!(quiet, "");
    let run = world.sync_as(3, "b", &["-v"]);
    for line in ["pulled new\n", "uploaded edited\n", "conflict edited by both\n"] {
        assert!(run.stderr.contains(line), "{run:?}");
    }
    assert!(run.stderr.contains("skipped: link: a symbolic link\n"), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 1);
    world.write("b/more", "more");
    let run = world.run(["-vv", "sync", "b", "cloud"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn one_sync_at_a_time_on_one_database() {
    let world = World::new(&["a"]);
    world.write("a/x", "x");
    world.sync("a");
    let locks = std::fs::read_dir(world.path("a/.db-to-cloud")).unwrap();
    let lock = locks
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("-lock-"))
        .unwrap();
    let held = std::fs::File::open(lock).unwrap();
    held.lock().unwrap();
    let run = world.sync_as(1, "a", &[]);
    assert!(run.stderr.contains("hint: another sync of this database"), "{run:?}");
    drop(held);
    world.sync("a");
}
