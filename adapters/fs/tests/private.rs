//! Who may read a storage. The umask is that of the whole process: each test here sets the same one.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use db_to_cloud::{Adapter, Copied, Created, Key};
use db_to_cloud_fs::FsAdapter;
use rustix::fs::Mode;
use rustix::process::umask;

/// Writes in each way that there is.
async fn fill(adapter: &FsAdapter) {
    let key = |name: &str| Key::parse(name).unwrap();
    adapter.put(&Key::metadata(), "hint".into()).await.unwrap();
    assert_eq!(adapter.create(&Key::change(1), "entry".into()).await.unwrap(), Created::New);
    adapter.put(&key("docs/a"), "a".into()).await.unwrap();
    adapter.put_many(vec![(key("docs/b"), "b".into())]).await.remove(0).unwrap();
    assert_eq!(adapter.copy(&key("docs/a"), &key("docs/c")).await.unwrap(), Copied::Done);
    adapter.put(&key("probe/1"), "".into()).await.unwrap();
}

/// The bits of what lies below, which must be those of one kind, for folders and for files.
fn modes_below(folder: &Path) -> (u32, u32) {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        folders.push(path.metadata().unwrap().mode() & 0o7777);
        let within = fs::read_dir(path).unwrap();
        files.extend(within.map(|entry| entry.unwrap().metadata().unwrap().mode() & 0o7777));
    }
    assert_eq!((folders.len(), files.len()), (5, 5), "{folders:?} {files:?}");
    folders.dedup();
    files.dedup();
    assert_eq!((folders.len(), files.len()), (1, 1), "{folders:?} {files:?}");
    (folders[0], files[0])
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A storage in a folder with these bits, and of another group if `given`.
async fn storage_in(bits: u32, given: bool) -> (u32, u32) {
    let root = tempfile::tempdir().unwrap();
    if given {
        std::os::unix::fs::chown(root.path(), None, Some(12345)).unwrap();
    }
    set_mode(root.path(), bits);
    let adapter = FsAdapter::open(root.path()).unwrap();
    fill(&adapter).await;
    assert_eq!(mode(root.path()), bits, "it belongs to the user");
    let hint = mode(&root.path().join("meta.json"));
    fs::remove_file(root.path().join("meta.json")).unwrap();
    let (folders, files) = modes_below(root.path());
    assert_eq!(hint, files);
    (folders, files)
}

#[tokio::test]
async fn a_storage_that_is_made_is_private_whatever_the_umask() {
    umask(Mode::empty());
    let drive = tempfile::tempdir().unwrap();
    set_mode(drive.path(), 0o777);
    let adapter = FsAdapter::open(drive.path().join("storage")).unwrap();
    assert_eq!(mode(adapter.folder()), 0o700);
    fill(&adapter).await;
    fs::remove_file(adapter.folder().join("meta.json")).unwrap();
    assert_eq!(modes_below(adapter.folder()), (0o700, 0o600));
}

#[tokio::test]
async fn what_is_made_in_a_folder_of_before_is_private_unless_it_is_shared() {
    umask(Mode::empty());
    for bits in [0o700, 0o755, 0o750, 0o775, 0o1777] {
        assert_eq!(storage_in(bits, false).await, (0o700, 0o600), "{bits:o}");
    }
    assert_eq!(storage_in(0o777, false).await, (0o777, 0o666));
    assert_eq!(storage_in(0o2775, false).await, (0o2770, 0o660));
}

/// Only root gives a folder away.
#[tokio::test]
#[ignore = "needs the right to change groups"]
async fn a_folder_of_another_group_that_may_write_is_shared_with_it() {
    umask(Mode::empty());
    assert_eq!(storage_in(0o755, true).await, (0o700, 0o600));
    assert_eq!(storage_in(0o775, true).await, (0o770, 0o660));
}

#[tokio::test]
async fn others_may_use_a_shared_storage_also_after_a_folder_was_only_half_made() {
    umask(Mode::empty());
    let root = tempfile::tempdir().unwrap();
    set_mode(root.path(), 0o777);
    fs::create_dir(root.path().join("docs")).unwrap();
    set_mode(&root.path().join("docs"), 0o700);
    FsAdapter::open(root.path()).unwrap();
    assert_eq!(mode(&root.path().join("docs")), 0o777);
}

#[tokio::test]
async fn a_copy_of_an_object_of_an_earlier_release_is_private() {
    umask(Mode::empty());
    let root = tempfile::tempdir().unwrap();
    set_mode(root.path(), 0o755);
    let docs = root.path().join("docs");
    fs::create_dir(&docs).unwrap();
    fs::write(docs.join("old"), "old").unwrap();
    set_mode(&docs.join("old"), 0o644);
    let adapter = FsAdapter::open(root.path()).unwrap();
    let (old, new) = (Key::parse("docs/old").unwrap(), Key::parse("docs/new").unwrap());
    assert_eq!(adapter.get(&old).await.unwrap().unwrap(), "old");
    assert_eq!(adapter.copy(&old, &new).await.unwrap(), Copied::Done);
    assert_eq!(adapter.get(&new).await.unwrap().unwrap(), "old");
    assert_eq!(mode(&docs.join("new")), 0o600);
    assert_eq!((mode(&docs), mode(&docs.join("old"))), (0o777, 0o644), "as they were");
}
