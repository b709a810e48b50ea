//! Dropbox asks for fewer requests.

use std::time::{Duration, Instant};

use db_to_cloud::{Adapter, ErrorKind, Folder, Key};
use db_to_cloud_test_doubles::dropbox::answers;
use db_to_cloud_test_doubles::{Answer, Dropbox, Fault};
use db_to_cloud_test_servers::Device;

use crate::support::{config, open, shared};

#[tokio::test]
async fn a_pause_that_one_request_is_asked_for_is_kept_by_all() {
    for answer in [
        answers::rate_limited(60),
        answers::rate_limited_text(60),
        answers::rate_limited_until(Duration::from_secs(60)),
        answers::too_many_write_operations(Some(60)),
        answers::server_error(503).with("retry-after", 60),
    ] {
        let dropbox = Dropbox::start().await;
        let storage = open(&config(&dropbox));
        dropbox.faults().fail("files/download", "", Fault::Answer(answer.clone()));
        let asked = storage.get(&Key::metadata()).await.unwrap_err();
        let others = [
            storage.put(&Key::metadata(), "x".into()).await.unwrap_err(),
            storage.create(&Key::change(1), "x".into()).await.unwrap_err(),
            storage.delete(&Key::change(1)).await.unwrap_err(),
            storage.list(Folder::Changes, None).await.unwrap_err(),
            storage.clone().get(&Key::metadata()).await.unwrap_err(),
        ];
        for error in others.iter().chain([&asked]) {
            assert_eq!(error.kind(), ErrorKind::Throttled, "{answer:?}: {error}");
            let pause = error.retry_after().unwrap().as_secs();
            assert!((55..=62).contains(&pause), "{answer:?}: {pause} s");
        }
        assert_eq!(dropbox.requests().total(), 1, "{answer:?}: nothing else was sent");
        // Another client is not concerned.
        open(&config(&dropbox)).put(&Key::metadata(), "x".into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_short_pause_is_waited_for() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    let refused = answers::too_many_write_operations(None);
    dropbox.faults().fail("files/upload", "", Fault::Answer(refused));
    let began = Instant::now();
    let error = storage.put(&Key::metadata(), "x".into()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(storage.get(&Key::metadata()).await.unwrap(), None);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

/// It may come after the write.
#[tokio::test]
async fn a_create_that_was_throttled_may_have_been_done() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    for answer in [answers::rate_limited(1), answers::server_error(500)] {
        dropbox.faults().fail("files/upload", "", Fault::AnswerAfter(answer));
        let error = storage.create(&Key::change(1), "x".into()).await.unwrap_err();
        assert_eq!(error.effect(), db_to_cloud::Effect::Unknown);
    }
    assert_eq!(storage.get(&Key::change(1)).await.unwrap().unwrap(), "x");
}

/// Creates at once are what an account's lock does not bear: those refused have not won, nor does it
/// make the storage weak.
#[tokio::test(flavor = "multi_thread")]
async fn the_race_bears_refusals() {
    for nth in [2, 3, 5] {
        let dropbox = Dropbox::start().await;
        let refused = Fault::Answer(answers::too_many_write_operations(None));
        dropbox.faults().fail_every(nth, "files/upload", "/probe/", refused);
        let alice = Device::set_up("alice", shared(&dropbox), |builder| builder.require_strong());
        alice.edit("note", "x").await;
        alice.sync().await;
        assert!(dropbox.faults().happened() > 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_come_through_many_refusals() {
    let dropbox = Dropbox::start().await;
    let (alice, bob) =
        (Device::new("alice", shared(&dropbox)), Device::new("bob", shared(&dropbox)));
    alice.edit("first", "x").await;
    alice.sync().await;
    let refusals: [(usize, &str, Answer); 4] = [
        (5, "files/download", answers::rate_limited(1)),
        (3, "files/upload", answers::too_many_write_operations(None)),
        (2, "finish_batch_v2", answers::too_many_write_operations(Some(1))),
        (2, "append_batch", answers::rate_limited_text(1)),
    ];
    for (nth, route, answer) in refusals {
        dropbox.faults().fail_every(nth, route, "", Fault::Answer(answer));
    }
    dropbox.refuse_every_entry(5);
    for i in 0..50 {
        alice.edit(&format!("note {i}"), "text").await;
    }
    alice.sync().await;
    bob.sync().await;
    assert!(dropbox.faults().happened() > 2);
    assert_eq!((bob.all().len(), bob.all()), (51, alice.all()));
}
