//! Waiting for another device.

use std::time::{Duration, Instant};

use db_to_cloud::{Adapter, Key, Wait};
use db_to_cloud_test_doubles::{Drive, Fault, drive};

use crate::support::{config, open};

const MOMENT: Duration = Duration::from_millis(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_another_device_ends_the_waiting() {
    let double = Drive::start().await;
    let config = config(&double).with_poll(Duration::from_millis(20));
    let (alice, bob) = (open(&config), open(&config));
    alice.create(&Key::change(1), "a".into()).await.unwrap();
    bob.get(&Key::change(1)).await.unwrap().unwrap();
    assert_eq!(bob.wait_for_change(MOMENT).await.unwrap(), Wait::Changed, "who knows");
    assert_eq!(bob.wait_for_change(MOMENT).await.unwrap(), Wait::TimedOut);
    // What it writes itself is no news, and a document without a commit neither.
    bob.create(&Key::change(2), "b".into()).await.unwrap();
    alice.put(&Key::parse("probe/a").unwrap(), "x".into()).await.unwrap();
    assert_eq!(bob.wait_for_change(MOMENT).await.unwrap(), Wait::TimedOut);

    let began = Instant::now();
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        alice.get(&Key::change(2)).await.unwrap();
        alice.create(&Key::change(3), "a".into()).await.unwrap();
    };
    let (waited, ()) = tokio::join!(bob.wait_for_change(Duration::from_secs(60)), later);
    assert_eq!(waited.unwrap(), Wait::Changed);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn looks_become_seldom() {
    let double = Drive::start().await;
    let storage = open(&config(&double).with_poll(Duration::from_millis(10)));
    storage.create(&Key::change(1), "a".into()).await.unwrap();
    storage.wait_for_change(MOMENT).await.unwrap();
    double.requests().forget();
    let second = Duration::from_secs(1);
    assert_eq!(storage.wait_for_change(second).await.unwrap(), Wait::TimedOut);
    let looks = double.requests().of("changes.list");
    // 10, 20, 40, 80, 120, 120 … ms.
    assert!((4..=14).contains(&looks), "{looks}");
}

#[tokio::test]
async fn a_failed_look_is_an_error_and_misses_nothing() {
    let double = Drive::start().await;
    let config = config(&double).with_poll(Duration::from_millis(10));
    let (alice, bob) = (open(&config), open(&config));
    alice.create(&Key::change(1), "a".into()).await.unwrap();
    bob.get(&Key::change(1)).await.unwrap().unwrap();
    bob.wait_for_change(MOMENT).await.unwrap();
    alice.create(&Key::change(2), "a".into()).await.unwrap();
    for fault in [Fault::DropAfter, Fault::Answer(drive::backend_error()), Fault::Truncated] {
        double.faults().fail("changes.list", "", fault);
        assert!(bob.wait_for_change(MOMENT).await.unwrap_err().is_transient());
    }
    assert_eq!(bob.wait_for_change(MOMENT).await.unwrap(), Wait::Changed);
}
