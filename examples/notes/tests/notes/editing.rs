//! Writing, finding and deleting notes, with no sync at all.

use ratatui::crossterm::event::KeyCode;

use crate::device::{Device, pair};

#[test]
fn what_is_typed_is_saved_with_each_key() {
    let (_folder, mut laptop, _) = pair();
    laptop.types("nShopping\nmilk");
    assert_eq!(laptop.notes(), ["Shopping\nmilk"]);
    let mut laptop = laptop.killed();
    laptop.sees("Shopping").sees("milk").sees("1 note ");
    laptop.key(KeyCode::Enter).types("\nbread");
    assert_eq!(laptop.notes(), ["Shopping\nmilk\nbread"]);
    laptop.control('u').control('u').control('u').control('u').control('u').control('u');
    assert_eq!(laptop.notes(), ["Shopping\nmilk"], "undo is an edit");
}

#[test]
fn a_note_in_which_nothing_was_written_is_none() {
    let (_folder, mut laptop, _) = pair();
    laptop.types("n").key(KeyCode::Esc);
    assert_eq!(laptop.notes(), [""; 0]);
    laptop.sees("no note yet");
}

#[test]
fn a_deleted_note_comes_back_on_request() {
    let (_folder, mut laptop, _) = pair();
    laptop.writes("one").waits(1).writes("two").types("d");
    laptop.sees("deleted “two”: u brings it back");
    assert_eq!(laptop.notes(), ["one"]);
    laptop.types("d");
    laptop.sees("no note yet");
    laptop.types("uu");
    assert_eq!(laptop.notes(), ["one", "two"]);
}

#[test]
fn words_find_notes() {
    let (_folder, mut laptop, _) = pair();
    laptop.writes("Shopping\nMILK").waits(1).writes("Garden\nplant trees");
    laptop.types("/milk").sees("Shopping").sees_no("Garden");
    laptop.key(KeyCode::Enter).key(KeyCode::Enter).types("!").key(KeyCode::Esc);
    laptop.key(KeyCode::Esc).sees("Garden");
    assert_eq!(laptop.notes(), ["Garden\nplant trees", "Shopping\nMILK!"]);
}

#[test]
fn a_pasted_text_is_text_and_no_command() {
    let (_folder, mut laptop, _) = pair();
    laptop.writes("one");
    laptop.app.paste("dd");
    assert_eq!(laptop.notes(), ["one"], "it is not typed into the list");
    laptop.types("n");
    laptop.app.paste("first\r\nsecond\rthird");
    assert_eq!(laptop.notes(), ["first\nsecond\nthird", "one"]);
}

/// Its text may come from anywhere: it must not speak to the terminal.
#[test]
fn a_note_cannot_send_commands_to_the_terminal() {
    let (_folder, mut laptop, _) = pair();
    laptop.types("n");
    laptop.app.paste("\u{1b}]0;title\u{7}\u{1b}[2Jtext");
    for screen in [laptop.screen(), laptop.key(KeyCode::Esc).screen()] {
        assert!(!screen.contains(|c: char| c.is_control() && c != '\n'), "{screen:?}");
    }
    laptop.sees("text");
}

#[test]
fn control_c_leaves_from_everywhere() {
    for keys in ["", "/x", "nabc"] {
        let (_folder, mut laptop, _) = pair();
        laptop.types(keys).control('c');
        assert!(laptop.app.is_done(), "{keys:?}");
    }
}

/// The window of another program on the same notes.
#[test]
fn what_another_program_writes_is_seen_and_typed_into() {
    let (folder, mut laptop, _) = pair();
    laptop.types("nmilk");
    let mut shell = Device::new(folder.path(), "laptop");
    shell.key(KeyCode::Enter).types(" and bread");
    laptop.types("!");
    assert_eq!(laptop.notes(), ["milk! and bread"], "the cursor stays where it was");
    shell.waits(1).key(KeyCode::Esc).types("d");
    laptop.waits(1).sees("deleted on another device: type to keep it");
    laptop.types("?");
    assert_eq!(laptop.notes(), ["milk!? and bread"], "nothing of it is lost");
}

#[test]
fn a_write_that_failed_is_made_up_for_or_told() {
    let (_folder, mut laptop, _) = pair();
    laptop.types("nmil");
    let disk = rusqlite::Connection::open(&laptop.database).unwrap();
    let full = "CREATE TRIGGER full BEFORE UPDATE ON notes
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    disk.execute_batch(full).unwrap();
    laptop.types("k").sees("the disk is full").sees("milk");
    laptop.control('c').sees("Ctrl-C again leaves without it");
    assert!(!laptop.app.is_done());
    disk.execute_batch("DROP TRIGGER full").unwrap();
    laptop.key(KeyCode::Esc);
    assert_eq!(laptop.notes(), ["milk"]);
}
