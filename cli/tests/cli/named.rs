//! What needs a look is named: in the report for scripts, and to people without `-v`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::world::World;

/// A path in the folder of device `a` with bytes that are no text.
fn odd(world: &World, name: &[u8]) -> PathBuf {
    world.path("a").join(OsStr::from_bytes(name))
}

#[test]
fn the_report_names_documents_that_were_set_aside_and_copies() {
    let world = World::new(&["a", "b"]);
    world.write("a/diary.md", "v1");
    world.sync("a");
    world.sync("b");
    world.write("a/diary.md", "by a");
    world.write("a/blocked/x.md", "1");
    world.sync("a");
    world.write("b/diary.md", "by b");
    symlink("/nowhere", world.path("b/blocked")).unwrap();
    let report = world.sync_as(3, "b", &["--json"]).report();
    assert_eq!((&report["deferred"], &report["copies_count"]), (&json!(1), &json!(1)));
    let look = &report["needs_look"][0];
    assert_eq!([&look["id"], &look["reason"]], ["blocked/x.md", "unreadable"]);
    assert!(look["detail"].as_str().unwrap().contains("symbolic link"), "{look}");
    assert_eq!(look["way"], Value::Null);
    let copy = &report["copies"][0];
    assert_eq!(copy["id"], "diary.md");
    assert_eq!(world.read(&format!("b/{}", copy["copy"].as_str().unwrap())), "by b");
    let skipped = json!([{"path": "blocked", "escaped": false, "reason": "symbolic-link",
        "detail": "a symbolic link"}]);
    assert_eq!((&report["skipped_count"], &report["skipped"]), (&json!(1), &skipped));
    assert_eq!((&report["waiting_count"], &report["waiting"]), (&json!(0), &json!([])));

    world.write("a/diary.md", "by a again");
    world.sync("a");
    world.write("b/diary.md", "by b again");
    let later = world.sync_as(3, "b", &["--json", "--on-conflict", "later"]).report();
    let conflict = later["needs_look"].as_array().unwrap().iter().find(|d| d["id"] == "diary.md");
    assert_eq!(
        [&conflict.unwrap()["reason"], &conflict.unwrap()["way"]],
        ["conflict", "--on-conflict"]
    );
}

#[test]
fn a_list_is_cut_and_the_count_is_of_all() {
    let world = World::new(&["a"]);
    fs::create_dir(odd(&world, b"d\xe9")).unwrap();
    (0..1005).for_each(|i| symlink("/nowhere", world.path(&format!("a/{i}"))).unwrap());
    fs::write(odd(&world, b"d\xe9/z"), "").unwrap();
    let report = world.sync_as(3, "a", &["--json"]).report();
    assert_eq!(report["skipped_count"], 1006);
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1000);
    assert_eq!(report["skipped"][0]["path"], r"d\xE9/z", "what needs a look comes first");
}

#[test]
fn names_that_are_no_text_are_told_and_stop_nothing() {
    let world = World::new(&["a", "b"]);
    world.write("a/good", "1");
    for name in [&b"caf\xe9"[..], b"caf\\\xe8"] {
        fs::write(odd(&world, name), "2").unwrap();
    }
    for name in [&b"d\xe9/deep"[..], b"ok/\xff"] {
        fs::create_dir_all(odd(&world, name)).unwrap();
    }
    for name in [&b"d\xe9/1"[..], b"d\xe9/2", b"d\xe9/deep/3", b"ok/\xff/1"] {
        fs::write(odd(&world, name), "3").unwrap();
    }
    let run = world.sync_as(3, "a", &[]);
    for line in [
        r"skipped: caf\xE9: its name is not UTF-8",
        r"skipped: caf\\\xE8: its name is not UTF-8",
        r"skipped: d\xE9: its name is not UTF-8: 3 files in this folder",
        r"skipped: ok/\xFF: its name is not UTF-8: 1 file in this folder",
    ] {
        assert!(run.stderr.lines().any(|told| told == line), "{line}: {run:?}");
    }
    assert_eq!(run.stderr.matches("skipped").count(), 4, "{run:?}");
    assert_eq!(run.stderr.matches("hint: rename them").count(), 1, "{run:?}");
    let report = world.sync_as(3, "a", &["--json"]).report();
    let skipped = report["skipped"].as_array().unwrap();
    let path = |s: &Value| s["path"].as_str().unwrap().to_owned();
    let mut paths: Vec<_> = skipped.iter().map(path).collect();
    paths.sort();
    let all = [r"caf\\\xE8", r"caf\xE9", r"d\xE9/1", r"d\xE9/2", r"d\xE9/deep/3", r"ok/\xFF/1"];
    assert_eq!(paths, all);
    assert!(skipped.iter().all(|s| s["escaped"] == true && s["reason"] == "not-utf8"));
    world.sync("b");
    assert_eq!(world.names("b"), ["good"]);
}

#[test]
fn links_and_pipes_are_told_with_v_only() {
    let world = World::new(&["a"]);
    world.write("a/x", "");
    symlink("x", world.path("a/link")).unwrap();
    let pipe = world.path("a/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let run = world.sync("a");
    assert!(!run.stderr.contains("skipped"), "{run:?}");
    let run = world.sync_as(0, "a", &["-v"]);
    assert_eq!(run.stderr.matches("skipped: ").count(), 2, "{run:?}");
}

/// Characters that a terminal obeys, that turn the text around them, or that nobody sees.
const DECEIVING: [&str; 12] = [
    "esc\u{1b}[2Jx",
    "line\nerror: fake",
    "rlo\u{202e}gpj.exe",
    "iso\u{2066}x\u{2069}",
    "bell\u{7}",
    "c1\u{9b}2J",
    "mark\u{200f}\u{61c}",
    "sep\u{2028}x\u{2029}",
    "zero\u{200b}\u{200d}\u{2060}",
    "bom\u{feff}",
    "tag\u{e0041}",
    "soft\u{ad}hyphen\u{fe0f}",
];

#[test]
fn no_output_has_a_name_that_deceives() {
    let world = World::new(&["a", "b"]);
    let write = |device: &str, text: &str| {
        DECEIVING.iter().for_each(|name| world.write(&format!("{device}/{name}"), text));
    };
    write("a", "1");
    world.sync("a");
    world.sync("b");
    let modes: [&[&str]; 7] = [
        &["--dry-run"],
        &["--dry-run", "--json"],
        &["-v", "--on-conflict", "later"],
        &["--on-conflict", "later"],
        &["--json", "--on-conflict", "later"],
        &["-vv"],
        &["--json"],
    ];
    for (i, mode) in modes.into_iter().enumerate() {
        write("a", &format!("by a {i}"));
        world.sync_as(0, "a", &["--on-conflict", "local"]);
        write("b", &format!("by b {i}"));
        let run = world.run(["sync", "b", "cloud"].iter().chain(mode));
        let said = run.stdout.clone() + &run.stderr;
        let raw = |c: &char| *c != '\n' && DECEIVING.iter().any(|name| name.contains(*c));
        let raw: Vec<_> =
            said.chars().filter(|c| !c.is_ascii_graphic() && *c != ' ').filter(raw).collect();
        assert!(raw.is_empty() && !said.contains("\nerror"), "{mode:?}: {raw:?} in {said}");
        assert!(said.contains("202e"), "{mode:?}: it names them: {said}");
        if mode.contains(&"--json") {
            let names = run.report().to_string();
            assert!(
                names.contains("rlo\u{202e}gpj.exe") && names.contains("tag\u{e0041}"),
                "{names}"
            );
        }
    }
}
