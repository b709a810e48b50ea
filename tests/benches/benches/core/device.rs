//! Devices of the benchmarks.

use std::sync::Arc;

use db_to_cloud::memory::{MemoryAdapter, MemoryDatabase, MemoryState};
use db_to_cloud::state::StateStore;
use db_to_cloud::{Client, DocumentId, RemoteWins, Report};
use db_to_cloud_benches::SlowAdapter;
use db_to_cloud_sqlite::SqliteState;

/// Bytes of a document.
pub(crate) const BYTES: usize = 300;

/// Where a device keeps its client state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    InMemory,
    InSqlite,
}

/// Documents, client state, and a way to the storage.
pub(crate) struct Device {
    pub(crate) documents: MemoryDatabase,
    pub(crate) storage: SlowAdapter,
    pub(crate) client: Client,
    state: Arc<dyn StateStore>,
    /// Holds the state's file.
    _folder: tempfile::TempDir,
}

impl Device {
    pub(crate) fn new(cloud: &MemoryAdapter, kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state: Arc<dyn StateStore> = match kept {
            Kept::InMemory => Arc::new(MemoryState::new()),
            Kept::InSqlite => {
                Arc::new(SqliteState::open(folder.path().join("state.sqlite"), "bench").unwrap())
            }
        };
        let (documents, storage) = (MemoryDatabase::new(), SlowAdapter::new(cloud.clone()));
        let client = client(&storage, &documents, &state, true);
        Self { documents, storage, client, state, _folder: folder }
    }

    /// Leaves snapshots and garbage collection to others.
    pub(crate) fn without_maintenance(mut self) -> Self {
        self.client = client(&self.storage, &self.documents, &self.state, false);
        self
    }

    /// The program ends and begins anew.
    pub(crate) fn restart(&mut self) {
        self.client = client(&self.storage, &self.documents, &self.state, true);
    }

    /// Edits documents with these numbers, and queues them.
    pub(crate) async fn edit(&self, numbers: std::ops::Range<usize>, text: &str) {
        let ids: Vec<_> = numbers.clone().map(id).collect();
        for number in numbers {
            self.documents.save(id(number), content(text, number));
        }
        for ids in ids.chunks(1000) {
            self.client.queue_changes(ids).await.unwrap();
        }
    }

    pub(crate) async fn sync(&self) -> Report {
        let report = self.client.sync().await.unwrap();
        assert!(report.deferred.is_empty());
        report
    }
}

fn client(
    storage: &SlowAdapter,
    documents: &MemoryDatabase,
    state: &Arc<dyn StateStore>,
    maintenance: bool,
) -> Client {
    let (storage, documents) = (Arc::new(storage.clone()), Arc::new(documents.clone()));
    Client::builder(storage, documents, state.clone(), Arc::new(RemoteWins))
        .with_maintenance(maintenance)
        .build()
}

pub(crate) fn id(number: usize) -> DocumentId {
    DocumentId::from(format!("document {number:06}"))
}

fn content(text: &str, number: usize) -> String {
    let text = format!("{text} {number} ");
    text.repeat(BYTES.div_ceil(text.len()))[..BYTES].to_owned()
}
