//! Edits on this device.

use std::time::Duration;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::state::{StateStore, Table, Update, queue_change};
use db_to_cloud::{Cause, DocumentId, ErrorKind};
use db_to_cloud_tests::Fault;
use futures::FutureExt;
use tokio::time::{sleep, timeout};

use super::storage::Waiting;
use super::watcher::{Watcher, causes};
use super::{HOUR, SECOND, with_a_commit};

#[tokio::test(start_paused = true)]
async fn a_burst_of_edits_is_one_sync() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    let (documents, client) = (alice.documents.clone(), alice.client.clone());
    let burst = async {
        for i in 0..500 {
            documents.save(format!("doc {i}"), "text");
            client.queue_change(&format!("doc {i}").into()).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
    };
    let (done, ()) = tokio::join!(alice.run(7 * SECOND), burst);
    let edits: Vec<_> = done.iter().filter(|(_, cause, _)| *cause == Cause::Edit).collect();
    let [(after, _, Ok(report))] = edits[..] else { panic!("{} syncs", edits.len()) };
    assert_eq!(report.pushed, 500);
    assert!(*after > 5 * SECOND && *after < 7 * SECOND, "a second after the last: {after:?}");
    bob.sync();
    assert_eq!(bob.all().len(), 501);
}

#[tokio::test(start_paused = true)]
async fn edits_that_never_end_are_synced_all_the_same() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    let (documents, client) = (alice.documents.clone(), alice.client.clone());
    let typing = async {
        for i in 0.. {
            documents.save("draft", format!("{i}"));
            client.queue_change(&"draft".into()).await.unwrap();
            // No edit is made at the very time of a sync: it would be pushed by one of its own.
            sleep(Duration::from_millis(700)).await;
        }
    };
    let (done, _) = tokio::join!(alice.run(100 * SECOND), timeout(100 * SECOND, typing));
    let pushes = done.iter().filter(|(.., outcome)| outcome.as_ref().unwrap().pushed > 0).count();
    assert!((9..=10).contains(&pushes), "each 10 seconds: {pushes}");
    assert!(done.len() <= 21, "and a read for each push: {}", done.len());
}

/// A process of its own edits, with the same state.
fn edit_in_another_process(documents: &MemoryDatabase, state: &MemoryState) {
    documents.save("note", "from a trigger");
    let key = DocumentId::from("note").to_key();
    let index = state.read(Table::Index, std::slice::from_ref(&key));
    let index = index.now_or_never().unwrap().unwrap().remove(0);
    let value = Some(queue_change(None, index.as_deref(), 1).unwrap());
    let update = Update { table: Table::Dirty, key, value };
    state.write(Vec::new(), vec![update]).now_or_never().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_another_process_queued_is_found_by_counting() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    edit_in_another_process(&alice.documents, &alice.state);
    let done = alice.run(7 * SECOND).await;
    assert_eq!(done[0].1, Cause::Edit);
    assert_eq!(done[0].2.as_ref().unwrap().pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_another_process_queued_during_a_sync_is_not_taken_for_stuck() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    let (documents, state) = (alice.documents.clone(), alice.state.clone());
    // An idle sync has looked at the queue before it reads the log.
    alice.storage.inner.before("get", "changes/", move || {
        edit_in_another_process(&documents, &state);
    });
    alice.time.sleep_through(HOUR);
    let done = alice.run(20 * SECOND).await;
    let pushed: u64 = done.iter().map(|(.., outcome)| outcome.as_ref().unwrap().pushed).sum();
    assert_eq!((pushed, done[0].1), (1, Cause::Remote));
}

#[tokio::test(start_paused = true)]
async fn what_was_set_aside_is_tried_again_soon_though_the_storage_is_silent() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    alice.storage.inner.fail("get", "docs/", Fault::Refused(ErrorKind::Unsupported));
    bob.edit("large", &"x".repeat(5000));
    bob.sync();
    let done = alice.run(4 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap().deferred.len(), 1);
    alice.run(6 * SECOND).await;
    assert_eq!(alice.read("large").map(|text| text.len()), Some(5000));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_pushed_is_no_reason_to_sync_again_and_again() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    bob.edit("note", "bob's");
    bob.sync();
    // A conflict that nobody decides stays in the queue.
    alice.edit("note", "alice's").await;
    alice.run(HOUR).await;
    assert_eq!(alice.client.status().await.unwrap().queued, 1);
    alice.requests();
    let done = alice.run(HOUR).await;
    assert!(done.len() <= 12, "{} syncs", done.len());
    alice.edit("other", "text").await;
    let done = alice.run(2 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap().pushed, 1, "others are synced");
}

#[tokio::test(start_paused = true)]
async fn edits_that_were_not_queued_are_found_by_a_comparison_without_a_request() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    alice.documents.save("note", "new");
    assert!(alice.client.compare().await.unwrap());
    assert!(!alice.client.compare().await.unwrap(), "it is queued already");
    assert_eq!(alice.requests(), (0, 0));
    let done = alice.run(2 * SECOND).await;
    assert_eq!((done[0].1, done[0].2.as_ref().unwrap().pushed), (Cause::Edit, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_pulled_is_no_edit() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    bob.edit("note", "new");
    bob.edit("another", "text");
    bob.sync();
    alice.run(4 * SECOND).await;
    assert_eq!(alice.read("another").as_deref(), Some("text"));
    assert!(!alice.client.compare().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_comparison_has_the_brake_of_a_sync() {
    let (world, bob) = with_a_commit();
    (0..30).for_each(|i| bob.edit(format!("doc {i}"), "text"));
    bob.sync();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    (0..30).for_each(|i| alice.documents.remove(format!("doc {i}")));
    let error = alice.client.compare().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
    assert_eq!(alice.client.status().await.unwrap().queued, 0);
    alice.client.compare_at_next_sync();
    let done = alice.run(2 * SECOND).await;
    let [(_, Cause::Edit, Err(error))] = &done[..] else { panic!("{done:?}") };
    assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_slept_syncs_when_it_wakes() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    alice.run(HOUR).await;
    let (time, asleep) = (alice.time.clone(), 40 * SECOND);
    let night = async {
        sleep(asleep).await;
        time.sleep_through(8 * HOUR);
    };
    let (done, ()) = tokio::join!(alice.run(50 * SECOND), night);
    assert_eq!(causes(&done), [Cause::Remote]);
    assert!(done[0].0 - asleep <= 5 * SECOND);
}
