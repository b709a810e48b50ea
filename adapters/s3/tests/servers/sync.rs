//! Whole syncs of two devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{
    Adapter, Client, ClientBuilder, DocumentId, Error, KeepBoth, Report, SyncOptions,
};
use db_to_cloud_test_servers::Server;

use crate::support::{localstack, minio, moto, new_bucket, open};

/// A device with documents in memory.
pub(crate) struct Device {
    pub(crate) documents: MemoryDatabase,
    pub(crate) client: Client,
}

impl Device {
    pub(crate) fn new(name: &'static str, storage: Arc<dyn Adapter>) -> Self {
        Self::set_up(name, storage, |builder| builder)
    }

    pub(crate) fn set_up(
        name: &'static str,
        storage: Arc<dyn Adapter>,
        setup: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let (documents, state) = (MemoryDatabase::new(), MemoryState::new());
        let copy = move |conflict: &db_to_cloud::Conflict| {
            DocumentId::from(format!("{} ({name})", conflict.id))
        };
        let resolver = Arc::new(KeepBoth::new(copy));
        let builder =
            Client::builder(storage, Arc::new(documents.clone()), Arc::new(state), resolver);
        let client = setup(builder.with_device(name)).build();
        Self { documents, client }
    }

    pub(crate) async fn edit(&self, id: &str, text: &str) {
        self.documents.save(id, text.to_owned());
        self.client.queue_change(&id.into()).await.unwrap();
    }

    pub(crate) async fn delete(&self, id: &str) {
        self.documents.remove(id);
        self.client.queue_change(&id.into()).await.unwrap();
    }

    pub(crate) async fn sync(&self) -> Report {
        self.try_sync().await.unwrap()
    }

    pub(crate) async fn try_sync(&self) -> Result<Report, Error> {
        self.client.sync_with(SyncOptions::default()).await
    }

    pub(crate) fn read(&self, id: &str) -> Option<String> {
        self.all().remove(&id.into())
    }

    pub(crate) fn all(&self) -> BTreeMap<DocumentId, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.documents.documents().iter().map(|(id, d)| (id.clone(), text(&d.bytes))).collect()
    }
}

async fn two_devices_sync(server: &Server) {
    let config = new_bucket(server).await;
    let alice = Device::new("alice", Arc::new(open(&config)));
    let bob = Device::new("bob", Arc::new(open(&config)));
    for i in 0..120 {
        alice.edit(&format!("note {i}"), &format!("text {i}")).await;
    }
    alice.edit("large", &"x".repeat(100_000)).await;
    assert_eq!(alice.sync().await.pushed, 121);
    assert_eq!(bob.sync().await.pulled, 121);

    alice.edit("note 1", "alice's").await;
    bob.edit("note 1", "bob's").await;
    bob.delete("note 2").await;
    for device in [&alice, &bob, &alice] {
        device.sync().await;
    }
    assert_eq!(alice.all(), bob.all());
    let texts: Vec<_> = alice.all().into_values().collect();
    assert!(texts.contains(&"alice's".into()) && texts.contains(&"bob's".into()));
    assert_eq!(alice.read("note 2"), None);

    let idle = alice.sync().await;
    assert_eq!(idle.requests.total(), 1, "{:?}", idle.requests);
}

/// Both commit at once, again and again: every commit finds its slot.
async fn two_devices_race(server: &Server) {
    let config = new_bucket(server).await;
    let alice = Device::new("alice", Arc::new(open(&config)));
    let bob = Device::new("bob", Arc::new(open(&config)));
    for round in 0..8 {
        alice.edit(&format!("alice {round}"), "a").await;
        bob.edit(&format!("bob {round}"), "b").await;
        let (a, b) = tokio::join!(alice.try_sync(), bob.try_sync());
        a.and(b).unwrap();
    }
    alice.sync().await;
    bob.sync().await;
    assert_eq!((alice.all().len(), alice.all()), (16, bob.all()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_minio() {
    two_devices_sync(minio()).await;
    two_devices_race(minio()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_localstack() {
    two_devices_sync(localstack()).await;
    two_devices_race(localstack()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_moto() {
    two_devices_sync(moto()).await;
}
