//! What fails for now is tried again; what needs the user ends the watch.

use std::time::Duration;

use db_to_cloud::{Cause, ErrorKind, SyncOptions, WatchOptions, Watched};
use db_to_cloud_tests::Fault;

use super::storage::Waiting;
use super::watcher::{Watcher, causes};
use super::{HOUR, SECOND, with_a_commit};

fn refuse_for_ever(alice: &Watcher, kind: ErrorKind) {
    (0..5000).for_each(|_| alice.storage.inner.fail("get", "", Fault::Refused(kind)));
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_away_is_tried_less_and_less_often_until_it_is_back() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    refuse_for_ever(&alice, ErrorKind::Unavailable);
    alice.edit("mine", "made while away").await;
    let done = alice.run(6 * HOUR).await;
    assert!(done.iter().all(|(.., outcome)| outcome.is_err()));
    assert!(causes(&done[1..]).iter().all(|cause| *cause == Cause::Retry));
    assert!((70..160).contains(&done.len()), "{} attempts in 6 hours", done.len());
    alice.storage.inner.heal();
    let done = alice.run(300 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap().pushed, 1);
    bob.sync();
    assert_eq!(bob.read("mine").as_deref(), Some("made while away"));
}

#[tokio::test(start_paused = true)]
async fn devices_that_failed_together_do_not_come_back_together() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    refuse_for_ever(&alice, ErrorKind::Unavailable);
    let (options, mut shares) = (WatchOptions::default(), Vec::new());
    for doubled in 0..12 {
        alice.watch.changed().await;
        let Ok(Watched::Retry { after: pause, .. }) = alice.watch.sync().await else {
            panic!("it went")
        };
        let longest = options.longest_poll.min(options.shortest_poll * 2u32.pow(doubled));
        assert!(pause <= longest && pause >= longest / 2, "{pause:?} of {longest:?}");
        shares.push(pause.div_duration_f64(longest));
    }
    let spread =
        shares.iter().copied().fold(0.0, f64::max) - shares.iter().copied().fold(1.0, f64::min);
    assert!(spread > 0.1, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn the_pause_that_a_storage_asks_for_is_kept() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    alice.storage.inner.fail("get", "", Fault::Throttled(2 * HOUR));
    alice.edit("note", "new").await;
    let done = alice.run(3 * HOUR).await;
    assert_eq!(done[0].2.as_ref().unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(done[1].1, Cause::Retry);
    assert!(done[1].0 - done[0].0 >= 2 * HOUR, "{:?}", done[1].0);
    assert_eq!(done[1].2.as_ref().unwrap().pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_sync_of_another_process_is_waited_for() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    let claim = db_to_cloud::state::StateStore::claim(&alice.state).await.unwrap();
    alice.edit("note", "new").await;
    let done = alice.run(20 * SECOND).await;
    assert!(done.len() > 1);
    assert!(
        done.iter().all(|(.., outcome)| outcome.as_ref().unwrap_err().kind() == ErrorKind::Busy)
    );
    drop(claim);
    let done = alice.run(60 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap().pushed, 1);
}

#[tokio::test(start_paused = true)]
async fn what_needs_the_user_ends_the_watch_and_is_met_again_at_once() {
    for kind in [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::Full] {
        let (world, _) = with_a_commit();
        let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
        alice.storage.inner.fail("get", "", Fault::Refused(kind));
        alice.edit("note", "new").await;
        alice.watch.changed().await;
        assert_eq!(alice.watch.sync().await.unwrap_err().kind(), kind);
        // The user mended it: nothing was forgotten.
        let done = alice.run(Duration::from_millis(1)).await;
        assert_eq!(done[0].2.as_ref().unwrap().pushed, 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchanged_storage_ends_the_watch() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    let before = alice.documents.documents().clone();
    world.restore(&[]);
    alice.edit("mine", "text").await;
    let done = alice.run(HOUR).await;
    let Some((.., Err(error))) = done.last() else { panic!("{done:?}") };
    assert_eq!((error.kind(), done.len()), (ErrorKind::Diverged, 1));
    assert!(before.keys().all(|id| alice.documents.documents().contains_key(id)));
}

#[tokio::test(start_paused = true)]
async fn what_the_user_decided_counts_for_the_first_sync_that_goes_well_alone() {
    let (world, bob) = with_a_commit();
    (0..30).for_each(|i| bob.edit(format!("doc {i}"), "text"));
    bob.sync();
    let alice = Watcher::new(&world, Waiting::Polled).settled().await;
    let first = SyncOptions { accept_deletes: true, ..SyncOptions::default() };
    let options = WatchOptions { first, ..WatchOptions::default() };
    let mut alice = Watcher { watch: alice.client.watch(options), ..alice };
    let delete_all = |alice: &Watcher| {
        alice.documents.documents().clear();
        alice.client.compare_at_next_sync();
    };
    delete_all(&alice);
    refuse_for_ever(&alice, ErrorKind::Unavailable);
    let done = alice.run(120 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    alice.storage.inner.heal();
    let done = alice.run(300 * SECOND).await;
    assert_eq!(done[0].2.as_ref().unwrap().pushed, 31);
    bob.try_sync_with(first).unwrap();
    (0..30).for_each(|i| bob.edit(format!("doc {i}"), "again"));
    bob.sync();
    alice.run(HOUR).await;
    delete_all(&alice);
    let done = alice.run(HOUR).await;
    let Some((.., Err(error))) = done.last() else { panic!("{done:?}") };
    assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
}
