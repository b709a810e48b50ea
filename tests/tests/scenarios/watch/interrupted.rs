//! Futures that are dropped at any moment: nothing is forgotten, and no pause starts anew.

use std::time::Duration;

use db_to_cloud::{Cause, WatchOptions};
use db_to_cloud_tests::Fault;
use tokio::time::{Instant, timeout};

use super::storage::Waiting;
use super::watcher::Watcher;
use super::{SECOND, with_a_commit};

/// Waits by futures that are dropped after a moment each.
async fn changed_in_pieces(alice: &mut Watcher, piece: Duration) -> (Cause, Duration) {
    let began = Instant::now();
    loop {
        if let Ok(cause) = timeout(piece, alice.watch.changed()).await {
            return (cause, began.elapsed());
        }
        assert!(began.elapsed() < 10_000 * SECOND, "it never comes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_again_and_again_ends_when_it_should() {
    for waiting in [Waiting::Polled, Waiting::Truly] {
        for piece in [Duration::from_millis(70), 2 * SECOND] {
            let (world, bob) = with_a_commit();
            let mut alice = Watcher::new(&world, waiting).settled().await;
            alice.edit("note", "new").await;
            let (cause, took) = changed_in_pieces(&mut alice, piece).await;
            assert_eq!(cause, Cause::Edit);
            assert!(took <= 2 * SECOND, "{took:?}");
            alice.run(10 * SECOND).await;
            bob.sync();
            bob.edit("note", "bob's");
            bob.sync();
            let (cause, took) = changed_in_pieces(&mut alice, piece).await;
            let longest = WatchOptions::default().longest_poll;
            assert!(took <= longest, "{waiting:?}: {took:?} until {cause:?}");
            alice.watch.sync().await.unwrap();
            assert_eq!(alice.read("note").as_deref(), Some("bob's"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_told_is_not_forgotten_with_the_future_that_was_told() {
    let (world, bob) = with_a_commit();
    let options = WatchOptions { shortest_poll: 60 * SECOND, ..WatchOptions::default() };
    let mut alice = Watcher::with(&world, Waiting::Truly, options).settled().await;
    // A second call in vain, after the one at the start: the next one is heard only after a pause, in
    // which the future is dropped.
    alice.time.sleep_through(60 * SECOND);
    assert_eq!(alice.run(10 * SECOND).await.len(), 1);
    bob.edit("note", "bob's");
    bob.sync();
    assert!(timeout(20 * SECOND, alice.watch.changed()).await.is_err(), "it is put off");
    let (cause, took) = changed_in_pieces(&mut alice, SECOND).await;
    assert_eq!(cause, Cause::Remote);
    assert!(took <= 60 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_dropped_is_due_at_once() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    alice.edit("note", "new").await;
    alice.watch.changed().await;
    alice.storage.inner.fail("create", "", Fault::Hangs);
    assert!(timeout(SECOND, alice.watch.sync()).await.is_err());
    assert!(timeout(Duration::from_millis(1), alice.watch.changed()).await.is_ok());
    alice.watch.sync().await.unwrap();
    bob.sync();
    assert_eq!(bob.read("note").as_deref(), Some("new"));
}
