//! Imports that are stopped: the next one goes on.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{documents, import, state_of};
use crate::world::World;

const DOCUMENTS: usize = 2500;

/// What the package would write of so many documents.
fn world() -> World {
    let world = World::with_cloud(&[], "new".to_owned());
    let ids: Vec<_> = (0..DOCUMENTS).collect();
    for (n, ids) in ids.chunks(100).enumerate() {
        let change = |i: &usize| format!(r#"{{"_id":{i},"_rev":{i},"action":"put"}}"#);
        let changes: Vec<_> = ids.iter().map(change).collect();
        world.write(&format!("old/changes/{n}.json"), format!("[{}]", changes.join(",")));
        for i in ids {
            let file = format!(r#"{{"doc":{{"n":{i}}},"_rev":{i}}}"#);
            world.write(&format!("old/docs/{i}.json"), file);
        }
    }
    world.write("old/meta.json", format!("{{\"lastChange\":{DOCUMENTS}}}"));
    world
}

/// Begins an import and stops it once there are so many files of documents.
fn stop(world: &World, signal: Signal, files: usize) -> Option<i32> {
    let mut command = world.command(["import", "old", "new"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let count = || std::fs::read_dir(world.path("new/docs")).map_or(0, Iterator::count);
    while count() < files {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come so far");
        assert!(child.try_wait().unwrap().is_none(), "it was too fast for the test");
        sleep(Duration::from_millis(1));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn an_import_that_is_stopped_goes_on_with_what_is_missing() {
    let world = world();
    let before = state_of(&world.path("old"));
    stop(&world, Signal::KILL, 1);
    stop(&world, Signal::KILL, 700);
    let interrupted = stop(&world, Signal::INT, 1600);
    assert_eq!(interrupted, Some(130));
    let committed = documents(&world).len();
    assert!((1..DOCUMENTS).contains(&committed), "{committed}");
    let report = import(&world, 0, "old", &["--json"]).report();
    assert_eq!(report["present"], committed, "{report}");
    assert_eq!(report["imported"], DOCUMENTS - committed, "{report}");
    let documents = documents(&world);
    assert_eq!(documents.len(), DOCUMENTS, "each one is there, and was pushed once");
    assert_eq!(documents["1234"], ("1234".into(), "{\"n\":1234}".into()));
    assert_eq!(state_of(&world.path("old")), before);
}
