//! Small disks and file systems that ignore case. They need the right to mount: `cargo xtask test`
//! runs them where that is allowed, and says where it is not.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use db_to_cloud::{Database, Document, Outcome, Write};
use db_to_cloud_folder::{FolderDatabase, FolderError};
use support::trees::{Random, Tree, files, sync, tree, writes};
use support::{Notes, moved, notes_in, plain, write};

/// A file system that is unmounted in the end.
struct Mounted {
    folder: tempfile::TempDir,
    /// The loop device.
    device: Option<String>,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).output();
        if let Some(device) = &self.device {
            let _ = Command::new("losetup").args(["-d", device]).output();
        }
    }
}

fn run(program: &str, arguments: &[&str], last: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(last).output();
    output.is_ok_and(|output| output.status.success())
}

fn small_disk(size: &str) -> Mounted {
    let folder = tempfile::tempdir().unwrap();
    let size = format!("size={size}");
    assert!(run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path()));
    Mounted { folder, device: None }
}

/// A file system that takes names that differ in case for one: what this machine has of them.
fn ignores_case() -> Mounted {
    let ways: [(&str, &[&str], &[&str]); 4] = [
        ("mkfs.vfat", &[], &["mount", "-t", "vfat", "-o", "utf8=1"]),
        ("mkfs.ext4", &["-q", "-O", "casefold", "-E", "encoding=utf8"], &["mount"]),
        ("mkfs.exfat", &[], &["mount", "-t", "exfat"]),
        ("mkfs.exfat", &[], &["mount.exfat-fuse"]),
    ];
    let mut found = ways.iter().filter_map(|(make, how, mount)| mount_image(make, how, mount));
    found.next().expect("no file system here ignores case: install dosfstools or exfat-fuse")
}

fn mount_image(make: &str, options: &[&str], mount: &[&str]) -> Option<Mounted> {
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(64 << 20).unwrap();
    if !run(make, options, image.path()) {
        return None;
    }
    let losetup =
        Command::new("losetup").args(["-f", "--show"]).arg(image.path()).output().unwrap();
    let device = String::from_utf8(losetup.stdout).unwrap().trim().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let (program, options) = mount.split_first().unwrap();
    let options = [options, &[device.as_str()]].concat();
    let is_mounted = run(program, &options, folder.path());
    let mounted = Mounted { folder, device: Some(device.clone()) };
    let inner = mounted.folder.path().join("notes");
    if !is_mounted || fs::create_dir(&inner).is_err() {
        return None;
    }
    // On ext4 a folder is made so.
    let _ = Command::new("chattr").arg("+F").arg(&inner).output();
    fs::write(inner.join("Case"), "").unwrap();
    let ignores = inner.join("cASE").exists();
    fs::remove_file(inner.join("Case")).unwrap();
    ignores.then_some(mounted)
}

fn notes_on(disk: &Mounted) -> Notes {
    notes_in(&disk.folder.path().join("notes"))
}

