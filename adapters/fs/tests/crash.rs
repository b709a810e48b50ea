//! Writers that die, drives that vanish, disks that are full.

#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use db_to_cloud::{Adapter, Atomicity, Created, Effect, Error, ErrorKind, Folder, Key, Wait};
use db_to_cloud_fs::FsAdapter;
use futures::FutureExt;

fn document(n: usize) -> Key {
    Folder::Documents.key(&format!("d.{n}")).unwrap()
}

/// Content whose damage shows: a length, and as many equal bytes.
fn content(n: usize) -> Vec<u8> {
    vec![n as u8; 50_000 + n % 1000]
}

fn is_whole(bytes: &[u8]) -> bool {
    content(bytes.len() - 50_000).len() == bytes.len() && bytes.windows(2).all(|w| w[0] == w[1])
}

fn temporary_files(adapter: &FsAdapter) -> usize {
    fs::read_dir(adapter.folder().join(".tmp")).unwrap().count()
}

/// The process that [`a_killed_writer_leaves_whole_objects_or_nothing`] kills.
#[tokio::test]
#[ignore = "runs until it is killed; another test starts it"]
async fn endless_writer() {
    let Ok(folder) = std::env::var("DB_TO_CLOUD_FOLDER") else { return };
    let adapter = FsAdapter::open(folder).unwrap();
    for n in 0.. {
        let many = (0..10).map(|i| (document(i), content(n + i).into())).collect();
        let _ = adapter.put_many(many).await;
        let _ = adapter.create(&Key::change(n as u64 + 1), content(n).into()).await;
    }
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_objects_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "endless_writer"])
            .env("DB_TO_CLOUD_FOLDER", folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(60 + 17 * round)).await;
        writer.kill().unwrap();
        writer.wait().unwrap();
        let adapter = FsAdapter::open(folder.path()).unwrap();
        for folder in [Folder::Documents, Folder::Changes] {
            for key in adapter.list(folder, None).await.unwrap().keys {
                assert!(is_whole(&adapter.get(&key).await.unwrap().unwrap()), "{key}");
            }
        }
    }
    assert!(FsAdapter::open(folder.path()).unwrap().get(&document(0)).await.unwrap().is_some());
}

#[tokio::test]
async fn stale_temporary_files_are_cleaned_up_and_fresh_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(folder.path()).unwrap();
    assert_eq!(temporary_files(&adapter), 0);
    let names = ["0".repeat(32), "f".repeat(32), "not-ours".to_owned()];
    let old = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    for (i, name) in names.iter().enumerate() {
        let file = fs::File::create(folder.path().join(".tmp").join(name)).unwrap();
        if i != 1 {
            file.set_modified(old).unwrap();
        }
    }
    FsAdapter::open(folder.path()).unwrap();
    let left = |name: &String| folder.path().join(".tmp").join(name).exists();
    assert_eq!(names.each_ref().map(left), [false, true, true]);
}

#[tokio::test]
async fn no_write_leaves_a_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(folder.path()).unwrap();
    adapter.put(&document(1), "x".into()).await.unwrap();
    for want in [Created::New, Created::Occupied] {
        assert_eq!(adapter.create(&Key::change(1), "x".into()).await.unwrap(), want);
    }
    fs::create_dir(folder.path().join("lock.json")).unwrap();
    adapter.put(&Key::lock(), "x".into()).await.unwrap_err();
    adapter.create(&Key::lock(), "x".into()).await.unwrap_err();
    adapter.copy(&document(1), &document(2)).await.unwrap();
    adapter.copy(&document(1), &Key::lock()).await.unwrap_err();
    assert_eq!(temporary_files(&adapter), 0);
}

