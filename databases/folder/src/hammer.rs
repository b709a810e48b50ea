//! Tests that need the inside: edits in the worst moments, and what the sweep does with them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use db_to_cloud::{Database, Document, Outcome, Revision, Write};

use crate::FolderDatabase;
use crate::content::hash_of;
use crate::limbo::Old;
use crate::shared::Shared;
use crate::sweep;

fn rev(content: &str) -> Revision {
    Revision::of_content(content.as_bytes())
}

fn write(id: &str, content: Option<String>, expected: Option<Revision>) -> Write {
    let document = content.map(Document::of_content);
    Write { id: id.into(), document, expected, moved_from: None }
}

async fn done(database: &FolderDatabase, write: Write) {
    let outcomes = database.apply(vec![write]).await;
    assert!(matches!(outcomes[..], [Outcome::Done]), "{outcomes:?}");
}

/// The sweep of a time when all files lay still for a minute.
fn sweep_now(shared: &Shared) {
    shared.limbos.root().grace.store(0, Ordering::Relaxed);
    sweep::sweep(shared);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file() && !path.ends_with("clock")).collect()
}

fn contents(folder: &Path) -> Vec<String> {
    let mut contents: Vec<_> =
        files(folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    contents.sort();
    contents
}

fn database() -> (tempfile::TempDir, FolderDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let database = FolderDatabase::open(folder.path()).unwrap();
    (folder, database)
}

#[tokio::test]
async fn what_get_read_answers_revisions_and_no_listing() {
    use futures::StreamExt;
    let (folder, database) = database();
    fs::write(folder.path().join("a"), "one").unwrap();
    let listed = async || database.list().next().await.unwrap().unwrap().revision.unwrap();
    assert_eq!(listed().await, None, "a listing reads nothing");
    database.get(&"a".into()).await.unwrap();
    // Another hash in its place shows who reads the file.
    let shared = database.shared();
    let (stamp, _) = shared.memory.seen("a").unwrap();
    shared.memory.read(&shared.cache, "a", stamp, hash_of(b"planted"), None);
    let revisions = async || database.revisions(&["a".into()]).await.pop().unwrap().unwrap();
    assert_eq!(revisions().await, Some(rev("planted")));
    let expects = |content| write("a", Some("two".into()), Some(rev(content)));
    let outcomes = database.apply(vec![expects("planted")]).await;
    assert!(matches!(outcomes[..], [Outcome::Changed]), "a write compares contents");
    // The stamp was not settled when the file was read: another listing does not trust it.
    assert_eq!(listed().await, None);
    assert_eq!(revisions().await, Some(rev("one")));
}

#[tokio::test]
async fn a_replaced_file_is_removed_once_it_lay_still() {
    let (folder, database) = database();
    fs::write(folder.path().join("a"), "one").unwrap();
    done(&database, write("a", Some("two".into()), Some(rev("one")))).await;
    done(&database, write("a", None, Some(rev("two")))).await;
    let tmp = database.state_dir().join("tmp");
    sweep::sweep(database.shared());
    assert_eq!(contents(&tmp), ["one", "two"], "for a minute");
    sweep_now(database.shared());
    assert!(contents(&tmp).is_empty());
    assert!(contents(folder.path()).is_empty());
}

#[tokio::test]
#[ignore = "needs the right to mount"]
async fn a_full_disk_gets_the_room_of_what_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |program: &str, options: &[&str]| {
        let mut command = std::process::Command::new(program);
        assert!(command.args(options).arg(folder.path()).status().unwrap().success());
    };
    mount("mount", &["-t", "tmpfs", "-o", "size=3m", "tmpfs"]);
    let database = FolderDatabase::open(folder.path()).unwrap();
    let large = |c: &str| c.repeat(2 << 20);
    fs::write(folder.path().join("a"), large("a")).unwrap();
    done(&database, write("a", None, Some(rev(&large("a"))))).await;
    assert_eq!(files(&database.state_dir().join("tmp")).len(), 1, "it is kept for a minute");
    done(&database, write("b", Some(large("b")), None)).await;
    assert_eq!(contents(folder.path()), [large("b")]);
    drop(database);
    mount("umount", &["-l"]);
}