fn random_bytes(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn put(id: &str, bytes: Vec<u8>) -> Write {
    Write { document: Some(Document::of_content(bytes)), ..write(id, None, None) }
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn files_are_renamed_on_a_disk_without_room_for_a_second_copy() {
    let disk = small_disk("6m");
    let notes = notes_on(&disk);
    let content = |i: u8| random_bytes(1 << 20, i);
    (0..4).for_each(|i| notes.save(&format!("old/{i}"), content(i)));
    let mut batch = Vec::new();
    for i in 0..4 {
        let old = format!("old/{i}");
        let expected = Some(db_to_cloud::Revision::of_content(&content(i)));
        batch.push(Write { expected, ..write(&old, None, None) });
        batch.push(Write { moved_from: Some(old.into()), ..put(&format!("new/{i}"), content(i)) });
    }
    notes.all_done(batch).await;
    assert!(!notes.has("old"));
    (0..4).for_each(|i| assert_eq!(notes.content(&format!("new/{i}")), content(i)));
    assert!(notes.left_over().is_empty(), "{:?}", notes.left_over());
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn nothing_is_deleted_whose_place_a_put_needs_that_found_no_room() {
    let disk = small_disk("4m");
    let notes = notes_on(&disk);
    for (path, content) in [("file", "1"), ("folder/in", "2"), ("renamed", "3"), ("gone", "4")] {
        notes.save(path, content);
    }
    notes.save("large", random_bytes(3 << 20, 1));
    let more = || random_bytes(2 << 20, 2);
    let batch = vec![
        write("file", None, Some("1")),
        put("file/a", more()),
        write("folder/in", None, Some("2")),
        put("folder", more()),
        write("renamed", None, Some("3")),
        Write { moved_from: Some("renamed".into()), ..put("other", more()) },
        write("gone", None, Some("4")),
        put("small", b"small".to_vec()),
    ];
    let outcomes = notes.database.apply(batch).await;
    for (i, outcome) in outcomes.iter().enumerate() {
        match i {
            6 | 7 => assert!(outcome.is_done(), "{i}: {outcome:?}"),
            _ => assert!(matches!(outcome, Outcome::Blocked(_)), "{i}: {outcome:?}"),
        }
    }
    for (path, content) in [("file", "1"), ("folder/in", "2"), ("renamed", "3")] {
        assert_eq!(notes.content(path), content.as_bytes());
    }
    assert!(notes.left_over().iter().all(|file| fs::metadata(file).unwrap().len() < 10));
    // With room again all of it is made.
    fs::remove_file(notes.path.join("large")).unwrap();
    let again = vec![
        write("file", None, Some("1")),
        put("file/a", b"a".to_vec()),
        write("folder/in", None, Some("2")),
        put("folder", b"b".to_vec()),
    ];
    notes.all_done(again).await;
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_name_that_differs_in_case_only_is_renamed() {
    let disk = ignores_case();
    let notes = notes_on(&disk);
    notes.save("Notes.md", "text");
    notes.all_done(moved("Notes.md", "notes.md", "text").into()).await;
    assert_eq!(notes.ids().await, ["notes.md"]);
    assert_eq!(notes.content("notes.md"), b"text");
    // With another content, and in the other order.
    let batch = vec![write("NOTES.md", Some("new"), None), write("notes.md", None, Some("text"))];
    notes.all_done(batch).await;
    assert_eq!(notes.ids().await, ["NOTES.md"]);
    assert_eq!(notes.content("NOTES.md"), b"new");
    // Both names cannot be here.
    let outcome = notes.apply(write("notes.md", Some("other"), None)).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(notes.content("NOTES.md"), b"new");
    assert_eq!(notes.revision("notes.md").await.unwrap(), None);
    let outcome = notes.apply(write("notes.md", None, Some("new"))).await;
    assert!(matches!(outcome, Outcome::Changed), "{outcome:?}");
    assert!(notes.has("NOTES.md"));
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_folder_whose_name_differs_in_case_only_gets_the_new_spelling() {
    let disk = ignores_case();
    let notes = notes_on(&disk);
    notes.save(".db-to-cloud-ignore", "*.mine\n");
    notes.save("Folder/x.md", "x");
    notes.save("Folder/Deep/y.md", "y");
    notes.save("Folder/own.mine", "own");
    // As long as another document has the old spelling the folder keeps it, and nothing is lost.
    let outcomes = notes.database.apply(moved("Folder/x.md", "folder/x.md", "x").into()).await;
    assert!(!outcomes.iter().any(Outcome::is_done), "{outcomes:?}");
    assert_eq!(notes.content("Folder/x.md"), b"x");
    let mut batch = Vec::from(moved("Folder/x.md", "folder/x.md", "x"));
    batch.extend(moved("Folder/Deep/y.md", "folder/deep/y.md", "y"));
    notes.all_done(batch).await;
    assert_eq!(notes.ids().await, [".db-to-cloud-ignore", "folder/deep/y.md", "folder/x.md"]);
    assert_eq!(notes.content("folder/own.mine"), b"own");
    assert_eq!(notes.revision("folder/x.md").await.unwrap(), Some(support::rev("x")));
    assert_eq!(notes.revision("Folder/x.md").await.unwrap(), None);
    let again = FolderDatabase::open(&notes.path).unwrap();
    let id = "folder/deep/y.md".into();
    assert_eq!(plain(again.get(&id).await.unwrap()), Some(Document::of_content("y")));
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn the_number_of_a_place_changes_with_the_spelling_of_a_folder() {
    let disk = ignores_case();
    let notes = notes_on(&disk);
    notes.save("Folder/x.md", "x");
    let id = ["folder/y.md".into()];
    let before = notes.database.epochs(&id).await;
    assert_eq!(before, notes.database.epochs(&id).await);
    let path = |name: &str| -> PathBuf { notes.path.join(name) };
    fs::rename(path("Folder"), path("between")).unwrap();
    fs::rename(path("between"), path("folder")).unwrap();
    assert_ne!(notes.database.epochs(&id).await, before);
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn of_two_names_that_differ_in_case_one_is_written_and_the_other_refused() {
    let disk = ignores_case();
    let notes = notes_on(&disk);
    let pairs = (0..100).map(|i| (format!("p{i}/a.txt"), format!("p{i}/A.TXT")));
    let pairs: Vec<_> = pairs.collect();
    let both = |(one, two): &(String, String)| {
        [write(one, Some("lower"), None), write(two, Some("UPPER"), None)]
    };
    let outcomes = notes.database.apply(pairs.iter().flat_map(both).collect()).await;
    for (outcomes, (one, two)) in outcomes.chunks(2).zip(&pairs) {
        let (done, content) = match outcomes {
            [Outcome::Done, Outcome::Refused(_)] => (one, "lower"),
            [Outcome::Refused(_), Outcome::Done] => (two, "UPPER"),
            other => panic!("{one}: {other:?}"),
        };
        assert_eq!(notes.revision(done).await.unwrap(), Some(support::rev(content)), "{done}");
    }
    assert_eq!(notes.ids().await.len(), 100);
}

/// What a batch may leave behind: what was done is as it was asked, all else is as it was.
fn check(what: &str, before: &mut Tree, batch: &[Write], outcomes: &[Outcome], now: &Tree) {
    for (write, outcome) in batch.iter().zip(outcomes) {
        let id = write.id.as_str().unwrap().to_owned();
        match (outcome, &write.document) {
            (Outcome::Done, Some(document)) => {
                let content = String::from_utf8(document.bytes.to_vec()).unwrap();
                before.insert(id, content);
            }
            (Outcome::Done, None) => drop(before.remove(&id)),
            (outcome, _) => {
                assert!(matches!(outcome, Outcome::Blocked(_)), "{what}: {id}: {outcome:?}");
            }
        }
    }
    assert!(before == now, "{what}: {:?} instead of {:?}", now.keys(), before.keys());
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_disk_that_is_full_at_any_moment_loses_nothing() {
    let (mut full, mut renamed) = (0, 0);
    for seed in 0..60 {
        let disk = small_disk("2m");
        let notes = notes_on(&disk);
        let mut random = Random(seed);
        let pad = |tree: Tree| -> Tree {
            tree.into_iter().map(|(path, content)| (path, content.repeat(7000))).collect()
        };
        let (from, to) = (pad(tree(&mut random, 6)), pad(tree(&mut random, 6)));
        from.iter().for_each(|(path, content)| notes.save(path, content));
        let mut writes = writes(&from, &to, true);
        random.shuffle(&mut writes);
        // All that is left but this much is taken.
        let filler = disk.folder.path().join("filler");
        let free = rustix::fs::statvfs(&notes.path).unwrap();
        let leave = 70_000 * random.below(5) as u64;
        let taken = (free.f_bavail * free.f_frsize).saturating_sub(leave);
        fs::write(&filler, vec![1; usize::try_from(taken).unwrap()]).unwrap();
        let mut now = from.clone();
        let size = 1 + random.below(4);
        let mut left = Vec::new();
        for next in writes.chunks(size) {
            let batch: Vec<Write> = left.into_iter().chain(next.iter().cloned()).collect();
            let outcomes = notes.database.apply(batch.clone()).await;
            let what = format!("seed {seed}");
            check(&what, &mut now, &batch, &outcomes, &files(&notes.path));
            full += outcomes.iter().filter(|outcome| !outcome.is_done()).count();
            let moved = |(write, outcome): (&Write, &Outcome)| {
                write.moved_from.is_some() && outcome.is_done()
            };
            renamed += batch.iter().zip(&outcomes).filter(|pair| moved(*pair)).count();
            let open = batch.into_iter().zip(outcomes).filter(|(_, outcome)| !outcome.is_done());
            left = open.map(|(write, _)| write).collect();
        }
        fs::remove_file(filler).unwrap();
        let left = sync(&notes.database, left, usize::MAX).await;
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        assert_eq!(files(&notes.path), to, "seed {seed}");
    }
    assert!(full > 50 && renamed > 20, "{full} writes found no room, {renamed} renames were made");
}

/// A file system in memory on this folder, which is made.
struct Inside(PathBuf);

impl Inside {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        assert!(run("mount", &["-t", "tmpfs", "-o", "size=4m", "tmpfs"], &path));
        Self(path)
    }

    /// A folder of the same file system.
    fn bind(from: &Path, path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        assert!(run("mount", &["--bind", from.to_str().unwrap()], &path));
        Self(path)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

fn is_not_mounted(found: Result<Option<db_to_cloud::Revision>, db_to_cloud::BoxError>) -> bool {
    let error = found.err().and_then(|error| error.downcast::<FolderError>().ok());
    error.is_some_and(|error| matches!(*error, FolderError::NotMounted { .. }))
}

/// Rule F1.
#[tokio::test]
#[ignore = "needs the right to mount"]
async fn what_lay_on_a_mount_that_vanished_is_not_deleted() {
    let disk = tempfile::tempdir().unwrap();
    type Mount<'a> = &'a dyn Fn(PathBuf) -> Inside;
    let ways: [Mount<'_>; 2] = [&Inside::mount, &|path| Inside::bind(disk.path(), path)];
    for mount in ways {
        let notes = support::notes();
        let inside = mount(notes.path.join("media/photos"));
        notes.save("media/photos/sub/1", "1");
        notes.save("media/2", "2");
        assert_eq!(notes.ids().await.len(), 2);
        assert_eq!(notes.database.mounts(), ["media/photos"]);
        fs::remove_file(notes.path.join("media/2")).unwrap();
        let before = notes.revision("media/photos/none").await.unwrap();
        assert_eq!(before, None, "a mount that is there is believed");
        drop(inside);
        // Also after a restart, without the mount point, and where a write would come to lie below it.
        let again = notes.opened_again();
        for _ in 0..2 {
            assert!(again.ids().await.is_empty());
            assert!(is_not_mounted(again.revision("media/photos/sub/1").await));
            assert!(again.database.get(&"media/photos/sub/1".into()).await.is_err());
            assert_eq!(again.revision("media/2").await.unwrap(), None);
            let outcome = again.apply(write("media/photos/new", Some("3"), None)).await;
            assert!(matches!(outcome, Outcome::Blocked(_)), "{outcome:?}");
            let _ = fs::remove_dir(again.path.join("media/photos"));
        }
        // An empty drive in its place, as a share shows that gives way.
        let empty = Inside::mount(again.path.join("media/photos"));
        assert!(again.ids().await.is_empty());
        assert!(is_not_mounted(again.revision("media/photos/sub/1").await));
        drop(empty);
        assert!(again.database.forget_mount("media/photos").unwrap());
        assert_eq!(again.revision("media/photos/sub/1").await.unwrap(), None);
        fs::remove_dir_all(disk.path().join("sub")).ok();
    }
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn documents_on_a_mount_inside_are_written_replaced_renamed_and_deleted() {
    let notes = support::notes();
    let inside = Inside::mount(notes.path.join("photos"));
    notes.all_done(vec![write("photos/a/1", Some("1"), None), write("2", Some("2"), None)]).await;
    notes.all_done(vec![write("photos/a/1", Some("one"), Some("1"))]).await;
    let mut batch = Vec::from(moved("photos/a/1", "1", "one"));
    batch.extend(moved("2", "photos/2", "2"));
    notes.all_done(batch).await;
    assert_eq!(notes.ids().await, ["1", "photos/2"]);
    notes.all_done(moved("photos/2", "photos/b/3", "2").into()).await;
    notes.all_done(vec![write("photos/b/3", None, Some("2"))]).await;
    assert_eq!(notes.ids().await, ["1"]);
    // The drive can be taken out while the folder is open.
    assert!(run("umount", &[], &notes.path.join("photos")));
    drop(inside);
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn names_that_differ_in_case_only_are_one_on_a_mount_that_ignores_case() {
    let disk = ignores_case();
    let notes = support::notes();
    let _inside = Inside::bind(&disk.folder.path().join("notes"), notes.path.join("stick"));
    let pair = |folder: &str| {
        ["a.txt", "A.TXT"].map(|name| write(&format!("{folder}{name}"), Some(name), None))
    };
    let outcomes = notes.database.apply(pair("stick/").into_iter().chain(pair("")).collect()).await;
    let done: Vec<bool> = outcomes.iter().map(Outcome::is_done).collect();
    assert_eq!(done, [true, false, true, true], "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::Refused(_)), "{outcomes:?}");
    assert_eq!(notes.ids().await, ["A.TXT", "a.txt", "stick/a.txt"]);
    assert_eq!(notes.content("stick/a.txt"), b"a.txt");
}

/// FAT shows the same bits for each file, as it was mounted: they say nothing of a file.
#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_file_system_without_permission_bits_says_nothing_of_a_file() {
    for options in ["umask=000", "fmask=177,dmask=077"] {
        let ways: [(&str, &[&str]); 3] = [
            ("mkfs.vfat", &["mount", "-t", "vfat", "-o", options]),
            ("mkfs.exfat", &["mount", "-t", "exfat", "-o", options]),
            ("mkfs.exfat", &["mount.exfat-fuse", "-o", options]),
        ];
        let disk = ways.iter().find_map(|(make, mount)| mount_image(make, &[], mount));
        let disk = disk.expect("install dosfstools or exfat-fuse");
        let notes = notes_in(&disk.folder.path().join("notes"));
        notes.save("a", "text");
        assert!(notes.get("a").await.unwrap().attributes.is_empty(), "{options}");
    }
}

/// A fresh file system of each kind that Linux has; `docs/file-systems.md` says what they keep.
fn file_systems() -> Vec<(&'static str, Mounted)> {
    let kinds: [(&str, &[&str], &[&str]); 5] = [
        ("ext4", &["mkfs.ext4", "-q"], &["mount"]),
        ("xfs", &["mkfs.xfs", "-q"], &["mount"]),
        ("btrfs", &["mkfs.btrfs", "-q"], &["mount"]),
        ("exfat", &["mkfs.exfat"], &["mount.exfat-fuse"]),
        ("ntfs", &["mkfs.ntfs", "-q", "-F", "-f"], &["ntfs-3g"]),
    ];
    let fresh = |(name, make, mount): (&'static str, &[&str], &[&str])| {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(400 << 20).unwrap();
        assert!(run(make[0], &make[1..], image.path()), "{name}: {make:?}");
        let losetup = Command::new("losetup").args(["-f", "--show"]).arg(image.path()).output();
        let device = String::from_utf8(losetup.unwrap().stdout).unwrap().trim().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let mounted = Mounted { folder, device: Some(device.clone()) };
        let arguments = [&mount[1..], &[device.as_str()]].concat();
        assert!(run(mount[0], &arguments, mounted.folder.path()), "{name}: {mount:?}");
        (name, mounted)
    };
    kinds.into_iter().map(fresh).collect()
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn each_file_system_holds_what_it_can_and_loses_nothing() {
    for (name, disk) in file_systems() {
        let notes = notes_on(&disk);
        let folds = name == "exfat";
        notes
            .all_done(vec![write("a/b/one", Some("1"), None), write("two", Some("2"), None)])
            .await;
        notes.all_done(vec![write("a/b/one", Some("one"), Some("1"))]).await;
        let mut batch = Vec::from(moved("two", "a/two", "2"));
        batch.push(write("a/b/one", None, Some("one")));
        batch.push(write("\u{e9}t\u{e9} \u{1f600}", Some("3"), None));
        notes.all_done(batch).await;
        notes.save("edited", "here");
        let outcome = notes.apply(write("edited", Some("there"), None)).await;
        assert!(matches!(outcome, Outcome::Changed), "{name}: {outcome:?}");
        let pair = [write("x.txt", Some("x"), None), write("X.TXT", Some("X"), None)];
        let outcomes = notes.database.apply(pair.into()).await;
        let held = outcomes.iter().filter(|outcome| outcome.is_done()).count();
        assert_eq!(held, if folds { 1 } else { 2 }, "{name}: {outcomes:?}");
        // After a restart nothing that a sync wrote has to be read, and each edit is seen.
        let notes = notes.opened_again();
        let listed = notes.try_list().await.unwrap();
        assert_eq!(listed.len(), 3 + held, "{name}: {listed:?}");
        notes.save("a/two", "9");
        assert_eq!(notes.revision("a/two").await.unwrap(), Some(support::rev("9")), "{name}");
        assert_eq!(notes.content("edited"), b"here", "{name}");
        assert!(notes.left_over().iter().all(|file| fs::metadata(file).unwrap().len() < 10));
    }
}
