//! Slots are found by the ids that earlier ones carry.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::memory::MemoryState;
use db_to_cloud::{Adapter, Created, Key};
use db_to_cloud_google_drive::GoogleDriveAdapter;
use db_to_cloud_test_doubles::Drive;
use db_to_cloud_test_doubles::drive::Space;

use crate::support::{config, open};

async fn write_log(storage: &GoogleDriveAdapter, slots: u64) {
    for n in 1..=slots {
        let created = storage.create(&Key::change(n), format!("entry {n}").into()).await.unwrap();
        assert_eq!(created, Created::New, "{n}");
    }
}

async fn read(storage: &GoogleDriveAdapter, n: u64) -> Option<String> {
    let bytes = storage.get(&Key::change(n)).await.unwrap();
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_new_device_finds_any_slot_in_steps_of_64() {
    let double = Drive::start().await;
    let config = config(&double);
    write_log(&open(&config), 200).await;
    double.set_list_lag(Duration::ZERO);
    let storage = open(&config);
    double.requests().forget();
    assert_eq!(read(&storage, 200).await.unwrap(), "entry 200");
    // The path and the genesis; meta.json; slots 8, 72 and 136, and 200 itself.
    assert_eq!(double.requests().of("files.media"), 1 + 1 + 4);
    assert_eq!(read(&storage, 201).await, None);
    assert_eq!(read(&storage, 1 << 50).await, None, "the log is shorter");
    assert_eq!(storage.create(&Key::change(201), "x".into()).await.unwrap(), Created::New);
}

#[tokio::test]
async fn meta_json_leads_a_new_device_to_the_newest_slots() {
    let double = Drive::start().await;
    let config = config(&double);
    let writer = open(&config);
    write_log(&writer, 300).await;
    let head = Key::parse("snapshot/300.0123456789abcdef0123456789abcdef.json").unwrap();
    writer.put(&head, "{}".into()).await.unwrap();
    let hint = format!("{{\"snapshot\":\"{head}\"}}");
    writer.put(&Key::metadata(), hint.clone().into()).await.unwrap();
    // What a list would tell comes too late.
    double.set_list_lag(Duration::from_secs(3600));

    double.set_list_lag(Duration::ZERO);
    let storage = open(&config);
    assert_eq!(storage.get(&Key::metadata()).await.unwrap().unwrap(), hint);
    double.requests().forget();
    assert_eq!(storage.get(&head).await.unwrap().unwrap(), "{}");
    assert_eq!(read(&storage, 300).await.unwrap(), "entry 300");
    assert_eq!(read(&storage, 301).await, None);
    assert_eq!(double.requests().total(), 3, "one request each");
}

#[tokio::test]
async fn a_slot_that_people_wrote_over_is_the_cores_and_does_not_break_the_log() {
    let double = Drive::start().await;
    let config = config(&double);
    let writer = open(&config);
    write_log(&writer, 70).await;
    let head = Key::parse("snapshot/70.0123456789abcdef0123456789abcdef.json").unwrap();
    writer.put(&head, "{}".into()).await.unwrap();
    let hint = format!("{{\"snapshot\":\"{head}\"}}");
    writer.put(&Key::metadata(), hint.into()).await.unwrap();
    let stored = double.stored(Space::Drive);
    let sixth = stored.iter().find(|file| file.name == "6.json").unwrap();
    double.overwrite(&sixth.id, "what a person wrote");
    let storage = open(&config);
    assert_eq!(read(&storage, 6).await.unwrap(), "what a person wrote");
    // Its place was found through slot 6; meta.json knows it, too.
    assert_eq!(read(&storage, 70).await.unwrap(), "entry 70");
}

/// A process ends; the next one has its memory, or has lost it, or has that of another storage.
#[tokio::test]
async fn ids_are_remembered_and_may_be_lost() {
    let double = Drive::start().await;
    let state = Arc::new(MemoryState::new());
    let config = config(&double);
    let remembering = config.clone().with_state(state.clone());
    write_log(&open(&remembering), 5).await;

    double.requests().forget();
    assert_eq!(read(&open(&remembering), 6).await, None);
    assert_eq!(double.requests().total(), 1, "an idle sync of a new process");

    double.requests().forget();
    assert_eq!(read(&open(&config), 6).await, None);
    // Two folders and what is in the second; the genesis; the slot.
    assert_eq!(double.requests().total(), 5, "without a memory");

    let other = Drive::start().await;
    let elsewhere = crate::support::config(&other).with_state(state);
    let storage = open(&elsewhere);
    assert_eq!(storage.create(&Key::change(1), "other".into()).await.unwrap(), Created::New);
    assert_eq!(read(&storage, 1).await.unwrap(), "other");
}

#[tokio::test]
async fn a_slot_beyond_the_end_of_the_log_is_not_made() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let error = storage.create(&Key::change(1000), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput, "{error}");
    storage.create(&Key::change(1), "x".into()).await.unwrap();
    let error = storage.create(&Key::change(3), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput, "a hole: {error}");
    let error = storage.delete(&Key::change(1)).await.unwrap_err();
    assert_eq!(error.kind(), db_to_cloud::ErrorKind::Unsupported, "{error}");
}
