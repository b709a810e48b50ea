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
            let found = storage.slots().await;
            assert!(found.is_err_and(|error| error.is_transient()), "{fault:?}");
            faults.heal();
            assert_eq!(storage.slots().await.unwrap(), Slots::Move, "{fault:?}");
        }
    }
}
