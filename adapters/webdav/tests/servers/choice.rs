//! How a server makes slots is found out by racing, also where answers are lost.

use db_to_cloud_test_servers::{Fault, FaultProxy, Faults};
use db_to_cloud_webdav::Slots;

use crate::support::{apache, config_at, nginx, open};

/// The winner of a race may not hear that it has won.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_does_not_make_a_server_look_weak() {
    for server in [apache(), nginx()] {
        let faults = Faults::default();
        let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
        for fault in [Fault::DropAfter, Fault::FailAfter, Fault::Portal] {
            let storage = open(&config_at(server, &proxy.url()));
            // All of one race, so that the winner is among them.
            (0..8).for_each(|_| faults.fail("MOVE", "/probe/", fault));
            match storage.slots().await {
                Ok(found) => assert_eq!(found, Slots::Move, "{fault:?}"),
                Err(error) => assert!(error.is_transient(), "{fault:?}: {error}"),
            }
            faults.heal();
            assert_eq!(storage.slots().await.unwrap(), Slots::Move, "{fault:?}");
        }
    }
}
