//! Whole syncs of a folder with a storage whose ids are path tricks: nothing is ever written, read or
//! deleted outside the folder, the other documents sync, and nobody's document is lost.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryAdapter, MemoryDatabase, MemoryState};
use db_to_cloud::{Client, Database, DeferReason, DocumentId, RemoteWins, Resolver};
use support::{Notes, notes};

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
