//! A backup of the database is put back: documents and client state go back together.

use std::path::Path;

use crate::world::{Device, NOTES, pair, settle, shell};

/// Puts the backup in the place of the database.
fn restore(device: &mut Device, backup: &Path) {
    let backup = backup.to_owned();
    device.restart(
        |path| {
            for more in ["-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(more);
                let _ = std::fs::remove_file(name);
            }
            std::fs::copy(&backup, path).unwrap();
        },
        &["notes"],
    );
}

#[tokio::test]
async fn a_database_that_is_restored_catches_up_with_a_newer_remote() {
    let (mut laptop, phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'first', 0), ('b', 'first', 0), ('c', 'first', 0)");
    settle(&laptop, &phone).await;
    let backups = tempfile::tempdir().unwrap();
    let backup = backups.path().join("backup.db");
    shell(&laptop.path(), &format!("VACUUM INTO '{}'", backup.display()));
    // Both devices go on, and all of it is synced.
    laptop.run("UPDATE notes SET text = 'second' WHERE id = 'a'; DELETE FROM notes WHERE id = 'b'");
    settle(&laptop, &phone).await;
    phone.run(
        "UPDATE notes SET text = 'third' WHERE id = 'c'; INSERT INTO notes VALUES ('d', '', 1)",
    );
    settle(&laptop, &phone).await;
    let all = "SELECT * FROM notes ORDER BY id";
    let newest = phone.shell(all);
    restore(&mut laptop, &backup);
    assert_ne!(laptop.shell(all), newest);
    let report = laptop.sync().await;
    assert_eq!((report.pushed, report.conflicts), (0, 0), "what is old is not an edit");
    assert_eq!(laptop.shell(all), newest);
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell(all), newest);
}

#[tokio::test]
async fn an_edit_after_the_restore_meets_what_came_before_it_as_a_conflict() {
    let (mut laptop, phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'first', 0), ('b', 'first', 0)");
    settle(&laptop, &phone).await;
    laptop.run("UPDATE notes SET text = 'queued, not synced' WHERE id = 'b'");
    let backups = tempfile::tempdir().unwrap();
    let backup = backups.path().join("backup.db");
    shell(&laptop.path(), &format!("VACUUM INTO '{}'", backup.display()));
    laptop.run("UPDATE notes SET text = 'second'");
    settle(&laptop, &phone).await;
    restore(&mut laptop, &backup);
    laptop.run("UPDATE notes SET text = 'on old ground' WHERE id = 'a'");
    assert_eq!(laptop.sync().await.conflicts, 2);
    settle(&laptop, &phone).await;
    assert_eq!(laptop.shell("SELECT text FROM notes"), "second\nsecond", "as the resolver chose");
}

#[tokio::test]
async fn the_same_backup_on_two_devices_is_two_devices() {
    let (mut laptop, mut phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'first', 0)");
    settle(&laptop, &phone).await;
    let backups = tempfile::tempdir().unwrap();
    let backup = backups.path().join("backup.db");
    shell(&laptop.path(), &format!("VACUUM INTO '{}'", backup.display()));
    restore(&mut phone, &backup);
    restore(&mut laptop, &backup);
    laptop.run("INSERT INTO notes VALUES ('b', 'of the laptop', 0)");
    phone.run("INSERT INTO notes VALUES ('c', 'of the phone', 0)");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id FROM notes ORDER BY id"), "a\nb\nc");
}
