//! Copies: a second name of the same file, or another file with the same bytes.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;
use std::os::unix::fs::MetadataExt;

use db_to_cloud::{Adapter, Copied, Key};
use db_to_cloud_fs::{FsAdapter, Sharing};

fn key(name: &str) -> Key {
    Key::parse(&format!("docs/{name}")).unwrap()
}

fn inode(adapter: &FsAdapter, key: &Key) -> u64 {
    fs::metadata(adapter.folder().join(key.as_str())).unwrap().ino()
}

fn temporary_files(adapter: &FsAdapter) -> usize {
    fs::read_dir(adapter.folder().join(".tmp")).unwrap().count()
}

#[tokio::test]
async fn a_copy_is_a_second_name_of_the_file_until_one_of_them_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(folder.path()).unwrap();
    let (old, new) = (key("old"), key("new"));
    adapter.put(&old, "content".into()).await.unwrap();
    assert_eq!(adapter.copy(&old, &new).await.unwrap(), Copied::Done);
    assert_eq!(inode(&adapter, &old), inode(&adapter, &new), "the bytes were written again");
    // A rename onto another name of the same file does nothing.
    assert_eq!(adapter.copy(&old, &new).await.unwrap(), Copied::Done);
    assert_eq!(adapter.copy(&old, &old).await.unwrap(), Copied::Done);
    assert_eq!(temporary_files(&adapter), 0);
    adapter.put(&old, "other".into()).await.unwrap();
    assert_eq!(adapter.get(&new).await.unwrap().unwrap(), "content");
    assert_ne!(inode(&adapter, &old), inode(&adapter, &new));
}

/// The program may write into a file, or take two names of one file for none.
#[tokio::test]
async fn a_folder_that_another_program_carries_gets_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open_with(folder.path(), Sharing::SyncedByOtherProgram).unwrap();
    let (old, new) = (key("old"), key("new"));
    adapter.put(&old, "content".into()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(adapter.copy(&old, &new).await.unwrap(), Copied::Done);
        assert_ne!(inode(&adapter, &old), inode(&adapter, &new));
    }
    fs::write(adapter.folder().join(old.as_str()), "written in place").unwrap();
    assert_eq!(adapter.get(&new).await.unwrap().unwrap(), "content");
    assert_eq!(temporary_files(&adapter), 0);
}

#[tokio::test]
async fn a_copy_of_what_is_absent_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(folder.path()).unwrap();
    fs::remove_dir(folder.path().join("docs")).unwrap();
    for _ in 0..2 {
        assert_eq!(adapter.copy(&key("old"), &key("new")).await.unwrap(), Copied::Missing);
        adapter.put(&key("other"), "x".into()).await.unwrap();
    }
    assert_eq!(
        (temporary_files(&adapter), fs::read_dir(folder.path().join("docs")).unwrap().count()),
        (0, 1)
    );
}
