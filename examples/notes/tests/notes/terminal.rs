//! The program itself, in a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use db_to_cloud_notes::Store;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// A device on which the program runs.
struct Terminal {
    child: Child,
    keyboard: File,
    /// The program's side, which stays open to be looked at.
    line: File,
    database: std::path::PathBuf,
}

impl Terminal {
    fn start(folder: &Path, name: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let line = File::options().read(true).write(true).open(path).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&line, size).unwrap();
        let database = folder.join(format!("{name}.db"));
        let end = || line.try_clone().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_db-to-cloud-notes"))
            .args(["--device", name, "--database"])
            .args([&database, &folder.join("cloud")])
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        // A screen that nobody reads would stop the program.
        thread::spawn(move || while screen.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
        Self { child, keyboard, line, database }
    }

    fn types(&mut self, keys: &str) {
        // Keys that come before the terminal is in its mode would be a line of it.
        eventually(|| !self.is_restored(), "the terminal is taken over");
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn waits_for(&self, text: &str) {
        let has_it = || self.notes().iter().any(|note| note == text);
        eventually(has_it, text);
    }

    fn notes(&self) -> Vec<String> {
        let notes = Store::open(&self.database).unwrap().notes().unwrap();
        notes.into_iter().map(|note| note.text).collect()
    }

    /// Whether the terminal shows what is typed and takes it line by line.
    fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// A signal comes, and the program ends; whether well.
    fn gets(&mut self, signal: Signal) -> bool {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().success()
    }
}

#[track_caller]
fn eventually(is_so: impl Fn() -> bool, what: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_typed_here_is_seen_there_and_the_terminal_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let mut laptop = Terminal::start(folder.path(), "laptop");
    let mut phone = Terminal::start(folder.path(), "phone");
    laptop.types("nShopping\rmilk");
    phone.waits_for("Shopping\nmilk");
    for (device, end) in [(&mut laptop, "\x03"), (&mut phone, "q")] {
        device.types(end);
        assert!(device.child.wait().unwrap().success(), "{end:?}");
        assert!(device.is_restored(), "{end:?}");
    }
}

#[test]
fn a_signal_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut laptop = Terminal::start(folder.path(), "laptop");
        laptop.types("nhalf a wo");
        laptop.waits_for("half a wo");
        assert!(laptop.gets(signal), "{signal:?}");
        assert!(laptop.is_restored(), "{signal:?}");
    }
}

#[test]
fn killed_in_the_middle_of_a_word_it_has_all_that_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut laptop = Terminal::start(folder.path(), "laptop");
    laptop.types("nhalf a wo");
    laptop.waits_for("half a wo");
    assert!(!laptop.gets(Signal::KILL));
    let laptop = Terminal::start(folder.path(), "laptop");
    let phone = Terminal::start(folder.path(), "phone");
    phone.waits_for("half a wo");
    assert_eq!(laptop.notes(), ["half a wo"]);
}
