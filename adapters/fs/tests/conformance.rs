//! The folder keeps every promise of an adapter.

use std::sync::Arc;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_fs::{FsAdapter, Sharing};

/// The folder of a drive that was pulled out.
#[expect(clippy::unwrap_used, reason = "a test")]
fn unmounted() -> Arc<FsAdapter> {
    let drive = tempfile::tempdir().unwrap();
    Arc::new(FsAdapter::open(drive.path().join("storage")).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = Arc::new(FsAdapter::open(folder.path()).unwrap());
    let other = Arc::new(FsAdapter::open(folder.path()).unwrap());
    let empty = tempfile::tempdir().unwrap();
    let options = Options::new().with_other(other).with_unreachable(unmounted());
    let options = options.with_empty(Arc::new(FsAdapter::open(empty.path()).unwrap()));
    let outcome = run_with(adapter, options).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_synced_by_another_program_conforms_as_a_weak_storage() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FsAdapter::open_with(folder.path(), Sharing::SyncedByOtherProgram).unwrap();
    let options = Options::new().with_other(Arc::new(open())).with_unreachable(unmounted());
    let outcome = run_with(Arc::new(open()), options.with_listed_keys(1500)).await;
    outcome.assert_passed();
    assert!(outcome.skipped().contains(&"create_is_exclusive"));
}
