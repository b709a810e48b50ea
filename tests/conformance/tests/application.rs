//! The suites of the application's side on documents and client state in memory.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::state::StateStore;
use db_to_cloud::{Database, DocumentId};
use db_to_cloud_conformance::database::{self, Application};
use db_to_cloud_conformance::state::{self, Place};

struct InMemory(MemoryDatabase);

#[async_trait]
impl Application for InMemory {
    async fn open(&self) -> Arc<dyn Database> {
        Arc::new(self.0.clone())
    }

    fn id(&self, n: usize) -> DocumentId {
        (n as u64).into()
    }

    fn bytes(&self, n: usize, version: usize) -> Bytes {
        format!("document {n}, version {version}").into()
    }

    fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.0.save(id.clone(), bytes.to_vec()),
            None => self.0.remove(id.clone()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_in_memory_conform() {
    let outcome = database::run(|| Arc::new(InMemory(MemoryDatabase::new()))).await;
    outcome.assert_passed();
    let skipped = [
        "unreadable_is_not_deleted",
        "inexact_bytes_are_said",
        "refused_changes_nothing",
        "a_delete_makes_room_for_a_put_in_one_batch",
        "no_delete_is_made_if_the_put_in_its_place_fails",
        "blocked_comes_again",
        "a_chain_of_unique_values_moves_in_one_batch",
        "a_full_disk_changes_nothing",
        "a_killed_apply_is_whole_or_nothing_a_document",
    ];
    assert_eq!(outcome.skipped(), skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_in_memory_conforms() {
    let outcome = state::run(|| Arc::new(MemoryState::new())).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

struct InOnePlace(MemoryState);

#[async_trait]
impl Place for InOnePlace {
    async fn open(&self, address: &str) -> Arc<dyn StateStore> {
        Arc::new(self.0.at(address))
    }
}

/// Rule C6.
#[tokio::test(flavor = "multi_thread")]
async fn states_in_memory_that_lie_in_one_place_conform() {
    let outcome = state::run_in(|| Arc::new(InOnePlace(MemoryState::new()))).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}
