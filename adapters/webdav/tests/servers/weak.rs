//! A server that cannot make log slots is used under the lock or not at all. None of those here is so
//! weak; the marker in the storage says it, as the probe of such a server would.

use std::sync::Arc;

use db_to_cloud::{Adapter, ErrorKind};
use db_to_cloud_test_servers::{Device, Server, stories};
use db_to_cloud_webdav::{Slots, WebDavConfig};

use crate::support::{apache, config, lighttpd, nginx, open, rclone, sabre, wsgidav};

fn weak(server: &Server) -> WebDavConfig {
    config(server).with_slots(Slots::None)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_under_the_lock_with_a_warning() {
    let story = async |server| {
        let config = weak(server);
        let open = || Arc::new(open(&config)) as Arc<dyn Adapter>;
        stories::a_weak_server_is_found_out(&open).await;
    };
    let servers = [apache(), nginx(), lighttpd(), wsgidav(), sabre(), rclone()];
    // At once: most of the time they wait for the lock.
    futures::future::join_all(servers.map(story)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_server_is_refused_by_who_requires_a_strong_one() {
    let storage = Arc::new(open(&weak(apache())));
    let strict = Device::set_up("alice", storage, |builder| builder.require_strong());
    strict.edit("note", "hello").await;
    assert_eq!(strict.try_sync().await.unwrap_err().kind(), ErrorKind::WeakStorage);
}
