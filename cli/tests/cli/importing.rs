//! Import of storages that the JavaScript db-to-cloud wrote: `fixtures/js`.

mod clouds;
mod damaged;
mod stopped;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Client, DocumentId, RemoteWins};
use db_to_cloud_fs::FsAdapter;
use serde_json::{Value, json};

use crate::world::{Run, World};

/// A storage as the package wrote it.
pub(super) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/js/storage")
}

/// A world with a copy of that storage, which is called `old`.
pub(super) fn world() -> World {
    let world = World::with_cloud(&["a"], "new".to_owned());
    copy(&fixture(), &world.path("old"));
    world
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = entry.map(|e| (e.path(), to.join(e.file_name()))).unwrap();
        match entry.is_dir() {
            true => copy(&entry, &to),
            false => drop(fs::copy(&entry, &to).unwrap()),
        }
    }
}

/// An import of `from` to `new` that must end with this code.
#[track_caller]
pub(super) fn import(world: &World, code: i32, from: &str, more: &[&str]) -> Run {
    let run = world.run(["import", from, world.cloud()].iter().chain(more));
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

/// Everything of a folder: contents, and when each file, folder and list of names last changed.
pub(super) fn state_of(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, [i64; 4], u64)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        paths.push(folder);
        for path in paths {
            let metadata = fs::metadata(&path).unwrap();
            let bytes = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let [m, mn] = [metadata.mtime(), metadata.mtime_nsec()];
            let [c, cn] = [metadata.ctime(), metadata.ctime_nsec()];
            let new = all.insert(path.clone(), (bytes, [m, mn, c, cn], metadata.ino())).is_none();
            if new && metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    all
}

/// All puts of the log of `new`, by the JSON of their ids: revision and bytes.
pub(super) fn documents(world: &World) -> BTreeMap<String, (String, String)> {
    let mut documents = BTreeMap::new();
    for n in 1.. {
        let path = world.path(&format!("new/changes/{n}.json"));
        let Ok(entry) = fs::read(path) else { break };
        let entry: Value = serde_json::from_slice(&entry).unwrap();
        for change in entry["changes"].as_array().unwrap() {
            assert_eq!(change["action"], "put", "{change}");
            let rev = change["rev"].as_str().unwrap().to_owned();
            let content = (rev, change["body"].as_str().unwrap().to_owned());
            let before = documents.insert(change["id"].to_string(), content);
            assert_eq!(before, None, "pushed twice: {change}");
        }
    }
    documents
}

/// What the script put there, and did not delete.
pub(super) fn expected() -> BTreeMap<String, (String, String)> {
    let text = |text: &str| text.to_owned();
    let many = (0..5).map(|i| {
        let edit = 90 + i;
        let body = format!(r#"{{"_id":"many-{i}","edit":{edit}}}"#);
        (format!("\"many-{i}\""), (edit.to_string(), body))
    });
    let mut expected: BTreeMap<_, _> = many.collect();
    for (id, rev, body) in [
        (json!("note"), "2", r#"{"_id":"note","text":"second"}"#),
        (json!("Upper Case"), "1", "{\"_id\":\"Upper Case\",\"text\":\"ü 日本 \u{2028}\"}"),
        (json!(7), "1", r#"{"_id":7,"text":"a number"}"#),
        (json!(1.5), "1", r#"{"_id":1.5}"#),
        (json!(1e21), "1", r#"{"_id":1e+21}"#),
        (json!("7a"), "rev-a", r#"{"z":1,"a":[1,2e-7,null],"text":"keys keep their order"}"#),
        (json!("back"), "3", r#"{"_id":"back","text":"again"}"#),
    ] {
        expected.insert(id.to_string(), (text(rev), text(body)));
    }
    expected
}

#[test]
fn a_folder_is_imported_and_only_read() {
    let world = world();
    let before = state_of(&world.path("old"));
    let run = import(&world, 0, "old", &["--json"]);
    assert_eq!(run.stderr, "");
    let report = run.report();
    let counts = ["documents", "imported", "present", "problems"].map(|key| report[key].as_u64());
    assert_eq!(counts, [12, 12, 0, 0].map(Some), "{report}");
    assert_eq!(documents(&world), expected());

    let again = import(&world, 0, "old", &[]);
    assert!(again.stdout.starts_with("imported: 0 of 12 documents, 12 were there"), "{again:?}");
    assert_eq!(documents(&world), expected());
    assert_eq!(state_of(&world.path("old")), before);
}

/// An application of the new library.
fn application(world: &World) -> (Arc<MemoryDatabase>, Client) {
    let database = Arc::new(MemoryDatabase::new());
    let storage = Arc::new(FsAdapter::open(world.path("new")).unwrap());
    let state = Arc::new(MemoryState::new());
    let client = Client::builder(storage, database.clone(), state, Arc::new(RemoteWins)).build();
    (database, client)
}

#[tokio::test]
async fn what_is_other_in_the_new_storage_is_left_and_reported() {
    let world = world();
    import(&world, 0, "old", &[]);
    let (database, client) = application(&world);
    client.sync().await.unwrap();
    assert_eq!(database.documents().len(), 12);
    assert_eq!(database.documents()[&7.into()].bytes, r#"{"_id":7,"text":"a number"}"#);
    database.save("back", "edited in the new storage");
    database.remove("note");
    client.queue_changes(&["back".into(), "note".into()]).await.unwrap();
    assert_eq!(client.sync().await.unwrap().pushed, 2);
    let log = world.tree("new/changes");
    let run = import(&world, 3, "old", &[]);
    for id in ["back", "note"] {
        assert!(run.stderr.contains(&format!("left as it is: {id}: ")), "{run:?}");
    }
    assert!(run.stdout.starts_with("imported: 0 of 12 documents, 10 were there, 2 to"), "{run:?}");
    assert_eq!(world.tree("new/changes"), log, "nothing was overwritten, nothing came back");
}

#[tokio::test]
async fn documents_of_the_new_storage_alone_are_no_concern() {
    let world = world();
    let (database, client) = application(&world);
    for i in 0..30 {
        database.save(format!("other-{i}"), "of the new application");
    }
    client.sync().await.unwrap();
    let gone: Vec<_> = (0..25).map(|i| DocumentId::from(format!("other-{i}"))).collect();
    gone.iter().for_each(|id| database.remove(id.clone()));
    client.queue_changes(&gone).await.unwrap();
    assert_eq!(client.sync().await.unwrap().pushed, 25);
    let run = import(&world, 0, "old", &[]);
    assert!(run.stdout.starts_with("imported: 12 of 12 documents"), "{run:?}");
    client.sync().await.unwrap();
    assert_eq!(database.documents().len(), 5 + 12);
}

#[test]
fn only_an_old_storage_is_imported_and_only_to_another_place() {
    let world = world();
    for to in ["old", "old/new", "."] {
        let run = world.run(["import", "old", to]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("in the place of the old one"), "{run:?}");
    }
    import(&world, 1, "a", &[]);
    let missing = import(&world, 1, "missing", &[]);
    assert!(missing.stderr.contains("there is no storage in"), "{missing:?}");
    import(&world, 2, "s3://bucket/old?region=eu-central-1", &[]);
    assert!(!world.exists("new") && !world.exists("missing"));

    import(&world, 0, "old", &[]);
    let ours = world.run(["import", "new", "newer"]);
    assert_eq!(ours.code, Some(2), "{ours:?}");
    assert!(ours.stderr.contains("is a storage of this program"), "{ours:?}");
    assert!(!world.exists("newer"));
}

#[test]
fn a_storage_in_use_is_refused() {
    let world = world();
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let lock = |millis: u128| world.write("old/lock.json", format!("{{\"expire\":{millis}}}"));
    lock(soon.as_millis() + 3_600_000);
    let run = import(&world, 1, "old", &[]);
    assert!(run.stderr.contains("holds the lock of the old storage, for 60 minutes"), "{run:?}");
    assert!(run.stderr.contains("hint: end the old application"), "{run:?}");
    assert!(!world.exists("new"));
    import(&world, 0, "old", &["--ignore-lock"]);
    lock(soon.as_millis() - 1);
    let over = import(&world, 0, "old", &[]);
    assert!(over.stderr.contains("a device was stopped while it synced"), "{over:?}");
    world.write("old/lock.json", "{\"exp");
    import(&world, 1, "old", &[]);
}
