//! Who may see the password, and where it comes from.

use std::fs;
use std::io::Write;

use db_to_cloud_test_servers::PASSWORD;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

use super::Cloud;
use crate::terminal::Terminal;

#[test]
fn the_password_comes_from_a_private_file_or_a_variable() {
    let cloud = Cloud::new();
    cloud.file("right", &format!("{PASSWORD}\n"), 0o600);
    cloud.file("wrong", "not it", 0o400);
    let option = ["--password-file", "right"];
    cloud.sync(0, &[], &[("WEBDAV_PASSWORD", PASSWORD)]);
    cloud.sync(0, &[], &[("WEBDAV_PASSWORD_FILE", "right")]);
    cloud.sync(0, &option, &[]);
    // Who says it on the command line means it.
    cloud.sync(0, &option, &[("WEBDAV_PASSWORD", "not it"), ("WEBDAV_PASSWORD_FILE", "wrong")]);
    let both = [("WEBDAV_PASSWORD", PASSWORD), ("WEBDAV_PASSWORD_FILE", "wrong")];
    cloud.sync(0, &[], &both);
    for run in [
        cloud.sync(1, &["--password-file", "wrong"], &[]),
        cloud.sync(1, &[], &[("WEBDAV_PASSWORD", "not it")]),
    ] {
        assert!(run.stderr.contains("check the user and the password (401)"), "{run:?}");
        assert!(!run.stderr.contains("not it"), "{run:?}");
    }
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let cloud = Cloud::new();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        cloud.file("open", PASSWORD, mode);
        let run = cloud.sync(1, &["--password-file", "open"], &[]);
        assert!(run.stderr.contains("others may read") && run.stderr.contains("chmod 600"));
    }
    for text in ["", "\n", "two\nlines\n"] {
        cloud.file("odd", text, 0o600);
        let run = cloud.sync(1, &["--password-file", "odd"], &[]);
        assert!(run.stderr.contains("is not a password"), "{run:?}");
    }
    let run = cloud.sync(1, &["--password-file", "missing"], &[]);
    assert!(run.stderr.contains("read the password from \"missing\""), "{run:?}");
    assert_eq!(fs::read_dir(cloud.server.data()).unwrap().count(), 0);
}

#[test]
fn without_a_password_the_ways_to_give_one_are_told() {
    let cloud = Cloud::new();
    for variables in [&[][..], &[("WEBDAV_PASSWORD", ""), ("WEBDAV_TOKEN", "a token")]] {
        let run = cloud.sync(1, &[], variables);
        assert!(run.stderr.contains("no password for the user \"ada\""), "{run:?}");
        for way in ["set WEBDAV_PASSWORD", "--password-file", "on a terminal", "WEBDAV_TOKEN"] {
            assert!(run.stderr.contains(way), "{run:?}");
        }
    }
    let nobody = cloud.world.cloud().replace("ada@", "");
    let run = cloud.world.run(["sync", "a", &nobody]);
    assert!(run.stderr.contains("check the user and the password (401)"), "{run:?}");
    let run = cloud.world.run(["sync", "a", &nobody, "--password-file", "x"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("a password needs a user"), "{run:?}");
}

#[test]
fn a_password_in_a_url_is_refused_and_not_shown() {
    let cloud = Cloud::new();
    for scheme in ["webdav", "webdavs", "http", "https", "dav", "davs"] {
        let url = format!("{scheme}://ada:{PASSWORD}@127.0.0.1/notes");
        for line in [&["sync", "a", &url][..], &["status", "a", &url], &["unlock", &url]] {
            let run = cloud.world.run(line);
            assert_eq!(run.code, Some(2), "{run:?}");
            assert!(!run.stderr.contains(PASSWORD), "{run:?}");
            let why = ["a password does not belong into a URL", "write webdavs://user@host/path"];
            assert!(why.iter().any(|why| run.stderr.contains(why)), "{run:?}");
        }
    }
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_not_shown() {
    let cloud = Cloud::new();
    for (answer, code) in [(format!("{PASSWORD}\n"), 0), ("hunter2\n".into(), 1), ("\n".into(), 1)]
    {
        let mut terminal = Terminal::run(&mut cloud.command(&[], &[]));
        terminal.wait_for("password of ada: ");
        terminal.keyboard.write_all(answer.as_bytes()).unwrap();
        assert_eq!(terminal.end().code(), Some(code), "{answer:?}");
        let shown = terminal.shown();
        assert!(!shown.contains(PASSWORD) && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn who_is_asked_may_interrupt_and_sees_again_what_is_typed() {
    let cloud = Cloud::new();
    let mut terminal = Terminal::run(&mut cloud.command(&[], &[]));
    let shows = |terminal: &Terminal| {
        tcgetattr(&terminal.keyboard).unwrap().local_modes.contains(LocalModes::ECHO)
    };
    terminal.wait_for("password of ada: ");
    assert!(!shows(&terminal));
    kill_process(Pid::from_child(&terminal.child), Signal::INT).unwrap();
    assert_eq!(terminal.end().code(), Some(130));
    assert!(shows(&terminal));
}
