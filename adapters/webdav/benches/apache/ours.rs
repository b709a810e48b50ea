//! db-to-cloud as it is.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Client, RemoteWins, Report};
use db_to_cloud_folder::FolderDatabase;
use db_to_cloud_sqlite::SqliteState;
use db_to_cloud_test_servers::{PASSWORD, USER};
use db_to_cloud_webdav::{Credentials, WebDavAdapter, WebDavConfig};
use tempfile::TempDir;

use crate::{CONCURRENCY, Way, content, files, name};

/// Three folders, synced as the command line does: for each sync all is opened anew, compared, and
/// connected. What a client remembers is in SQLite.
pub(crate) struct OfFiles {
    url: String,
    devices: [TempDir; 3],
}

/// Three devices with their documents in memory, each with a client that stays: nothing but the sync.
pub(crate) struct InMemory([(MemoryDatabase, Client); 3]);

fn storage(url: &str) -> Arc<WebDavAdapter> {
    let config = WebDavConfig::new(url).with_concurrency(CONCURRENCY);
    Arc::new(config.with_credentials(Credentials::password(USER, PASSWORD)).build().unwrap())
}

fn check_push(report: &Report) {
    assert!(report.pushed > 0 && report.deferred.is_empty(), "{report:?}");
}

fn check_pull(report: &Report) {
    assert!(report.pushed == 0 && report.deferred.is_empty(), "{report:?}");
}

impl OfFiles {
    pub(crate) fn new(url: &str) -> Self {
        let folder = |_| {
            let folder = tempfile::tempdir().unwrap();
            let database = FolderDatabase::open(folder.path()).unwrap();
            std::fs::create_dir_all(database.state_dir()).unwrap();
            folder
        };
        Self { url: url.to_owned(), devices: [0, 1, 2].map(folder) }
    }

    async fn sync(&self, device: usize) -> Report {
        let database = FolderDatabase::open(self.devices[device].path()).unwrap();
        let state = SqliteState::open(database.state_dir().join("state"), "bench").unwrap();
        let (database, state) = (Arc::new(database), Arc::new(state));
        let client = Client::builder(storage(&self.url), database, state, Arc::new(RemoteWins));
        client.build().sync().await.unwrap()
    }
}

#[async_trait]
impl Way for OfFiles {
    async fn edit(&mut self, documents: usize, text: &str) {
        files::write(self.devices[0].path(), documents, text);
    }

    async fn push(&mut self) {
        check_push(&self.sync(0).await);
    }

    async fn pull(&mut self, device: usize) {
        check_pull(&self.sync(device).await);
    }

    fn check(&self) {
        files::check(&self.devices);
    }
}

impl InMemory {
    pub(crate) fn new(url: &str) -> Self {
        let device = |_| {
            let documents = MemoryDatabase::new();
            let (database, state) = (Arc::new(documents.clone()), Arc::new(MemoryState::new()));
            let client = Client::builder(storage(url), database, state, Arc::new(RemoteWins));
            (documents, client.build())
        };
        Self([0, 1, 2].map(device))
    }
}

#[async_trait]
impl Way for InMemory {
    async fn edit(&mut self, documents: usize, text: &str) {
        let (database, client) = &self.0[0];
        for i in 0..documents {
            database.save(name(i), content(i, text));
        }
        let ids: Vec<_> = (0..documents).map(|i| name(i).into()).collect();
        client.queue_changes(&ids).await.unwrap();
    }

    async fn push(&mut self) {
        check_push(&self.0[0].1.sync().await.unwrap());
    }

    async fn pull(&mut self, device: usize) {
        check_pull(&self.0[device].1.sync().await.unwrap());
    }

    fn check(&self) {
        let documents = self.0.each_ref().map(|(documents, _)| documents.documents());
        let all = documents.each_ref().map(|documents| documents.iter().collect::<Vec<_>>());
        assert!(all[1] == all[0] && all[2] == all[0]);
    }
}
