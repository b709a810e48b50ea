//! Both devices edited one note.

use ratatui::crossterm::event::KeyCode;

use crate::device::{Device, pair};

/// Both have "base"; the phone's edit is in the storage, the laptop's is not, and meets it.
async fn in_conflict() -> (tempfile::TempDir, Device, Device) {
    let (folder, mut laptop, mut phone) = pair();
    laptop.writes("Shopping\nmilk\nbread").sync().await;
    phone.sync().await.waits(60);
    phone.key(KeyCode::Enter).types("\napples").key(KeyCode::Esc).sync().await;
    laptop.waits(90).key(KeyCode::Enter).types("\npears").key(KeyCode::Esc).sync().await;
    (folder, laptop, phone)
}

#[tokio::test]
async fn a_conflict_holds_up_nothing_else() {
    let (_folder, mut laptop, mut phone) = in_conflict().await;
    laptop.sees("1 conflict to settle (c)").sees("! Shopping").sees("synced just now");
    laptop.writes("Garden").sync().await;
    phone.writes("Kitchen").sync().await.sees("Garden");
    laptop.sync().await.sees("Kitchen").sees("1 conflict to settle");
    laptop.killed().sees("1 conflict to settle").sees("! Shopping");
}

#[tokio::test]
async fn both_versions_are_shown_side_by_side() {
    let (_folder, mut laptop, _phone) = in_conflict().await;
    laptop.types("c");
    let screen = laptop.screen();
    let row = |text: &str| screen.lines().find(|line| line.contains(text)).unwrap().to_owned();
    assert!(row("1: here, edited").contains("2: phone, synced"), "{screen}");
    assert_eq!(row("bread").matches("bread").count(), 2, "{screen}");
    assert!(row("pears").contains("apples"), "{screen}");
}

#[tokio::test]
async fn each_choice_comes_to_all_devices() {
    let choices: [(&str, &[&str]); 3] = [
        ("1", &["Shopping\nmilk\nbread\npears"]),
        ("2", &["Shopping\nmilk\nbread\napples"]),
        ("b", &["Shopping\nmilk\nbread\napples", "Shopping\nmilk\nbread\npears"]),
    ];
    for (key, notes) in choices {
        let (_folder, mut laptop, mut phone) = in_conflict().await;
        laptop.types("c").types(key).sees("settled with the next sync").sees_no("to settle (c)");
        assert_eq!(laptop.ordered().len(), 1, "the sync begins now");
        // What was chosen survives.
        laptop = laptop.killed();
        laptop.sees_no("to settle").sync().await;
        phone.sync().await.sees_no("to settle");
        assert_eq!(laptop.notes(), notes, "{key}");
        assert_eq!(phone.notes(), notes, "{key}");
        laptop.sync().await.sees_no("to settle");
    }
}

#[tokio::test]
async fn one_text_is_made_of_both() {
    let (_folder, mut laptop, mut phone) = in_conflict().await;
    laptop.types("ce").sees("made of both").types("!").key(KeyCode::Esc);
    // Half of the work is kept, too.
    let mut laptop = laptop.killed();
    laptop.types("ce").control('s').sync().await.sees_no("to settle");
    phone.sync().await;
    for device in [laptop, phone] {
        assert_eq!(device.notes(), ["Shopping\nmilk\nbread\npears\napples!"]);
    }
}

#[tokio::test]
async fn a_choice_between_old_versions_is_none() {
    let (_folder, mut laptop, mut phone) = in_conflict().await;
    laptop.types("c2");
    phone.key(KeyCode::Enter).types("\nplums").key(KeyCode::Esc).sync().await;
    laptop.sync().await.sees("1 conflict to settle");
    laptop.types("c").sees("plums").types("2").sync().await.sees_no("to settle");
    assert_eq!(laptop.notes(), ["Shopping\nmilk\nbread\napples\nplums"]);
}

#[tokio::test]
async fn what_was_made_of_versions_that_changed_becomes_a_note() {
    let (folder, mut laptop, mut phone) = in_conflict().await;
    laptop.types("ce").types(" and cherries");
    phone.key(KeyCode::Enter).types("\nplums").key(KeyCode::Esc).sync().await;
    // Another window of the same device syncs and settles it.
    let mut window = Device::new(folder.path(), "laptop");
    window.sync().await.types("c2").sync().await;
    laptop.waits(1).control('s').sees("what you wrote is a new note");
    let texts = laptop.notes();
    assert!(texts.iter().any(|text| text.ends_with(" and cherries")), "{texts:?}");
}

#[tokio::test]
async fn a_deleted_note_against_an_edited_one() {
    for (key, count) in [("1", 0), ("2", 1)] {
        let (_folder, mut laptop, mut phone) = pair();
        laptop.writes("Shopping").sync().await;
        phone.sync().await.key(KeyCode::Enter).types("!").key(KeyCode::Esc).sync().await;
        laptop.types("d").sync().await.sees("1 conflict to settle");
        laptop.types("c").sees("deleted").sees("Shopping!").types(key).sync().await;
        phone.sync().await;
        assert_eq!((laptop.notes().len(), phone.notes().len()), (count, count), "{key}");
    }
}
