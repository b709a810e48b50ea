//! `sync --watch`: edits arrive by themselves, whoever is killed meanwhile.

mod ends;
mod folders;
#[cfg(target_os = "linux")]
mod mounted;
pub(crate) mod watcher;

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::terminal::Terminal;
use crate::world::World;
use watcher::{Watcher, until};

#[test]
fn what_is_done_in_one_folder_happens_in_the_other() {
    let world = World::new(&["a", "b"]);
    world.write("a/old", "old");
    let (a, b) = (Watcher::start(&world, "a", &[]), Watcher::start(&world, "b", &[]));
    let alike = || world.tree("a") == world.tree("b");
    until("the old file", || world.exists("b/old"));
    world.write("a/new", "by a");
    until("a new file", || alike() && world.exists("b/new"));
    world.write("b/new", "by b");
    until("an edit the other way", || alike() && world.read("a/new") == "by b");
    world.write("a/deep/in/many/folders", "x");
    until("new folders", || world.exists("b/deep/in/many/folders"));
    fs::rename(world.path("b/deep/in"), world.path("b/moved")).unwrap();
    until("a moved folder", || alike() && world.exists("a/moved/many/folders"));
    world.write("a/moved/many/more", "y");
    until("a file in a moved folder", || alike() && world.exists("b/moved/many/more"));
    world.remove("a/old");
    until("a delete", || !world.exists("b/old"));
    // An editor saves into another file and renames it.
    world.write("b/.new.tmp", "saved by an editor");
    fs::rename(world.path("b/.new.tmp"), world.path("b/new")).unwrap();
    until("a saved file", || alike() && world.read("a/new") == "saved by an editor");
    assert_eq!((a.told(), b.told()), (String::new(), String::new()));
}

#[test]
fn a_burst_of_edits_is_a_few_syncs_and_none_is_lost() {
    let world = World::new(&["a", "b"]);
    let (a, b) = (Watcher::start(&world, "a", &[]), Watcher::start(&world, "b", &[]));
    for i in 0..500 {
        world.write(&format!("a/{}/{i}", i % 7), format!("first {i}"));
    }
    for i in (0..500).step_by(5) {
        world.write(&format!("a/{}/{i}", i % 7), format!("second {i}"));
    }
    until("all of them", || world.tree("b").len() == 500 && world.tree("a") == world.tree("b"));
    let pushes = a.lines().iter().filter(|line| line["pushed"] != 0).count();
    assert!(pushes <= 10, "{pushes} syncs for 600 edits");
    assert!((500..=600).contains(&a.sum("pushed")), "{}", a.sum("pushed"));
    assert_eq!(b.sum("pushed"), 0, "what was pulled is no edit");
}

#[test]
fn neither_what_a_sync_writes_nor_what_is_ignored_makes_a_request() {
    let world = World::new(&["a", "b"]);
    world.write("b/.db-to-cloud-ignore", "/ignored\n");
    world.write("a/x", "x");
    let (_a, b) = (Watcher::start(&world, "a", &[]), Watcher::start(&world, "b", &["-vv"]));
    until("both files", || world.names("a").len() == 2 && world.names("b").len() == 2);
    // The storage tells of our own commit, too.
    let before = at_rest(&b);
    for i in 0..20 {
        world.write(&format!("b/ignored/{i}"), "noise");
        std::thread::sleep(Duration::from_millis(150));
    }
    assert_eq!(b.count("a sync is due"), before, "{}", b.told());
    (0..20).for_each(|i| world.write(&format!("a/{i}"), "text"));
    until("all of them", || world.tree("b").len() == 42);
    let pulls = at_rest(&b) - before;
    assert!(pulls <= 40, "each file may come by itself, and that is all: {pulls}");
}

/// Waits until no sync is due any more; tells how many were.
fn at_rest(watcher: &Watcher) -> usize {
    let (mut count, mut since) = (usize::MAX, Instant::now());
    until("no more syncs", || {
        let now = watcher.count("a sync is due");
        if std::mem::replace(&mut count, now) != now {
            since = Instant::now();
        }
        since.elapsed() > Duration::from_secs(4)
    });
    count
}

#[test]
fn an_edit_of_both_is_a_conflict_and_both_are_kept() {
    let world = World::new(&["a", "b"]);
    world.write("a/note", "base");
    world.sync("a");
    world.sync("b");
    world.write("a/note", "by a");
    world.sync("a");
    world.write("b/note", "by b");
    let b = Watcher::start(&world, "b", &[]);
    until("the conflict", || world.names("b").len() == 2);
    until("it is told", || b.count("kept both") == 1);
    let _a = Watcher::start(&world, "a", &[]);
    until("both versions", || world.tree("a") == world.tree("b") && world.names("a").len() == 2);
}

#[test]
fn a_watcher_that_is_killed_goes_on_where_it_was() {
    let world = World::new(&["a", "b"]);
    let _b = Watcher::start(&world, "b", &[]);
    for round in 0..6 {
        let mut a = Watcher::launch(&world, "a", &[]);
        for i in 0..40 {
            world.write(&format!("a/{i}"), format!("{round} {i}"));
            world.write(&format!("a/of {round}/{i}"), "text");
        }
        // In one round before the first sync, in another one long after it.
        std::thread::sleep(Duration::from_millis(round * 400));
        a.signal(Signal::KILL);
        assert_eq!(a.end(), None);
        world.write(&format!("a/while dead {round}"), "text");
    }
    let _a = Watcher::start(&world, "a", &[]);
    until("everything", || world.tree("a") == world.tree("b"));
    assert_eq!(world.tree("b").len(), 40 + 6 * 40 + 6);
    assert_eq!(world.read("b/39"), "5 39");
}

#[test]
fn a_state_is_shown_on_a_terminal() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    world.sync("a");
    let mut terminal = Terminal::sync(&world, &["--watch"]);
    terminal.wait_for("in sync at version 1; waiting for changes");
    world.write("b/y", "y");
    terminal.wait_for("in sync at version 2; waiting for changes");
    rustix::process::kill_process(rustix::process::Pid::from_child(&terminal.child), Signal::INT)
        .unwrap();
    assert_eq!(terminal.end().code(), Some(0));
}