#[tokio::test]
async fn an_edit_through_a_handle_that_was_open_during_the_write_is_kept_as_a_copy() {
    let (folder, database) = database();
    let path = folder.path().join("a.md");
    fs::write(&path, "one").unwrap();
    let mut open = File::options().write(true).open(&path).unwrap();
    done(&database, write("a.md", Some("two".into()), Some(rev("one")))).await;
    open.write_all(b"late edit").unwrap();
    sweep_now(database.shared());
    assert_eq!(contents(folder.path()), ["late edit", "two"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    let copy = files(folder.path()).into_iter().find(|file| *file != path).unwrap();
    let name = copy.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("a (edit kept 2") && name.ends_with(").md"), "{name}");
}

// On Windows all file systems can.
#[cfg(not(windows))]
#[tokio::test]
async fn a_file_system_that_cannot_swap_keeps_edits_in_place_too() {
    let (folder, database) = database();
    database.shared().limbos.root().swaps.store(false, Ordering::Relaxed);
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let mut open = File::options().write(true).open(&path).unwrap();
    let replace = |expected| write("a", Some("two".into()), Some(rev(expected)));
    let outcomes = database.apply(vec![replace("other")]).await;
    assert!(matches!(outcomes[..], [Outcome::Changed]));
    done(&database, replace("one")).await;
    open.write_all(b"late edit").unwrap();
    sweep_now(database.shared());
    assert_eq!(contents(folder.path()), ["late edit", "two"]);
    assert!(contents(&database.state_dir().join("tmp")).is_empty());
}

#[tokio::test]
async fn an_edit_through_a_handle_that_was_open_during_the_delete_brings_the_document_back() {
    let (folder, database) = database();
    let path = folder.path().join("a.md");
    fs::write(&path, "one").unwrap();
    let mut open = File::options().write(true).open(&path).unwrap();
    done(&database, write("a.md", None, Some(rev("one")))).await;
    open.write_all(b"late edit").unwrap();
    sweep_now(database.shared());
    assert_eq!(fs::read_to_string(&path).unwrap(), "late edit");
}

#[tokio::test]
async fn an_edit_that_a_crash_left_between_the_swap_and_the_look_is_kept() {
    let (folder, database) = database();
    let tmp = database.state_dir().join("tmp");
    let name = |path: &str| {
        let (one, two) = (hash_of(b"one"), hash_of(b"two"));
        tmp.join(database.shared().limbos.root().old_name(path, &one, Some(&two)).unwrap())
    };
    fs::write(folder.path().join("a"), "two").unwrap();
    fs::write(name("a"), "edit").unwrap();
    fs::write(name("a"), "two").unwrap();
    let long = "long/".repeat(60) + "name";
    fs::write(name(&long), "edit of a long path").unwrap();
    fs::write(name("gone/b"), "edit in a folder that is gone").unwrap();
    sweep_now(database.shared());
    let expected = ["edit", "edit in a folder that is gone", "edit of a long path", "two"];
    assert_eq!(contents(folder.path()), expected);
    assert!(contents(&tmp).is_empty());
}

/// The content that a sync writes over the content with this hash.
fn applied(number: usize, over: &Revision) -> String {
    format!("applied {number} over {over}")
}

/// Whether a content is this edit, or what a chain of knowing writes made of it.
fn descends(
    content: &str,
    edit: &str,
    over: &std::collections::HashMap<Revision, Revision>,
) -> bool {
    let mut revision = rev(content);
    loop {
        if revision == rev(edit) {
            return true;
        }
        match over.get(&revision) {
            Some(before) => revision = before.clone(),
            None => return false,
        }
    }
}

/// Edits a file over and over, in place and by rename in turn. After each edit it waits until the
/// edit is in the file, or known to whoever replaced it, or among the files that the sweep keeps.
fn edit(path: &Path, stop: &AtomicBool, look: impl Fn(&str) -> bool) -> usize {
    let beside = path.with_file_name("beside.tmp");
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return number;
        }
        let content = format!("edit {number} {}", "x".repeat(number % 5000));
        if number % 2 == 0 {
            fs::write(path, &content).unwrap();
        } else {
            fs::write(&beside, &content).unwrap();
            save_over(&beside, path);
        }
        let found = (0..2000).any(|_| {
            let found = look(&content);
            if !found {
                std::thread::sleep(Duration::from_millis(1));
            }
            found
        });
        assert!(found, "edit {number} was lost");
    }
    0
}