/// Each method says "unavailable", and that it wrote nothing.
async fn is_unavailable(adapter: &FsAdapter) {
    fn check<T: std::fmt::Debug>(result: Result<T, Error>) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(error.effect(), Effect::None, "{error}");
    }
    for key in [Key::change(1), Key::metadata(), document(1), Folder::Probe.key("x").unwrap()] {
        check(adapter.get(&key).await);
        check(adapter.put(&key, "x".into()).await);
        check(adapter.create(&key, "x".into()).await);
        check(adapter.delete(&key).await);
        check(adapter.get_many(std::slice::from_ref(&key)).await.remove(0));
        check(adapter.put_many(vec![(key.clone(), "x".into())]).await.remove(0));
        check(adapter.copy(&key, &document(2)).await);
        check(adapter.delete_many(&[key]).await.remove(0));
    }
    check(adapter.list(Folder::Changes, None).await);
    check(adapter.list(Folder::Probe, None).await);
}

#[tokio::test]
async fn an_unmounted_drive_is_an_error_not_an_empty_storage() {
    let drive = tempfile::tempdir().unwrap();
    let (root, away) = (drive.path().join("storage"), drive.path().join("away"));
    let adapter = FsAdapter::open(&root).unwrap();
    adapter.put(&Key::change(1), "x".into()).await.unwrap();
    fs::rename(&root, &away).unwrap();
    is_unavailable(&adapter).await;
    assert!(!root.exists());
    // An empty mount point in its place.
    fs::create_dir(&root).unwrap();
    is_unavailable(&adapter).await;
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    // It is plugged in again.
    fs::remove_dir(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    assert_eq!(adapter.get(&Key::change(1)).await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn opening_makes_the_folder_but_not_its_parent() {
    let drive = tempfile::tempdir().unwrap();
    let error = FsAdapter::open(drive.path().join("mount/storage")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("is its drive mounted"), "{error}");
    assert!(!drive.path().join("mount").exists());
    FsAdapter::open(drive.path().join("storage")).unwrap();
    fs::write(drive.path().join("file"), "").unwrap();
    FsAdapter::open(drive.path().join("file")).unwrap_err();
    assert_eq!(FsAdapter::open("").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_a_torn_put() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = Arc::new(FsAdapter::open(folder.path()).unwrap());
    adapter.put(&document(0), content(0).into()).await.unwrap();
    let (writing, key) = (adapter.clone(), document(0));
    let writer = tokio::spawn(async move {
        for n in 0..100 {
            writing.put(&key, content(n).into()).await.unwrap();
        }
    });
    let mut reads = 0;
    while !writer.is_finished() || reads == 0 {
        assert!(is_whole(&adapter.get(&document(0)).await.unwrap().unwrap()));
        reads += 1;
    }
    writer.await.unwrap();
}

#[test]
fn a_call_without_a_runtime_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = FsAdapter::open(folder.path()).unwrap();
    let error = adapter.get(&Key::lock()).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_made_is_forbidden() {
    // Not even root makes folders in /sys.
    let error = FsAdapter::open("/sys/db-to-cloud").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
}

/// A small file system in memory that is unmounted in the end.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"], folder.path());
        Self(folder)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) {
    assert!(Command::new("mount").args(arguments).arg(folder).status().unwrap().success());
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_full_disk_is_full_and_keeps_what_it_has() {
    let disk = Mounted::new();
    let adapter = FsAdapter::open(disk.0.path()).unwrap();
    adapter.put(&document(1), content(1).into()).await.unwrap();
    let large = vec![7; 512 * 1024];
    let errors = [
        adapter.put(&document(1), large.clone().into()).await.unwrap_err(),
        adapter.create(&Key::change(1), large.clone().into()).await.unwrap_err(),
        adapter.put_many(vec![(document(2), large.into())]).await.remove(0).unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Full, Effect::None), "{error}");
    }
    assert_eq!(adapter.get(&document(1)).await.unwrap().unwrap(), content(1));
    assert!(adapter.get(&Key::change(1)).await.unwrap().is_none());
    assert_eq!(temporary_files(&adapter), 0);
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_read_only_disk_is_forbidden_and_can_be_read() {
    let disk = Mounted::new();
    let adapter = FsAdapter::open(disk.0.path()).unwrap();
    assert_eq!(adapter.capabilities().create, Atomicity::Atomic);
    adapter.put(&document(1), "x".into()).await.unwrap();
    mount(&["-o", "remount,ro"], disk.0.path());
    let error = adapter.put(&document(1), "y".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(adapter.delete(&document(1)).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(adapter.get(&document(1)).await.unwrap().unwrap(), "x");
}

/// The error of each write names the storage and the cause.
async fn is_read_only(adapter: &FsAdapter) {
    let key = document(2);
    let errors = [
        adapter.put(&key, "y".into()).await.unwrap_err(),
        adapter.create(&key, "y".into()).await.unwrap_err(),
        adapter.delete(&document(1)).await.unwrap_err(),
        adapter.put_many(vec![(key.clone(), "y".into())]).await.remove(0).unwrap_err(),
        adapter.delete_many(&[document(1)]).await.remove(0).unwrap_err(),
        adapter.copy(&document(1), &key).await.unwrap_err(),
    ];
    let text = format!("the storage {} cannot be written", adapter.folder().display());
    for error in errors {
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Forbidden, Effect::None));
        assert!(error.to_string().contains(&text), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("Read-only"), "{cause}");
    }
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_storage_that_cannot_be_written_is_opened_and_read() {
    for without in [None, Some(".tmp")] {
        let disk = Mounted::new();
        let adapter = FsAdapter::open(disk.0.path()).unwrap();
        adapter.put(&document(1), "x".into()).await.unwrap();
        adapter.create(&Key::change(1), "entry".into()).await.unwrap();
        if let Some(name) = without {
            fs::remove_dir(disk.0.path().join(name)).unwrap();
        }
        mount(&["-o", "remount,ro"], disk.0.path());
        let adapter = FsAdapter::open(disk.0.path()).unwrap();
        assert_eq!(adapter.capabilities().create, Atomicity::Probe);
        assert_eq!(adapter.get(&document(1)).await.unwrap().unwrap(), "x");
        assert!(adapter.get(&document(2)).await.unwrap().is_none());
        assert!(adapter.get(&Key::parse("probe/1").unwrap()).await.unwrap().is_none());
        let listed = adapter.list(Folder::Documents, None).await.unwrap();
        assert_eq!(listed.keys, [document(1)]);
        let names = adapter.names(None, 9).await.unwrap();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(adapter.wait_for_change(Duration::ZERO).await.unwrap(), Wait::Changed);
        is_read_only(&adapter).await;
        // It can be written again while the adapter is open.
        mount(&["-o", "remount,rw"], disk.0.path());
        let created = adapter.create(&Key::change(2), "entry".into()).await;
        assert_eq!(created.unwrap(), Created::New);
        let again = adapter.create(&Key::change(2), "other".into()).await;
        assert_eq!(again.unwrap(), Created::Occupied);
    }
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn where_there_is_no_storage_a_read_only_disk_is_an_error() {
    let disk = Mounted::new();
    mount(&["-o", "remount,ro"], disk.0.path());
    let error = FsAdapter::open(disk.0.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let error = FsAdapter::open(disk.0.path().join("storage")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_disk_without_room_for_a_file_is_opened_and_read() {
    let disk = tempfile::tempdir().unwrap();
    mount(&["-t", "tmpfs", "-o", "nr_inodes=9", "tmpfs"], disk.path());
    let disk = Mounted(disk);
    let adapter = FsAdapter::open(disk.0.path()).unwrap();
    adapter.put(&document(1), "x".into()).await.unwrap();
    (0..).map(|n| fs::write(disk.0.path().join(format!("{n}")), "")).find(Result::is_err);
    let adapter = FsAdapter::open(disk.0.path()).unwrap();
    assert_eq!(adapter.get(&document(1)).await.unwrap().unwrap(), "x");
    assert_eq!(adapter.put(&document(2), "y".into()).await.unwrap_err().kind(), ErrorKind::Full);
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_drive_that_is_unmounted_from_under_the_adapter_is_unavailable() {
    let disk = Mounted::new();
    let adapter = FsAdapter::open(disk.0.path()).unwrap();
    adapter.put(&Key::change(1), "x".into()).await.unwrap();
    // The adapter keeps no handle that would make the drive busy.
    assert!(Command::new("umount").arg(disk.0.path()).status().unwrap().success());
    is_unavailable(&adapter).await;
}
