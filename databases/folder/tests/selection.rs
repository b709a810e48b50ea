//! A selection of the files of a folder (rules C8 and C9).
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::fs;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryAdapter, MemoryState};
use db_to_cloud::{Client, Database, Document, ErrorKind, Outcome, RemoteWins, Write};
use db_to_cloud_folder::{FolderError, Selection, SkipReason};
use support::{Notes, notes};

fn selection(only: &[&str], exclude: &[&str]) -> Selection {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Selection::new(owned(only), owned(exclude)).unwrap()
}

/// A device: its folder, and a client of this storage.
fn device(cloud: &MemoryAdapter) -> (Notes, Client) {
    let notes = notes();
    let (database, state) = (Arc::new(notes.database.clone()), Arc::new(MemoryState::new()));
    let cloud = Arc::new(cloud.clone());
    let client = Client::builder(cloud, database, state, Arc::new(RemoteWins)).build();
    (notes, client)
}

#[tokio::test]
async fn c8_only_what_is_selected_is_listed() {
    let notes = notes();
    for path in ["a.md", "docs/b.md", "docs/big/c.bin", "photos/d.jpg"] {
        notes.save(path, path);
    }
    notes.database.set_selection(selection(&["/docs"], &["big"])).unwrap();
    let notes = notes.opened_again();
    assert_eq!(notes.ids().await, ["docs/b.md"]);
    assert_eq!(notes.database.skipped(), []);
    let ignored = notes.database.ignored().unwrap();
    let mut paths: Vec<_> = ignored.iter().map(|s| s.path.to_str().unwrap()).collect();
    paths.sort_unstable();
    // Where names are folded each folder has to be entered.
    let photos = if cfg!(windows) { "photos/d.jpg" } else { "photos" };
    assert_eq!(paths, ["a.md", "docs/big", photos]);
    assert!(ignored.iter().all(|skipped| skipped.reason == SkipReason::Excluded));
    // It is there for who asks for it.
    assert!(notes.get("photos/d.jpg").await.is_some());
    let concerns =
        |path: &str| notes.database.concerns_documents(&notes.database.root().join(path));
    assert!(concerns("docs/b.md") && concerns("docs") && concerns("docs/new/x"));
    assert!(!concerns("docs/big/c.bin"));
    // Where names are folded each folder may hold something.
    assert_eq!(concerns("photos/d.jpg"), cfg!(windows));
}

#[tokio::test]
async fn c8_nothing_is_written_into_what_is_excluded() {
    let notes = notes();
    notes.save("big/a", "here");
    notes.database.set_selection(selection(&[], &["big"])).unwrap();
    let revision = notes.revision("big/a").await.unwrap();
    let write = |path: &str, document, expected| Write {
        id: path.into(),
        document,
        expected,
        moved_from: None,
    };
    let new = Some(Document::of_content("from elsewhere"));
    let batch = vec![
        write("big/b", new.clone(), None),
        write("big/a", new.clone(), revision.clone()),
        write("big/a", None, revision),
        write("small", new, None),
    ];
    let mut outcomes = Vec::new();
    for one in batch {
        outcomes.extend(notes.database.apply(vec![one]).await);
    }
    assert!(matches!(outcomes[3], Outcome::Done));
    for outcome in &outcomes[..3] {
        let Outcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(error.downcast_ref(), Some(FolderError::Excluded { .. })), "{error}");
    }
    assert_eq!(notes.content("big/a"), b"here");
    assert!(!notes.has("big/b"));
}

#[tokio::test]
async fn c9_folders_come_and_go_on_demand() {
    let cloud = MemoryAdapter::new();
    let ((laptop, on_laptop), (phone, on_phone)) = (device(&cloud), device(&cloud));
    for i in 0..30 {
        laptop.save(&format!("photos/{i}.jpg"), format!("photo {i}"));
    }
    laptop.save("docs/a.md", "text");
    on_laptop.sync().await.unwrap();
    phone.database.set_selection(selection(&["/docs"], &[])).unwrap();
    let report = on_phone.sync().await.unwrap();
    assert_eq!((report.pulled, report.excluded), (1, 30));
    assert!(!phone.has("photos"));
    // On demand, and away again to make room, which is no delete.
    phone.database.set_selection(selection(&["/docs", "/photos"], &[])).unwrap();
    assert_eq!(on_phone.sync().await.unwrap().pulled, 30);
    phone.database.set_selection(selection(&["/docs"], &[])).unwrap();
    fs::remove_dir_all(phone.path.join("photos")).unwrap();
    let report = on_phone.sync().await.unwrap();
    assert_eq!((report.pushed, report.excluded), (0, 30));
    on_laptop.sync().await.unwrap();
    assert!(laptop.has("photos/29.jpg"));
    phone.save("photos/new.jpg", "stays here");
    on_phone.compare_at_next_sync();
    assert_eq!(on_phone.sync().await.unwrap().pushed, 0);
    phone.database.set_selection(Selection::default()).unwrap();
    let report = on_phone.sync().await.unwrap();
    assert_eq!((report.pulled, report.pushed, report.excluded), (30, 1, 0));
}

#[tokio::test]
async fn c8_a_damaged_selection_stops_the_sync_and_can_be_set_again() {
    let cloud = MemoryAdapter::new();
    let ((laptop, on_laptop), (phone, on_phone)) = (device(&cloud), device(&cloud));
    laptop.save("photos/a", "photo");
    on_laptop.sync().await.unwrap();
    let file = phone.database.state_dir().join("selection.json");
    fs::write(&file, "{").unwrap();
    let error = on_phone.sync().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    assert!(!phone.has("photos"));
    phone.database.selection().unwrap_err();
    phone.database.set_selection(selection(&[], &["photos"])).unwrap();
    assert_eq!(on_phone.sync().await.unwrap().excluded, 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it is private");
    }
}

#[tokio::test]
async fn c8_what_is_tried_out_counts_for_a_preview_and_is_not_saved() {
    let cloud = MemoryAdapter::new();
    let ((laptop, on_laptop), (phone, on_phone)) = (device(&cloud), device(&cloud));
    laptop.save("photos/a", "photo");
    laptop.save("docs/a", "text");
    on_laptop.sync().await.unwrap();
    phone.database.try_selection(selection(&["/docs"], &[]));
    let preview = on_phone.preview().await.unwrap();
    assert_eq!((preview.pull.len(), preview.excluded), (1, 1));
    assert!(phone.database.selection().unwrap().is_everything());
    let (phone, cloud) = (phone.opened_again(), Arc::new(cloud));
    let (database, state) = (Arc::new(phone.database.clone()), Arc::new(MemoryState::new()));
    let client = Client::builder(cloud, database, state, Arc::new(RemoteWins)).build();
    assert_eq!(client.sync().await.unwrap().pulled, 2);
}
