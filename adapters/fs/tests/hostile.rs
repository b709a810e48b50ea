//! What others may have put into the folder: links, folders, pipes, files of other programs.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use db_to_cloud::{Adapter, ErrorKind, Folder, Key};
use db_to_cloud_fs::FsAdapter;
use tempfile::TempDir;

/// A storage, and beside it a folder of somebody else.
fn storage_and_victim() -> (TempDir, FsAdapter, PathBuf) {
    let drive = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(drive.path().join("storage")).unwrap();
    let victim = drive.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("1.json"), "secret").unwrap();
    (drive, adapter, victim)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// Every method refuses this key, and says that the storage is damaged.
async fn is_refused(adapter: &FsAdapter, key: &Key) {
    let whole = Key::metadata();
    adapter.put(&whole, "x".into()).await.unwrap();
    let kinds = [
        adapter.get(key).await.unwrap_err().kind(),
        adapter.get_start(key, 10).await.unwrap_err().kind(),
        adapter.put(key, "x".into()).await.unwrap_err().kind(),
        adapter.create(key, "x".into()).await.unwrap_err().kind(),
        adapter.delete(key).await.unwrap_err().kind(),
        adapter.put_many(vec![(key.clone(), "x".into())]).await.remove(0).unwrap_err().kind(),
        adapter.delete_many(std::slice::from_ref(key)).await.remove(0).unwrap_err().kind(),
        adapter.copy(key, &whole).await.unwrap_err().kind(),
        adapter.copy(&whole, key).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Corrupt; 9], "{key}");
    assert_eq!(adapter.get(&whole).await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn a_folder_that_is_a_link_is_refused_and_not_followed() {
    for name in ["changes", "docs", "snapshot", "probe"] {
        let (_drive, adapter, victim) = storage_and_victim();
        let folder = adapter.folder().join(name);
        let _ = fs::remove_dir(&folder);
        symlink(&victim, &folder).unwrap();
        is_refused(&adapter, &key(&format!("{name}/1.json"))).await;
        is_refused(&adapter, &key(&format!("{name}/2.json"))).await;
        let folders = [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe];
        let folder = folders.into_iter().find(|folder| folder.name() == name).unwrap();
        assert_eq!(adapter.list(folder, None).await.unwrap_err().kind(), ErrorKind::Corrupt);
        let names = adapter.names(Some(folder), 10).await;
        assert_eq!(names.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(fs::read(victim.join("1.json")).unwrap(), b"secret");
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_scratch_folder_that_is_a_link_is_refused() {
    let (_drive, adapter, victim) = storage_and_victim();
    let scratch = adapter.folder().join(".tmp");
    fs::remove_dir(&scratch).unwrap();
    symlink(&victim, &scratch).unwrap();
    let error = adapter.put(&Key::metadata(), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(FsAdapter::open(adapter.folder()).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
}

#[tokio::test]
async fn an_object_that_is_a_link_is_refused_and_not_followed() {
    let (_drive, adapter, victim) = storage_and_victim();
    let targets = [victim.join("1.json"), victim.join("absent"), PathBuf::from("/dev/zero")];
    for (n, target) in (1..).zip(targets) {
        let slot = Key::change(n);
        symlink(target, adapter.folder().join(slot.as_str())).unwrap();
        is_refused(&adapter, &slot).await;
    }
    assert!(adapter.list(Folder::Changes, None).await.unwrap().keys.is_empty());
    assert_eq!(fs::read(victim.join("1.json")).unwrap(), b"secret");
    assert!(!victim.join("absent").exists());
}

#[tokio::test]
async fn a_folder_or_pipe_where_a_file_should_be_is_an_error_not_an_absence() {
    let (_drive, adapter, _) = storage_and_victim();
    fs::create_dir(adapter.folder().join("docs/a")).unwrap();
    fs::create_dir(adapter.folder().join("lock.json")).unwrap();
    let pipe = adapter.folder().join("docs/pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    for name in ["docs/a", "docs/pipe", "lock.json"] {
        is_refused(&adapter, &key(name)).await;
    }
    assert!(adapter.list(Folder::Documents, None).await.unwrap().keys.is_empty());
}

#[tokio::test]
async fn a_file_where_a_folder_should_be_is_an_error_not_an_absence() {
    let (_drive, adapter, _) = storage_and_victim();
    fs::remove_dir(adapter.folder().join("docs")).unwrap();
    fs::write(adapter.folder().join("docs"), "a file").unwrap();
    is_refused(&adapter, &key("docs/a")).await;
    assert_eq!(adapter.list(Folder::Documents, None).await.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn files_of_other_programs_are_not_listed() {
    let (_drive, adapter, _) = storage_and_victim();
    adapter.put(&Key::change(1), "ours".into()).await.unwrap();
    for name in [
        "1 (Ann's conflicted copy 2026-01-01).json",
        "1.sync-conflict-20260101-120000-ABCDEFG.json",
        ".syncthing.1.json.tmp",
        "1.json.tmp",
        "~$1.json",
        "desktop.ini",
        "thumbs.db",
        "Thumbs.db",
        ".DS_Store",
        "日本.json",
    ] {
        fs::write(adapter.folder().join("changes").join(name), "theirs").unwrap();
    }
    let page = adapter.list(Folder::Changes, None).await.unwrap();
    assert_eq!((page.keys, page.next), (vec![Key::change(1)], None));
}
