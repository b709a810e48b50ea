//! The suite on the storage in memory: an honest adapter passes, a weak one is skipped where it
//! says so.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Adapter, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page};
use db_to_cloud_conformance::{Options, run, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_adapter_conforms_and_nothing_is_left_behind() {
    let storage = MemoryAdapter::new();
    let other = Arc::new(storage.clone());
    let options = Options::new().with_other(other).with_unreachable(Arc::new(Unreachable));
    let options = options.with_empty(Arc::new(MemoryAdapter::new()));
    let outcome = run_with(Arc::new(storage.clone()), options).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
    assert!(storage.objects().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_storage_is_skipped_where_it_makes_no_promise() {
    let outcome = run(Arc::new(MemoryAdapter::weak())).await;
    outcome.assert_passed();
    let skipped = [
        "create_on_an_absent_key_is_new",
        "create_on_a_present_key_changes_nothing",
        "create_after_delete_is_new",
        "create_is_exclusive",
        "a_create_whose_answer_was_lost_is_read_back",
        "log_slots_are_created_once",
        "a_create_is_never_seen_in_part",
        "a_dropped_create_leaves_nothing_or_all",
        "an_empty_storage_has_no_names",
        "another_client_sees_a_finished_write",
        "an_unreachable_storage_is_an_error_not_an_absence",
    ];
    assert_eq!(outcome.skipped(), skipped);
    assert!(outcome.to_string().contains("create_is_exclusive: skipped: the adapter says"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_does_not_copy_is_reported() {
    let outcome = run_with(Arc::new(Copyless(MemoryAdapter::new())), Options::new()).await;
    outcome.assert_passed();
    let copies = [
        "a_copy_has_the_bytes_of_the_original_and_outlives_it",
        "a_copy_is_an_object_of_its_own",
        "a_copy_of_what_is_absent_is_missing_and_writes_nothing",
        "a_copy_over_the_same_content_leaves_it",
        "copy_many_answers_in_order",
    ];
    let skipped = outcome.skipped();
    assert!(copies.iter().all(|case| skipped.contains(case)), "{skipped:?}");
    assert!(!outcome.passed().iter().any(|case| copies.contains(case)));
}

/// A storage in use is not harmed.
#[tokio::test(flavor = "multi_thread")]
async fn the_objects_of_others_stay_as_they_are() {
    let storage = MemoryAdapter::new();
    let others = ["changes/1.json", "docs/a.00", "snapshot/1.json", "meta.json", "lock.json"];
    for key in others {
        storage.objects().insert(Key::parse(key).unwrap(), Bytes::from_static(b"theirs"));
    }
    let before = storage.objects().clone();
    run(Arc::new(storage.clone())).await.assert_passed();
    assert_eq!(*storage.objects(), before);
}

/// What a client sees whose server is switched off.
#[derive(Debug)]
struct Unreachable;

fn down<T>(operation: &'static str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Unavailable, operation))
}

#[async_trait]
impl Adapter for Unreachable {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn get(&self, _: &Key) -> Result<Option<Bytes>, Error> {
        down("get")
    }

    async fn put(&self, _: &Key, _: Bytes) -> Result<(), Error> {
        down("put")
    }

    async fn create(&self, _: &Key, _: Bytes) -> Result<Created, Error> {
        down("create")
    }

    async fn copy(&self, _: &Key, _: &Key) -> Result<Copied, Error> {
        down("copy")
    }

    async fn delete(&self, _: &Key) -> Result<(), Error> {
        down("delete")
    }

    async fn list(&self, _: Folder, _: Option<&str>) -> Result<Page, Error> {
        down("list")
    }

    async fn names(&self, _: Option<Folder>, _: usize) -> Result<Vec<String>, Error> {
        down("list")
    }
}

/// A storage whose adapter leaves `copy` as it is.
#[derive(Debug)]
struct Copyless(MemoryAdapter);

#[async_trait]
impl Adapter for Copyless {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get(key).await
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.0.put(key, bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.0.create(key, bytes).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.0.delete(key).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.0.list(folder, page).await
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        self.0.names(folder, at_most).await
    }
}
