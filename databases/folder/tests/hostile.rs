//! What a storage in other hands, or a folder from elsewhere, may try. Ids that are path tricks: nothing is ever
//! written, read or deleted outside the folder, the other documents sync, and nobody's document is lost.
// Most of what is tried here are links and permission bits.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryAdapter, MemoryDatabase, MemoryState};
use db_to_cloud::{Client, Database, DeferReason, DocumentId, Outcome, RemoteWins, Resolver};
use db_to_cloud_folder::{FolderDatabase, FolderError, SkipReason};
use support::{Notes, notes, write};

/// Ids that are no path within the folder; `outside` stands for the absolute path of another folder.
const TRICKS: [&str; 17] = [
    "../outside/evil",
    "../../etc/evil",
    "a/../../outside/evil",
    "/outside/evil",
    "outside",
    "link/evil",
    "link/precious",
    "file-link",
    "..",
    ".",
    "",
    "a//evil",
    "a/",
    "nul\0/evil",
    ".db-to-cloud/state.sqlite",
    ".DB-TO-CLOUD/evil",
    "down/.db-to-cloud/evil",
];

/// Everything beside the folder, by its path.
fn beside(notes: &Notes) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![notes.path.parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path == notes.path {
                continue;
            }
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.display().to_string(), fs::read(&path).unwrap())),
            }
        }
    }
    found
}

/// A folder beside another one, with links to what is in that.
fn with_links() -> (Notes, std::path::PathBuf) {
    let notes = notes();
    let outside = notes.path.parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "mine").unwrap();
    symlink(&outside, notes.path.join("link")).unwrap();
    symlink(outside.join("precious"), notes.path.join("file-link")).unwrap();
    (notes, outside)
}

fn ids(outside: &Path) -> Vec<DocumentId> {
    let absolute = outside.join("evil").display().to_string();
    let text = |id: &&str| match *id {
        "outside" => DocumentId::from(absolute.as_str()),
        id => DocumentId::from(id),
    };
    TRICKS.iter().map(text).chain([DocumentId::from(7)]).collect()
}

fn client(storage: &MemoryAdapter, database: impl Database + 'static) -> Client {
    let resolver: Arc<dyn Resolver> = Arc::new(RemoteWins);
    let state = Arc::new(MemoryState::new());
    Client::builder(Arc::new(storage.clone()), Arc::new(database), state, resolver).build()
}

#[tokio::test]
async fn ids_of_the_storage_never_lead_out_of_the_folder() {
    let (notes, outside) = with_links();
    let storage = MemoryAdapter::new();
    let others = MemoryDatabase::new();
    let tricks = ids(&outside);
    tricks.iter().for_each(|id| others.save(id.clone(), "evil"));
    others.save("a/good", "good");
    let sender = client(&storage, others.clone());
    sender.sync().await.unwrap();

    let before = beside(&notes);
    notes.save("own", "own");
    let receiver = client(&storage, notes.database.clone());
    let report = receiver.sync().await.unwrap();
    let mut refused: Vec<_> = report.deferred.iter().map(|deferred| deferred.id.clone()).collect();
    refused.sort();
    let mut expected = tricks.clone();
    expected.sort();
    assert_eq!(refused, expected);
    let reasons = report.deferred.iter().all(|deferred| deferred.reason != DeferReason::Conflict);
    assert!(reasons, "{:?}", report.deferred);
    assert_eq!(beside(&notes), before);
    assert_eq!(notes.content("a/good"), b"good");

    // They are not there, which does not mean that somebody deleted them.
    receiver.sync().await.unwrap();
    sender.sync().await.unwrap();
    assert_eq!(others.documents().len(), tricks.len() + 2);
}

