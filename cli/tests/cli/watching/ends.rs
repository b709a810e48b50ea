//! How a watch ends, and what does not end it.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::watcher::{Watcher, until};
use crate::world::World;

fn with_documents(count: usize) -> World {
    let world = World::new(&["a", "b"]);
    (0..count).for_each(|i| world.write(&format!("a/{i}"), format!("document {i}")));
    world
}

#[test]
fn a_signal_ends_it_well() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let world = with_documents(3);
        let mut a = Watcher::start(&world, "a", &[]);
        let began = Instant::now();
        a.signal(signal);
        assert_eq!(a.end(), Some(0), "{signal:?}: {}", a.told());
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(a.told(), "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_outlives_its_terminal_if_it_was_started_so() {
    let world = with_documents(3);
    let binary = env!("CARGO_BIN_EXE_db-to-cloud");
    let line = format!("trap '' HUP; exec {binary} sync a cloud --watch --json");
    let mut shell = Command::new("sh");
    let mut a = Watcher::run(shell.args(["-c", &line]).current_dir(world.path(".")));
    until("a first sync", || a.sum("pushed") == 3);
    a.signal(Signal::HUP);
    world.write("a/after", "text");
    until("an edit after the signal", || a.sum("pushed") == 4);
    a.signal(Signal::TERM);
    assert_eq!(a.end(), Some(0), "{}", a.told());
}

#[test]
fn a_signal_in_the_middle_of_a_sync_loses_nothing() {
    let world = with_documents(2000);
    let mut a = Watcher::launch(&world, "a", &[]);
    until("the first uploads", || {
        fs::read_dir(world.path("cloud/docs")).is_ok_and(|docs| docs.count() > 50)
    });
    a.signal(Signal::TERM);
    // The sync came to its end, or it was cut short.
    let code = a.end();
    match a.lines().len() {
        0 => assert_eq!(code, Some(130), "{}", a.told()),
        _ => assert_eq!(code, Some(0), "{}", a.told()),
    }
    world.sync("a");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn a_storage_that_is_away_is_told_once_and_waited_for() {
    let world = with_documents(3);
    let mut a = Watcher::start(&world, "a", &[]);
    fs::rename(world.path("cloud"), world.path("away")).unwrap();
    world.write("a/while away", "text");
    until("it is told", || a.count("cannot sync now") == 1);
    std::thread::sleep(Duration::from_secs(12));
    world.write("a/while away, too", "text");
    fs::rename(world.path("away"), world.path("cloud")).unwrap();
    until("both edits", || a.sum("pushed") == 5);
    assert_eq!(a.count("cannot sync now"), 1, "{}", a.told());
    let events: Vec<_> = a.lines().iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events[..3], ["synced", "put-off", "synced"]);
    a.signal(Signal::TERM);
    assert_eq!(a.end(), Some(0));
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn a_storage_that_was_emptied_ends_it() {
    let world = with_documents(30);
    let mut a = Watcher::start(&world, "a", &[]);
    let before = world.tree("a");
    for entry in fs::read_dir(world.path("cloud/changes")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    world.write("a/0", "edited");
    assert_eq!(a.end(), Some(4), "{}", a.told());
    assert!(a.told().contains("not the storage last synced with"), "{}", a.told());
    assert!(a.told().contains("hint: ") && a.told().contains("--put-back"), "{}", a.told());
    assert_eq!(world.tree("a").len(), before.len());
}

#[test]
fn a_mass_delete_ends_it_and_deletes_nothing() {
    let world = World::new(&["a", "b"]);
    (0..30).for_each(|i| world.write(&format!("a/{}/{i}", i / 20), "text"));
    let mut a = Watcher::start(&world, "a", &["--yes"]);
    let cloud = world.tree("cloud");
    // All at once, however busy the machine is.
    fs::rename(world.path("a/0"), world.path("gone")).unwrap();
    assert_eq!(a.end(), Some(1), "{}", a.told());
    assert!(a.told().contains("20 of 30 documents"), "{}", a.told());
    assert!(a.told().contains("hint: look with --dry-run"), "{}", a.told());
    assert_eq!(world.tree("cloud"), cloud);

    world.sync("b");
    let mut b = Watcher::start(&world, "b", &[]);
    world.sync_as(0, "a", &["--yes"]);
    assert_eq!(b.end(), Some(1), "{}", b.told());
    assert!(b.told().contains("20 of 30 documents"), "{}", b.told());
    assert_eq!(world.names("b").len(), 30);
}

#[test]
fn a_folder_that_is_emptied_file_by_file_is_a_mass_delete_too() {
    let world = with_documents(1000);
    let mut a = Watcher::start(&world, "a", &[]);
    (0..1000).for_each(|i| {
        world.remove(&format!("a/{i}"));
        std::thread::sleep(Duration::from_millis(3));
    });
    assert_eq!(a.end(), Some(1), "{}", a.told());
    assert!(a.told().contains("too many deletes"), "{}", a.told());
    world.sync("b");
    assert!(world.names("b").len() >= 500, "{}", world.names("b").len());
}
