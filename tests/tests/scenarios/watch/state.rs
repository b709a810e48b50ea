//! A client state that fails while nothing is to sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use db_to_cloud::memory::MemoryState;
use db_to_cloud::state::{Claim, StateError, StateStore, Table, Update, Written};
use db_to_cloud::{Client, DeferAll, ErrorKind, WatchOptions};

use super::storage::Waiting;
use super::watcher::Watcher;
use super::{HOUR, with_a_commit};

/// A state whose file may be taken away.
struct Removable(MemoryState, Arc<AtomicBool>);

impl Removable {
    fn file(&self) -> Result<&MemoryState, StateError> {
        match self.1.load(SeqCst) {
            true => Err(StateError::Store("the file is gone".into())),
            false => Ok(&self.0),
        }
    }
}

#[async_trait]
impl StateStore for Removable {
    async fn claim(&self) -> Result<Claim, StateError> {
        self.file()?.claim().await
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.file()?.read(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        self.file()?.scan(table, after, limit).await
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        self.file()?.count(table).await
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        self.file()?.write(expected, updates).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_gone_ends_the_watch_and_is_not_an_empty_queue() {
    let (world, _) = with_a_commit();
    let alice = Watcher::new(&world, Waiting::Polled);
    let gone = Arc::new(AtomicBool::new(false));
    let client = Client::builder(
        Arc::new(alice.storage.clone()),
        Arc::new(alice.documents.clone()),
        Arc::new(Removable(alice.state.clone(), gone.clone())),
        Arc::new(DeferAll),
    );
    let client = client.build_with(Arc::new(alice.time.clone()));
    let watch = client.watch(WatchOptions::default());
    let mut alice = Watcher { client, watch, ..alice }.settled().await;
    gone.store(true, SeqCst);
    let done = alice.run(HOUR).await;
    let Some((when, _, Err(error))) = done.last() else { panic!("{done:?}") };
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(*when <= 2 * WatchOptions::default().look, "{when:?}");
}