#[tokio::test]
async fn deletes_in_the_storage_delete_nothing_outside_the_folder() {
    let (notes, outside) = with_links();
    let storage = MemoryAdapter::new();
    let others = MemoryDatabase::new();
    let tricks = ids(&outside);
    tricks.iter().for_each(|id| others.save(id.clone(), "evil"));
    (0..40).for_each(|i| others.save(format!("good-{i}"), "good"));
    let sender = client(&storage, others.clone());
    sender.sync().await.unwrap();
    let receiver = client(&storage, notes.database.clone());
    receiver.sync().await.unwrap();
    let before = beside(&notes);
    for id in &tricks {
        others.remove(id.clone());
        sender.queue_change(id).await.unwrap();
    }
    sender.sync().await.unwrap();
    receiver.sync().await.unwrap();
    assert_eq!(beside(&notes), before);
    assert!(notes.has("link") && notes.has("file-link"), "links are not ours to delete");
    assert_eq!(notes.content("good-7"), b"good");
}

const IGNORE: &str = ".db-to-cloud-ignore";

/// The reasons of what was skipped, by path.
fn skipped(notes: &Notes) -> BTreeMap<String, SkipReason> {
    let skipped = notes.database.skipped().into_iter();
    skipped.map(|skipped| (skipped.path.display().to_string(), skipped.reason)).collect()
}

/// Rule F2.
#[tokio::test]
async fn an_ignore_file_from_the_storage_has_no_effect_before_it_is_accepted() {
    let notes = notes();
    notes.save(IGNORE, "private/\n");
    notes.save("private/diary", "dear");
    assert_eq!(notes.ids().await, [IGNORE]);
    notes.all_done(vec![write(IGNORE, Some("*.md\n"), Some("private/\n"))]).await;
    notes.save("new.md", "");
    // Also after a restart, and after another one came.
    let again = notes.opened_again();
    assert_eq!(again.ids().await, [IGNORE, "new.md"]);
    let reasons = skipped(&again);
    assert_eq!(reasons[IGNORE], SkipReason::NotAccepted);
    assert!(matches!(&reasons["private"], SkipReason::KeptIn(rule) if rule.contains("private/")));
    again.all_done(vec![write(IGNORE, Some("# nothing\n"), Some("*.md\n"))]).await;
    assert_eq!(again.ids().await, [IGNORE, "new.md"]);
    again.all_done(vec![write(IGNORE, None, Some("# nothing\n"))]).await;
    assert_eq!(again.ids().await, ["new.md"]);
    assert_eq!(skipped(&again)[IGNORE], SkipReason::NotAccepted);
    assert_eq!(again.database.accept_patterns().unwrap(), [IGNORE]);
    assert_eq!(again.ids().await, ["new.md", "private/diary"]);
    assert!(again.database.skipped().is_empty());
}

#[tokio::test]
async fn an_ignore_file_that_a_person_edits_counts_at_once() {
    let notes = notes();
    notes.save("a.md", "");
    // One for a folder that had none, one that cannot be understood, and one that says the same as before.
    notes.all_done(vec![write("sub/.db-to-cloud-ignore", Some("[\n"), None)]).await;
    notes.all_done(vec![write(IGNORE, Some("*.md\n"), None)]).await;
    assert_eq!(notes.ids().await, [IGNORE, "a.md", "sub/.db-to-cloud-ignore"]);
    notes.save(IGNORE, "*.md\n*.tmp\n");
    assert_eq!(notes.ids().await, [IGNORE, "sub/.db-to-cloud-ignore"]);
    let broken = BTreeMap::from([("sub/.db-to-cloud-ignore".into(), SkipReason::NotAccepted)]);
    assert_eq!(skipped(&notes), broken);
    notes.all_done(vec![write(IGNORE, Some("x\n"), Some("*.md\n*.tmp\n"))]).await;
    notes.all_done(vec![write(IGNORE, Some("*.md\n*.tmp\n"), Some("x\n"))]).await;
    assert_eq!(notes.ids().await, [IGNORE, "sub/.db-to-cloud-ignore"]);
    assert_eq!(skipped(&notes), broken);
}

