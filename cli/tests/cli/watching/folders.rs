//! What a watch sees of folders: trees that appear at once, a queue of events that overflows, a folder that
//! goes away.

use std::fs;

use rustix::process::Signal;

use super::watcher::{Watcher, until};
use crate::world::World;

#[test]
fn a_tree_that_is_moved_into_the_folder_is_seen_to_its_leaves() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    let a = Watcher::start(&world, "a", &[]);
    (0..30).for_each(|i| world.write(&format!("outside/{i}/deep/{i}"), "text"));
    fs::rename(world.path("outside"), world.path("a/tree")).unwrap();
    until("the tree", || a.sum("pushed") == 31);
    (0..30).for_each(|i| world.write(&format!("a/tree/{i}/deep/later"), "more"));
    until("files in it", || a.sum("pushed") == 61);
    // It moves again, and out.
    fs::rename(world.path("a/tree"), world.path("a/moved")).unwrap();
    until("a rename is a put and a delete", || a.sum("pushed") == 181);
    world.write("a/moved/7/deep/again", "more");
    until("an edit after it", || a.sum("pushed") == 182);
    let run = world.sync_as(0, "b", &[]);
    assert_eq!(world.tree("a"), world.tree("b"), "{run:?}");
    assert_eq!(a.told(), "");
}

#[test]
fn folders_that_come_and_go_hold_up_no_others() {
    let world = World::new(&["a"]);
    let a = Watcher::start(&world, "a", &[]);
    // As an installer does: some folders are gone again before anybody can look.
    for i in 0..300 {
        world.write(&format!("a/tree/{i}/temporary/x"), "");
        fs::remove_dir_all(world.path(&format!("a/tree/{i}/temporary"))).unwrap();
        world.write(&format!("a/tree/{i}/kept/x"), "text");
        fs::rename(world.path(&format!("a/tree/{i}")), world.path(&format!("a/{i}"))).unwrap();
    }
    until("all that stays", || a.sum("pushed") == 300);
    (0..300).for_each(|i| world.write(&format!("a/{i}/kept/y"), "text"));
    until("edits in all of them", || a.sum("pushed") == 600);
    assert_eq!(a.told(), "");
}

#[test]
fn a_folder_that_is_made_again_is_watched_again() {
    let world = World::new(&["a"]);
    world.write("a/sub/x", "1");
    let a = Watcher::start(&world, "a", &["--yes"]);
    for round in 0..3 {
        let before = a.sum("pushed");
        fs::remove_dir_all(world.path("a/sub")).unwrap();
        fs::create_dir(world.path("a/sub")).unwrap();
        until("the delete", || a.sum("pushed") == before + 1);
        world.write("a/sub/x", format!("{round}"));
        until("an edit", || a.sum("pushed") == before + 2);
        world.write("a/sub/deeper/y", format!("{round}"));
        until("a folder in it", || a.sum("pushed") == before + 3);
        fs::remove_dir_all(world.path("a/sub/deeper")).unwrap();
        until("its end", || a.sum("pushed") == before + 4);
    }
}

/// How many events the queue holds.
#[cfg(target_os = "linux")]
fn queue() -> usize {
    let text = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    text.trim().parse().unwrap()
}

/// The process stands still until its queue has overflowed: of the new folders it gets no event.
#[cfg(target_os = "linux")]
#[test]
fn what_was_lost_when_the_queue_overflowed_is_found() {
    let world = World::new(&["a"]);
    world.write("a/x", "");
    world.write("a/y", "");
    let a = Watcher::start(&world, "a", &[]);
    a.signal(Signal::STOP);
    // Two files in turn, as the same event twice in a row is one.
    for i in 0..queue() {
        let name = if i % 2 == 0 { "a/x" } else { "a/y" };
        fs::File::open(world.path(name)).unwrap();
    }
    world.write("a/new/folder/z", "text");
    a.signal(Signal::CONT);
    until("the new file", || a.sum("pushed") == 3);
    // Its folder is watched.
    world.write("a/new/folder/z", "edited");
    until("an edit in a folder of which there was no event", || a.sum("pushed") == 4);
    assert_eq!(a.told(), "");
}

#[test]
fn a_folder_that_goes_away_is_waited_for() {
    let world = World::new(&["a", "b"]);
    (0..5).for_each(|i| world.write(&format!("a/{i}"), "text"));
    let mut a = Watcher::start(&world, "a", &[]);
    let cloud = world.tree("cloud");
    fs::rename(world.path("a"), world.path("away")).unwrap();
    until("it is told", || a.count("is not there, or another one is in its place") == 1);
    // As the mount point of a drive that is not there.
    fs::create_dir(world.path("a")).unwrap();
    world.write("away/5", "while away");
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(world.tree("cloud"), cloud);
    assert_eq!(
        fs::read_dir(world.path("a")).unwrap().count(),
        0,
        "nothing is put into another folder"
    );
    fs::remove_dir(world.path("a")).unwrap();
    fs::rename(world.path("away"), world.path("a")).unwrap();
    until("what was edited meanwhile", || a.sum("pushed") == 6);
    world.write("a/6", "after");
    until("an edit", || a.sum("pushed") == 7);
    assert_eq!(a.count("is not there") + a.count("\" is back"), 2, "{}", a.told());
    let events: Vec<_> = a.lines().iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events[..3], ["synced", "put-off", "synced"]);
    a.signal(Signal::TERM);
    assert_eq!(a.end(), Some(0), "{}", a.told());
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn a_signal_ends_the_wait_for_a_folder() {
    let world = World::new(&["a"]);
    let mut a = Watcher::start(&world, "a", &[]);
    fs::rename(world.path("a"), world.path("away")).unwrap();
    until("it is told", || a.count("nothing is synced until it is back") == 1);
    a.signal(Signal::INT);
    assert_eq!(a.end(), Some(0), "{}", a.told());
}
