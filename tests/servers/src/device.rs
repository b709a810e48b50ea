//! A device whose documents are in memory, and whose storage is a real one.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{
    Adapter, Client, ClientBuilder, DocumentId, Error, KeepBoth, Report, SyncOptions,
};

/// A device that keeps both sides of a conflict.
#[derive(Debug)]
pub struct Device {
    /// Its documents.
    pub documents: MemoryDatabase,
    /// Its client.
    pub client: Client,
    name: &'static str,
    state: Arc<MemoryState>,
}

impl Device {
    /// A device that knows nothing yet.
    pub fn new(name: &'static str, storage: Arc<dyn Adapter>) -> Self {
        Self::set_up(name, storage, |builder| builder)
    }

    /// The same with other settings.
    pub fn set_up(
        name: &'static str,
        storage: Arc<dyn Adapter>,
        setup: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let (documents, state) = (MemoryDatabase::new(), Arc::new(MemoryState::new()));
        Self::with(name, documents, state, storage, setup)
    }

    /// The same device after its process ended: the same documents and the same client state.
    #[must_use]
    pub fn reopened(&self, storage: Arc<dyn Adapter>) -> Self {
        let (documents, state) = (self.documents.clone(), self.state.clone());
        Self::with(self.name, documents, state, storage, |builder| builder)
    }

    fn with(
        name: &'static str,
        documents: MemoryDatabase,
        state: Arc<MemoryState>,
        storage: Arc<dyn Adapter>,
        setup: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let copy = move |conflict: &db_to_cloud::Conflict| {
            DocumentId::from(format!("{} ({name})", conflict.id))
        };
        let resolver = Arc::new(KeepBoth::new(copy));
        let builder =
            Client::builder(storage, Arc::new(documents.clone()), state.clone(), resolver);
        let client = setup(builder.with_device(name)).build();
        Self { documents, client, name, state }
    }

    /// Writes a document and queues it.
    pub async fn edit(&self, id: &str, text: &str) {
        self.documents.save(id, text.to_owned());
        self.client.queue_change(&id.into()).await.unwrap();
    }

    /// Deletes a document and queues that.
    pub async fn delete(&self, id: &str) {
        self.documents.remove(id);
        self.client.queue_change(&id.into()).await.unwrap();
    }

    /// Syncs; must succeed.
    pub async fn sync(&self) -> Report {
        self.try_sync().await.unwrap()
    }

    /// Syncs.
    ///
    /// # Errors
    /// Those of the sync.
    pub async fn try_sync(&self) -> Result<Report, Error> {
        // Under faults a device may meet the storage late, with documents of its own (rule C7).
        let join = SyncOptions { join: true, ..SyncOptions::default() };
        self.client.sync_with(join).await
    }

    /// The text of a document.
    pub fn read(&self, id: &str) -> Option<String> {
        self.all().remove(&id.into())
    }

    /// All documents.
    pub fn all(&self) -> BTreeMap<DocumentId, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.documents.documents().iter().map(|(id, d)| (id.clone(), text(&d.bytes))).collect()
    }
}