#[tokio::test]
async fn what_is_ignored_is_listed_with_its_pattern() {
    let notes = notes();
    notes.save(IGNORE, "# mine\nbuild/\n*.tmp\n");
    notes.save("sub/.db-to-cloud-ignore", "!keep.tmp\n");
    for path in ["build/x", "a.tmp", "sub/b.tmp", "sub/keep.tmp"] {
        notes.save(path, "");
    }
    let ignored = notes.database.ignored().unwrap();
    let mut ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    ignored.sort();
    let rule = |pattern| format!("left out by the pattern {pattern:?} in {IGNORE}");
    let expected = [("a.tmp", "*.tmp"), ("build", "build/"), ("sub/b.tmp", "*.tmp")];
    assert_eq!(ignored, expected.map(|(path, pattern)| format!("{path}: {}", rule(pattern))));
}

/// Rule F4.
#[tokio::test]
async fn what_programs_obey_is_not_written_before_the_guard_is_opened() {
    let notes = notes();
    notes.save(".git/config", "mine");
    notes.save(".bashrc", "mine");
    let put = || write(".git/hooks/pre-commit", Some("evil"), None);
    let replace = || write(".git/config", Some("evil"), Some("mine"));
    let before = notes.database.epochs(&[put().id, replace().id, "a".into()]).await;
    for write in [put(), replace()] {
        let outcome = notes.apply(write).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    assert_eq!(notes.content(".git/config"), b"mine");
    assert!(!notes.has(".git/hooks"));
    notes
        .all_done(vec![write("a", Some("good"), None), write(".bashrc", None, Some("mine"))])
        .await;
    notes.database.open_guard(true).unwrap();
    let again = FolderDatabase::open(&notes.path).unwrap();
    let after = again.epochs(&[put().id, replace().id, "b".into()]).await;
    assert!(before[0] != after[0] && before[1] != after[1] && before[2] == after[2]);
    notes.all_done(vec![put(), replace()]).await;
}

/// Rule F5.
#[test]
fn a_state_folder_that_is_not_ones_own_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let temporary = tempfile::tempdir().unwrap();
    let elsewhere = temporary.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("victim"), "gold").unwrap();
    let open = |name: &str, prepare: &dyn Fn(&Path)| {
        let folder = temporary.path().join(name);
        fs::create_dir(&folder).unwrap();
        let state = folder.join(".db-to-cloud");
        prepare(&state);
        let opened = FolderDatabase::open(&folder).map(drop);
        (opened, state)
    };
    let is_refused = |(opened, _): (_, _)| matches!(opened, Err(FolderError::StateFolder { .. }));
    assert!(is_refused(open("link", &|state| symlink(&elsewhere, state).unwrap())));
    assert!(is_refused(open("file", &|state| fs::write(state, "").unwrap())));
    for name in ["state.sqlite", "files.sqlite", "folder.json", "tmp", "files.sqlite-wal"] {
        let prepare = |state: &Path| {
            fs::create_dir(state).unwrap();
            symlink(elsewhere.join("victim"), state.join(name)).unwrap();
        };
        assert!(is_refused(open(name, &prepare)), "{name}");
    }
    let writable = |state: &Path| {
        fs::create_dir(state).unwrap();
        set(state, 0o770).unwrap();
    };
    assert!(is_refused(open("writable", &writable)));
    if rustix::process::geteuid().is_root() {
        let foreign = |state: &Path| {
            fs::create_dir(state).unwrap();
            std::os::unix::fs::chown(state, Some(1000), None).unwrap();
        };
        assert!(is_refused(open("foreign", &foreign)));
    }
    let readable = |state: &Path| {
        fs::create_dir(state).unwrap();
        set(state, 0o755).unwrap();
    };
    let (opened, state) = open("readable", &readable);
    opened.unwrap();
    assert_eq!(mode(&state), 0o700);
    assert_eq!(fs::read(state.join(".gitignore")).unwrap(), b"*\n");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    assert_eq!(fs::read(elsewhere.join("victim")).unwrap(), b"gold");
}
