//! A device is stopped at any moment and starts again with what it had stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Client, RemoteWins, SyncOptions};
use db_to_cloud_test_doubles::Dropbox;

use crate::support::shared;

/// What outlives a stop.
struct Disk {
    documents: MemoryDatabase,
    state: MemoryState,
}

impl Disk {
    fn new() -> Self {
        Self { documents: MemoryDatabase::new(), state: MemoryState::new() }
    }

    /// A process that begins: with its own connections, and without memory.
    fn start(&self, dropbox: &Dropbox) -> Client {
        let (documents, state) = (Arc::new(self.documents.clone()), Arc::new(self.state.clone()));
        Client::builder(shared(dropbox), documents, state, Arc::new(RemoteWins)).build()
    }

    fn texts(&self) -> BTreeMap<String, Vec<u8>> {
        let documents = self.documents.documents();
        documents.iter().map(|(id, document)| (id.to_string(), document.bytes.to_vec())).collect()
    }
}

const KILLS: u64 = 150;

/// Which device begins the storage is not known, so both join it (rule C7).
async fn sync(client: &Client) {
    let join = SyncOptions { join: true, ..SyncOptions::default() };
    client.sync_with(join).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_that_are_killed_anywhere_lose_nothing() {
    let dropbox = Dropbox::start().await;
    dropbox.set_batch_time(Duration::from_millis(3));
    let (alice, bob) = (Disk::new(), Disk::new());
    let mut killed = 0;
    for round in 0..KILLS {
        for (who, disk) in [("alice", &alice), ("bob", &bob)] {
            let client = disk.start(&dropbox);
            for i in 0..5 {
                // Documents of one device, so that none is lost to a conflict.
                let id = format!("{who} {}", (round * 3 + i) % 40);
                disk.documents.save(id.as_str(), format!("round {round}"));
                client.queue_change(&id.as_str().into()).await.unwrap();
            }
            let patience = Duration::from_millis((round * 7) % 30);
            killed += usize::from(tokio::time::timeout(patience, sync(&client)).await.is_err());
        }
    }
    println!("{killed} of {} syncs were killed", 2 * KILLS);
    assert!(killed > KILLS as usize / 2);
    // Requests that were under way may still arrive.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for disk in [&alice, &bob, &alice, &bob] {
        sync(&disk.start(&dropbox)).await;
    }
    let fresh = Disk::new();
    fresh.start(&dropbox).sync().await.unwrap();
    let written = |disk: &Disk, who: &str| {
        disk.texts().into_iter().filter(|(id, _)| id.contains(who)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(alice.texts().len(), 80);
    assert_eq!(alice.texts(), bob.texts());
    assert_eq!(alice.texts(), fresh.texts());
    assert_eq!(written(&alice, "alice").len(), 40);
}
