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
        for (method, fault) in lost_answers() {
            let storage = open(&config_at(server, &proxy.url()));
            // All of one race, so that the winner is among them.
            (0..8).for_each(|_| faults.fail(method, "/probe/", fault));
            let found = storage.slots().await;
            match found {
                Ok(slots) => assert_eq!(slots, Slots::Move, "{method} {fault:?}"),
                // Not "unsupported": the core would take that for weak.
                Err(error) => assert!(error.is_transient(), "{method} {fault:?}: {error}"),
            }
            faults.heal();
            assert_eq!(storage.slots().await.unwrap(), Slots::Move, "{method} {fault:?}");
        }
    }
}

fn lost_answers() -> impl Iterator<Item = (&'static str, Fault)> {
    let faults = [Fault::DropAfter, Fault::FailAfter, Fault::Portal];
    ["MKCOL", "PUT", "MOVE"].into_iter().flat_map(move |method| faults.map(|fault| (method, fault)))
}
