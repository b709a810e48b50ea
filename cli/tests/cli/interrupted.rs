//! Ctrl-C in the middle.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{World, binary};

const DOCUMENTS: usize = 1500;

fn with_documents() -> World {
    let world = World::new(&["a", "b"]);
    for i in 0..DOCUMENTS {
        world.write(&format!("a/{}/{i}", i % 10), format!("document {i}"));
    }
    world
}

fn start(world: &World, device: &str) -> Child {
    start_with(world, device, "cloud")
}

fn start_with(world: &World, device: &str, storage: &str) -> Child {
    binary()
        .args(["sync", device, storage])
        .current_dir(world.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until a folder has some files, then interrupts.
fn interrupt_when(child: &mut Child, signal: Signal, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come so far");
        assert!(child.try_wait().unwrap().is_none(), "it was too fast for the test");
        sleep(Duration::from_millis(2));
    }
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn count(world: &World, folder: &str) -> usize {
    fs::read_dir(world.path(folder)).map_or(0, Iterator::count)
}

#[test]
fn an_interrupted_sync_loses_nothing_and_goes_on() {
    let world = with_documents();
    let mut push = start(&world, "a");
    interrupt_when(&mut push, Signal::INT, || count(&world, "cloud/docs") > 100);
    let output = push.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{:?}", output.status.signal());
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "interrupted: nothing is lost, sync again to go on\n");
    assert!(output.stdout.is_empty());
    world.sync("a");

    let mut pull = start(&world, "b");
    interrupt_when(&mut pull, Signal::TERM, || count(&world, "b/3") > 10);
    assert_eq!(pull.wait().unwrap().code(), Some(130));
    assert!(world.tree("b").len() < DOCUMENTS);
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
    world.sync("a");
    assert_eq!(world.tree("b").len(), DOCUMENTS);
}

/// On weak storage other devices would wait for it for 5 minutes.
#[test]
fn an_interrupted_sync_gives_its_lock_back() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let world = with_documents();
        fs::create_dir(world.path("cloud")).unwrap();
        let storage = format!("file://{}?synced-by=other-program", world.path("cloud").display());
        let mut push = start_with(&world, "a", &storage);
        let lock = world.path("cloud/lock.json");
        interrupt_when(&mut push, signal, || lock.exists() && count(&world, "cloud/docs") > 50);
        let began = Instant::now();
        let output = push.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{:?}", output.status.signal());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.ends_with("\ninterrupted: nothing is lost, sync again to go on\n"), "{told}");
        assert!(!lock.exists(), "{signal:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}
