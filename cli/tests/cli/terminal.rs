//! What is different on a terminal: the questions, and the progress bar.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::world::World;

/// A command in a terminal.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    pub(crate) keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    pub(crate) fn sync(world: &World, more: &[&str]) -> Self {
        let line = ["sync", "b", "cloud", "--device", "b"];
        Self::run(&mut world.command(line.iter().chain(more)))
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        command.stdin(slave()).stdout(Stdio::null()).stderr(slave());
        let child = command.spawn().unwrap();
        // What it holds of the terminal would keep the screen from ending.
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen: receiver, seen: String::new() }
    }

    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.seen.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self.screen.recv_timeout(left);
            let bytes = bytes.unwrap_or_else(|_| panic!("{text:?} is not in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn answer(&mut self, text: &str) {
        self.wait_for("decide [L]ater? ");
        self.type_in(text);
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.seen.clear();
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// All that was shown by a command that has ended.
    pub(crate) fn shown(mut self) -> String {
        self.screen.iter().for_each(|bytes| self.seen.push_str(&String::from_utf8_lossy(&bytes)));
        self.seen
    }
}

fn in_conflict() -> World {
    let world = World::new(&["a", "b"]);
    world.write("a/note", "base");
    world.sync("a");
    world.sync("b");
    world.write("a/note", "by a");
    world.write("b/note", "longer by b");
    world.sync("a");
    world
}

#[test]
fn a_person_decides() {
    let decisions = [
        ("l\n", 0, "longer by b", 1),
        ("remote\n", 0, "by a", 1),
        ("what?\nb\n", 3, "by a", 2),
        ("L\n", 3, "longer by b", 1),
        ("\u{4}", 3, "longer by b", 1),
    ];
    for (answer, code, note, files) in decisions {
        let world = in_conflict();
        let mut terminal = Terminal::sync(&world, &["--on-conflict", "ask"]);
        terminal.wait_for("conflict: note");
        terminal.wait_for("local   on \"b\": 11 bytes, edited 2");
        terminal.wait_for("remote  on \"a\": 4 bytes, synced 2");
        terminal.answer(answer);
        assert_eq!(terminal.end().code(), Some(code), "{answer:?}");
        assert_eq!(world.read("b/note"), note, "{answer:?}");
        assert_eq!(world.names("b").len(), files, "{answer:?}");
    }
}

#[test]
fn what_was_put_off_is_asked_again_and_may_be_interrupted() {
    let world = in_conflict();
    let mut terminal = Terminal::sync(&world, &["--on-conflict", "ask"]);
    terminal.answer("later\n");
    assert_eq!(terminal.end().code(), Some(3));
    let mut terminal = Terminal::sync(&world, &["--on-conflict", "ask"]);
    terminal.wait_for("decide [L]ater? ");
    let began = Instant::now();
    kill_process(Pid::from_child(&terminal.child), Signal::INT).unwrap();
    assert_eq!(terminal.end().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(5), "the question must not hold it up");
    let run = world.sync_as(3, "b", &[]);
    assert!(run.stderr.contains("kept both"), "{run:?}");
}

#[test]
fn a_delete_against_an_edit_is_asked_too() {
    let world = World::new(&["a", "b"]);
    world.write("a/note", "first");
    // A folder in which no file is left would be asked about as a whole.
    world.write("a/another", "is left");
    world.sync("a");
    world.sync("b");
    world.write("a/note", "by a");
    world.sync("a");
    world.remove("b/note");
    let mut terminal = Terminal::sync(&world, &["--on-conflict", "ask"]);
    terminal.wait_for("local   on \"b\": deleted");
    terminal.answer("b\nr\n");
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(world.read("b/note"), "by a");
}

#[test]
fn a_bar_is_shown_on_a_terminal() {
    let world = World::new(&["a", "b"]);
    (0..400).for_each(|i| world.write(&format!("a/{i}"), format!("{i}")));
    world.sync("a");
    let mut terminal = Terminal::sync(&world, &[]);
    terminal.wait_for("/400 changes");
    assert_eq!(terminal.end().code(), Some(0));
}