/// As an editor does it. Windows refuses it in moments in which the file is open.
fn save_over(beside: &Path, path: &Path) {
    while let Err(error) = fs::rename(beside, path) {
        let is_windows = cfg!(windows);
        assert!(is_windows, "{error}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the sweep would bring this file back into the folder.
fn will_be_kept(path: &Path) -> bool {
    let old = path.file_name().and_then(|name| Old::parse(name.to_str()?));
    let content = fs::read(path);
    old.is_some_and(|old| content.is_ok_and(|content| !old.knows(&hash_of(&content))))
}

/// A thread edits a document while a sync replaces it as fast as it can, or deletes it.
async fn hammer(deletes: bool) {
    let (folder, database) = database();
    let path = folder.path().join("a");
    let tmp = database.state_dir().join("tmp");
    let stop = AtomicBool::new(false);
    // Which content each write of the sync replaced knowingly.
    let over = std::sync::Mutex::new(std::collections::HashMap::new());
    let mut counts = [0, 0];
    let look = |edit: &str| {
        let kept = files(&tmp).into_iter().filter(|path| will_be_kept(path));
        let places = files(folder.path()).into_iter().chain(kept);
        let mut seen = places.filter_map(|path| fs::read_to_string(path).ok());
        seen.any(|content| descends(&content, edit, &over.lock().unwrap()))
            || over.lock().unwrap().values().any(|replaced| *replaced == rev(edit))
    };
    let mut round = async |number: usize| -> Result<(), db_to_cloud::BoxError> {
        let Some(document) = database.get(&"a".into()).await? else { return Ok(()) };
        let new = (!deletes).then(|| applied(number, &document.revision));
        let after = new.as_deref().map_or_else(|| Revision::from(number as u64), rev);
        let write = write("a", new, Some(document.revision.clone()));
        match database.apply(vec![write]).await.pop() {
            Some(Outcome::Done) => {
                counts[0] += 1;
                over.lock().unwrap().insert(after, document.revision);
            }
            Some(Outcome::Blocked(error) | Outcome::Refused(error)) => return Err(error),
            _ => counts[1] += 1,
        }
        Ok(())
    };
    let apply = async {
        let start = std::time::Instant::now();
        let mut errors = 0;
        for number in 0.. {
            if start.elapsed() > Duration::from_secs(3) {
                break;
            }
            // The file may be too restless to be read.
            errors += usize::from(round(number).await.is_err());
        }
        stop.store(true, Ordering::SeqCst);
        errors
    };
    let (edits, errors) = std::thread::scope(|scope| {
        let editor = scope.spawn(|| edit(&path, &stop, look));
        let run = || tokio::runtime::Handle::current().block_on(apply);
        let errors = tokio::task::block_in_place(run);
        (editor.join().unwrap(), errors)
    });
    println!("{edits} edits, {} writes done, {} refused, {errors} errors", counts[0], counts[1]);
    // Under Wine a swap takes so long that nearly each write finds an edit.
    assert!(edits > 10 && (counts[0] > 10 || cfg!(windows) && counts[1] > 10));
    assert!(leftovers_are_settled(database.shared(), &tmp));
}

fn leftovers_are_settled(shared: &Shared, tmp: &Path) -> bool {
    sweep_now(shared);
    files(tmp).is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost_while_a_sync_replaces_the_document() {
    hammer(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost_while_a_sync_deletes_the_document() {
    hammer(true).await;
}
