//! A server that ignores conditions is found out, and used under the lock or not at all.

use std::sync::{Arc, Mutex};

use db_to_cloud::{ErrorKind, Event};

use crate::support::{new_bucket, open, rclone};
use crate::sync::Device;

#[tokio::test(flavor = "multi_thread")]
async fn rclone_is_found_weak_and_two_devices_sync_with_a_warning() {
    let config = new_bucket(rclone()).await;
    let warned = Arc::new(Mutex::new(0));
    let counts = warned.clone();
    let alice = Device::set_up("alice", Arc::new(open(&config)), |builder| {
        builder.on_progress(move |event| {
            if matches!(event, Event::WeakStorage) {
                *counts.lock().unwrap() += 1;
            }
        })
    });
    let bob = Device::new("bob", Arc::new(open(&config)));
    alice.edit("note", "hello").await;
    alice.edit("gone", "soon").await;
    alice.sync().await;
    assert_eq!(*warned.lock().unwrap(), 1);
    bob.sync().await;
    bob.edit("note", "hello yourself").await;
    bob.delete("gone").await;
    bob.sync().await;
    alice.sync().await;
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.read("note").as_deref(), Some("hello yourself"));
    assert_eq!(alice.read("gone"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rclone_is_refused_by_who_requires_a_strong_storage() {
    let config = new_bucket(rclone()).await;
    let strict =
        Device::set_up("alice", Arc::new(open(&config)), |builder| builder.require_strong());
    strict.edit("note", "hello").await;
    assert_eq!(strict.try_sync().await.unwrap_err().kind(), ErrorKind::WeakStorage);
}
