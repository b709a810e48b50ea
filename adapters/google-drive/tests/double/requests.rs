//! How many requests things cost.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud_test_doubles::{Drive, Fault};
use db_to_cloud_test_servers::Device;

use crate::support::{config, open};

/// The budgets of the protocol, in requests on the wire.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_keeps_the_budgets_of_the_protocol() {
    let double = Drive::start().await;
    let config = config(&double);
    let device = |name| Device::new(name, Arc::new(open(&config)));
    let (alice, bob) = (device("alice"), device("bob"));
    alice.edit("first", "x").await;
    alice.sync().await;
    bob.sync().await;
    let counted = || {
        let all = double.requests().total() - double.requests().of("files.generateIds");
        (all, double.requests().by_route())
    };

    double.requests().forget();
    alice.sync().await;
    assert_eq!(counted().0, 2, "an idle sync: {:?}", counted().1);

    for i in 0..100 {
        alice.edit(&format!("note {i}"), "small").await;
    }
    double.requests().forget();
    assert_eq!(alice.sync().await.pushed, 100);
    assert_eq!(counted().0, 100 + 2 + 1, "a push of 100: {:?}", counted().1);
    assert!(double.requests().of("files.generateIds") <= 1);

    double.requests().forget();
    assert_eq!(bob.sync().await.pulled, 100);
    assert_eq!(counted().0, 3, "a pull of one commit of small documents: {:?}", counted().1);

    for i in 0..20 {
        alice.edit(&format!("large {i}"), &"x".repeat(10_000)).await;
    }
    alice.sync().await;
    double.requests().forget();
    assert_eq!(bob.sync().await.pulled, 20);
    assert_eq!(counted().0, 3 + 20, "large documents by their ids: {:?}", counted().1);
    assert_eq!(double.requests().of("files.list"), 0);
}

/// So many at once, not more.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_keep_to_the_concurrency() {
    let double = Drive::start().await;
    let config = config(&double).with_concurrency(3);
    let delay = Fault::Delay(Duration::from_millis(20));
    double.faults().fail_every(1, "files.upload", "", delay);
    let alice = Device::new("alice", Arc::new(open(&config)));
    for i in 0..60 {
        alice.edit(&format!("note {i}"), "x").await;
    }
    alice.sync().await;
    // The creates of the probe may run beside the uploads.
    let most = double.requests().most_at_once("files.upload");
    assert!((2..=3 + 8).contains(&most), "{most}");
}
