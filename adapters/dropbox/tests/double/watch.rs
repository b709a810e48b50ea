//! Waiting for another device's commit.

use std::time::{Duration, Instant};

use db_to_cloud::{Adapter, Key, Wait};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::dropbox::answers;
use db_to_cloud_test_doubles::{Dropbox, Fault};
use db_to_cloud_test_servers::Device;

use crate::support::{config, open, shared};

const LONGPOLL: &str = "files/list_folder/longpoll";
const CONTINUE: &str = "files/list_folder/continue";
const MINUTE: Duration = Duration::from_secs(60);

/// A storage that has heard of all there is.
async fn listening() -> (Dropbox, DropboxAdapter) {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    storage.create(&Key::change(1), "x".into()).await.unwrap();
    let first = storage.wait_for_change(MINUTE).await.unwrap();
    assert_eq!(first, Wait::Changed, "a commit may have come before it");
    dropbox.requests().forget();
    (dropbox, storage)
}

async fn commit(dropbox: &Dropbox, n: u64) {
    shared(dropbox).create(&Key::change(n), "x".into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_wakes_another_device_at_once() {
    let dropbox = Dropbox::start().await;
    let (alice, bob) =
        (Device::new("alice", shared(&dropbox)), Device::new("bob", shared(&dropbox)));
    alice.edit("note", "hello").await;
    alice.sync().await;
    bob.client.wait_for_change(MINUTE).await.unwrap();
    bob.sync().await;
    let woken = tokio::spawn(async move {
        let woken = bob.client.wait_for_change(MINUTE).await.unwrap();
        (woken, Instant::now(), bob)
    });
    while dropbox.requests().of(LONGPOLL) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    alice.edit("note", "hello again").await;
    alice.sync().await;
    let committed = Instant::now();
    let (wait, woken, bob) = woken.await.unwrap();
    assert_eq!(wait, Wait::Changed);
    assert!(woken.saturating_duration_since(committed) < Duration::from_secs(5));
    bob.sync().await;
    assert_eq!(bob.read("note").as_deref(), Some("hello again"));
}

#[tokio::test]
async fn a_commit_between_two_waits_is_told_by_the_second_and_once() {
    let (dropbox, storage) = listening().await;
    commit(&dropbox, 2).await;
    commit(&dropbox, 3).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    let short = Duration::from_millis(300);
    assert_eq!(storage.wait_for_change(short).await.unwrap(), Wait::TimedOut);
    assert_eq!((dropbox.requests().of(LONGPOLL), dropbox.requests().of(CONTINUE)), (2, 1));
}

#[tokio::test]
async fn a_quiet_time_is_one_request_and_no_longer_than_asked_for() {
    let (dropbox, storage) = listening().await;
    let began = Instant::now();
    let wait = storage.wait_for_change(Duration::from_millis(500)).await.unwrap();
    assert_eq!(wait, Wait::TimedOut);
    assert!((500..1500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(dropbox.requests().total(), 1);
    // Far beyond what Dropbox takes: 480 s, twice.
    dropbox.set_longpoll_second(Duration::from_millis(1));
    let wait = tokio::time::timeout(
        Duration::from_millis(1300),
        storage.wait_for_change(Duration::from_secs(3600)),
    );
    assert!(wait.await.is_err());
    assert!((3..=4).contains(&dropbox.requests().of(LONGPOLL)), "{:?}", dropbox.requests());
}

#[tokio::test]
async fn a_change_elsewhere_in_dropbox_is_none() {
    let (dropbox, storage) = listening().await;
    dropbox.raise_false_alarms(2);
    let short = Duration::from_millis(500);
    assert_eq!(storage.wait_for_change(short).await.unwrap(), Wait::TimedOut);
    assert_eq!((dropbox.requests().of(LONGPOLL), dropbox.requests().of(CONTINUE)), (3, 2));
    commit(&dropbox, 2).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
}

#[tokio::test]
async fn peace_that_is_asked_for_is_kept_also_by_the_next_wait() {
    let (dropbox, storage) = listening().await;
    dropbox.set_longpoll_second(Duration::from_millis(1));
    dropbox.set_longpoll_backoff(Some(2));
    let began = Instant::now();
    let short = Duration::from_millis(300);
    assert_eq!(storage.wait_for_change(short).await.unwrap(), Wait::TimedOut);
    assert_eq!(dropbox.requests().of(LONGPOLL), 1);
    commit(&dropbox, 2).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(dropbox.requests().of(LONGPOLL), 2);
}

/// What the lost cursor would have told is not known.
#[tokio::test]
async fn a_cursor_that_is_reset_is_a_change_and_a_new_cursor() {
    let (dropbox, storage) = listening().await;
    dropbox.reset_cursors();
    commit(&dropbox, 2).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    let short = Duration::from_millis(300);
    assert_eq!(storage.wait_for_change(short).await.unwrap(), Wait::TimedOut);
    commit(&dropbox, 3).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
}

/// Who is told of changes again and again would sync again and again.
#[tokio::test]
async fn cursors_that_are_never_of_use_are_an_error() {
    let (dropbox, storage) = listening().await;
    dropbox.faults().fail_every(1, LONGPOLL, "", Fault::Answer(answers::reset()));
    let mut waits = 0;
    let error = loop {
        waits += 1;
        if let Err(error) = storage.wait_for_change(MINUTE).await {
            break error;
        }
    };
    assert!(waits <= 4 && error.is_transient(), "{waits}: {error}");
}

#[tokio::test]
async fn in_an_empty_dropbox_the_folder_of_the_log_is_made() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    commit(&dropbox, 1).await;
    assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
    assert_eq!(dropbox.requests().of("files/create_folder_v2"), 1);
}

/// However early a wait is given up: the change is told by it or by a later one.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_dropped_anywhere_swallows_nothing() {
    let (dropbox, storage) = listening().await;
    for route in [LONGPOLL, CONTINUE] {
        let slow = Fault::Delay(Duration::from_millis(4));
        dropbox.faults().fail_every(2, route, "", slow);
    }
    let mut dropped = 0;
    for n in 2..60 {
        commit(&dropbox, n).await;
        let mut told = false;
        for patience in (0..12).map(|i| Duration::from_millis((n + i) % 12)) {
            let wait = tokio::time::timeout(patience, storage.wait_for_change(MINUTE));
            match wait.await {
                Ok(wait) => told |= wait.unwrap() == Wait::Changed,
                Err(_) => dropped += 1,
            }
            if told {
                break;
            }
        }
        if !told {
            let wait = storage.wait_for_change(MINUTE).await.unwrap();
            assert_eq!(wait, Wait::Changed, "of commit {n} nobody told");
        }
    }
    assert!(dropped > 50, "{dropped}");
}

#[tokio::test]
async fn troubles_of_a_wait_are_errors_and_the_change_is_told_later() {
    let (dropbox, storage) = listening().await;
    for (n, route) in (2..).zip([LONGPOLL, CONTINUE]) {
        for answer in [answers::server_error(500), answers::server_error(200)] {
            commit(&dropbox, 10 * n + u64::from(answer.status == 200)).await;
            dropbox.faults().fail(route, "", Fault::Answer(answer));
            assert!(storage.wait_for_change(MINUTE).await.unwrap_err().is_transient());
            assert_eq!(storage.wait_for_change(MINUTE).await.unwrap(), Wait::Changed);
        }
    }
    commit(&dropbox, 99).await;
    dropbox.faults().fail(LONGPOLL, "", Fault::Answer(answers::rate_limited(60)));
    let error = storage.wait_for_change(MINUTE).await.unwrap_err();
    assert_eq!(error.retry_after().map(|pause| pause.as_secs()), Some(60));
    let short = Duration::from_millis(200);
    assert_eq!(storage.wait_for_change(short).await.unwrap(), Wait::TimedOut, "it keeps quiet");
}
