//! Who may read a file, and who may execute it, as it leaves a device and as it arrives. The umask is
//! that of the whole process: each test here sets the same one, which lets everybody do everything.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use db_to_cloud::{Attributes, Document, Write};
use support::{Notes, moved, notes, write};

const PRIVATE: &str = "private";
const EXECUTABLE: &str = "executable";

/// What a version may say.
fn said(private: bool, executable: Option<bool>) -> Attributes {
    let attributes = Attributes::default().with(PRIVATE, private.then_some(true));
    match executable {
        Some(executable) => attributes.with(EXECUTABLE, executable.then_some(true)),
        None => attributes,
    }
}

fn open_umask() -> Notes {
    rustix::process::umask(rustix::fs::Mode::empty());
    notes()
}

fn mode(notes: &Notes, path: &str) -> u32 {
    fs::metadata(notes.path.join(path)).unwrap().mode() & 0o7777
}

fn save(notes: &Notes, path: &str, content: &str, mode: u32) {
    notes.save(path, content);
    fs::set_permissions(notes.path.join(path), Permissions::from_mode(mode)).unwrap();
}

fn saying(write: Write, attributes: Attributes) -> Write {
    let document = write.document.map(|document: Document| document.with_attributes(attributes));
    Write { document, ..write }
}

#[tokio::test]
async fn a_file_says_who_may_use_it() {
    let notes = open_umask();
    let modes = [
        (0o644, said(false, Some(false))),
        (0o600, said(true, Some(false))),
        (0o755, said(false, Some(true))),
        (0o700, said(true, Some(true))),
        (0o640, said(false, Some(false)).with(PRIVATE, "others")),
    ];
    for (mode, _) in &modes {
        save(&notes, &format!("{mode:o}"), "text", *mode);
    }
    // Read alone, and as a push does, which reads ahead.
    for lists in [false, true] {
        if lists {
            notes.list().await;
        }
        for (mode, attributes) in &modes {
            let document = notes.get(&format!("{mode:o}")).await.unwrap();
            assert_eq!(document.attributes, *attributes, "{mode:o}");
        }
    }
    // A change of the bits alone is seen with the next read.
    fs::set_permissions(notes.path.join("644"), Permissions::from_mode(0o600)).unwrap();
    assert!(notes.get("644").await.unwrap().attributes.is(PRIVATE));
}

#[tokio::test]
async fn a_new_file_is_as_its_version_says() {
    let notes = open_umask();
    let cases = [
        (Attributes::default(), 0o666),
        (said(false, Some(false)), 0o666),
        (said(false, Some(true)), 0o777),
        (said(false, None).with(PRIVATE, "others"), 0o660),
        (said(false, Some(true)).with(PRIVATE, "others"), 0o770),
        (said(true, None), 0o600),
        (said(true, Some(false)), 0o600),
        (said(true, Some(true)), 0o700),
        // Of a program that says something else by it.
        (Attributes::default().with(PRIVATE, "yes").with(EXECUTABLE, 7), 0o666),
    ];
    for (number, (attributes, expected)) in cases.into_iter().enumerate() {
        let name = format!("folder/{number}");
        let put = saying(write(&name, Some("text"), None), attributes);
        notes.all_done(vec![put]).await;
        assert_eq!(mode(&notes, &name), expected, "{number}");
    }
}

#[tokio::test]
async fn a_replaced_file_keeps_its_bits_but_for_what_is_said() {
    let notes = open_umask();
    let cases = [
        (0o640, Attributes::default(), 0o640),
        (0o755, Attributes::default(), 0o755),
        (0o600, said(false, Some(false)), 0o600),
        (0o664, said(true, Some(false)), 0o600),
        (0o755, said(true, None), 0o700),
        (0o664, said(false, None).with(PRIVATE, "others"), 0o660),
        (0o600, said(false, None).with(PRIVATE, "others"), 0o600),
        (0o644, said(false, Some(true)), 0o755),
        (0o640, said(false, Some(true)), 0o750),
        (0o755, said(false, Some(false)), 0o644),
        (0o644, said(true, Some(true)), 0o700),
    ];
    for (number, (before, attributes, after)) in cases.into_iter().enumerate() {
        let name = number.to_string();
        save(&notes, &name, "one", before);
        notes.all_done(vec![saying(write(&name, Some("two"), Some("one")), attributes)]).await;
        assert_eq!(
            (mode(&notes, &name), notes.content(&name)),
            (after, b"two".to_vec()),
            "{number}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_moved_keeps_its_bits_but_for_what_is_said() {
    let notes = open_umask();
    let cases = [
        (0o644, Attributes::default(), 0o644),
        (0o644, said(true, None), 0o600),
        (0o600, said(false, Some(true)), 0o700),
    ];
    for (number, (before, attributes, after)) in cases.into_iter().enumerate() {
        let (from, to) = (format!("from {number}"), format!("to {number}"));
        save(&notes, &from, "text", before);
        let inode = fs::metadata(notes.path.join(&from)).unwrap().ino();
        let [delete, put] = moved(&from, &to, "text");
        notes.all_done(vec![saying(delete, Attributes::default()), saying(put, attributes)]).await;
        let moved = fs::metadata(notes.path.join(&to)).unwrap();
        assert_eq!((moved.ino(), moved.mode() & 0o7777), (inode, after), "{number}");
    }
}
