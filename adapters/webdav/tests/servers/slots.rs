//! The ways to make a slot that a server's probe did not choose keep the promises, too, where the
//! measurements say so; and all devices of a storage use the same.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use db_to_cloud::{Adapter, Created, ErrorKind, Key};
use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_test_servers::Server;
use db_to_cloud_webdav::Slots;

use crate::support::{apache, config, lighttpd, nginx, open, sabre_as_cloud, unreachable, wsgidav};

async fn conforms(server: &Server, slots: Slots, flaws: &[&str]) {
    let config = config(server).with_slots(slots);
    let options = Options::new().with_listed_keys(50).with_creators(24, 6);
    let options = options.with_large_object(1024 * 1024).with_other(Arc::new(open(&config)));
    let options = options.with_unreachable(Arc::new(unreachable()));
    let outcome = run_with(Arc::new(open(&config)), options).await;
    let failed = outcome.failed();
    assert!(failed.iter().all(|case| flaws.contains(case)), "{failed:?}\n{outcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mkcol_conforms() {
    for server in [apache(), nginx(), lighttpd(), wsgidav(), sabre_as_cloud()] {
        conforms(server, Slots::Mkcol, &[]).await;
    }
}

/// An empty entry is none, half of one may be seen, and who waits for a lock is told to try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn locks_conform_but_for_what_they_cannot() {
    let flaws = [
        "an_object_comes_back_whole",
        "put_replaces_the_object",
        "a_start_of_an_empty_object_is_empty",
        "create_on_an_absent_key_is_new",
        "create_on_a_present_key_changes_nothing",
        "create_is_exclusive",
        "a_create_is_never_seen_in_part",
        "a_dropped_create_leaves_nothing_or_all",
    ];
    for server in [apache(), nginx(), lighttpd(), wsgidav()] {
        conforms(server, Slots::Lock, &flaws).await;
    }
}

#[tokio::test]
async fn what_the_first_device_found_is_what_the_others_use() {
    let config = config(apache());
    assert_eq!(open(&config).slots().await.unwrap(), Slots::Move);
    let storage = std::fs::read_dir(find(apache(), "slots-move").parent().unwrap()).unwrap();
    assert!(storage.count() >= 1);
    std::fs::rename(
        find(apache(), "slots-move"),
        find(apache(), "slots-move").with_file_name("slots-mkcol"),
    )
    .unwrap();
    assert_eq!(open(&config).slots().await.unwrap(), Slots::Mkcol);
}

#[tokio::test]
async fn two_ways_in_one_storage_stop_all_writes() {
    let config = config(nginx());
    let storage = open(&config);
    storage.create(&Key::change(1), "mine".into()).await.unwrap();
    std::fs::create_dir(find(nginx(), "slots-move").with_file_name("slots-lock")).unwrap();
    let error = open(&config).create(&Key::change(2), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("slots-"), "{error}");
    assert_eq!(open(&config).get(&Key::change(2)).await.unwrap(), None);
}

/// A client died between its MKCOL and its entry.
#[tokio::test]
async fn a_claim_without_an_entry_is_respected_and_then_taken_over() {
    let config = config(apache()).with_slots(Slots::Mkcol);
    let storage = open(&config);
    storage.create(&Key::change(1), "first".into()).await.unwrap();
    let claim = find(apache(), "1.json").with_file_name("2.json");
    std::fs::create_dir(&claim).unwrap();
    give_away(&claim);
    let error = storage.create(&Key::change(2), "mine".into()).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("is writing"), "{error}");
    assert_eq!(storage.get(&Key::change(2)).await.unwrap(), None);

    grow_old(&claim);
    assert_eq!(storage.create(&Key::change(2), "mine".into()).await.unwrap(), Created::New);
    assert_eq!(storage.get(&Key::change(2)).await.unwrap().unwrap(), "mine");
    let late = open(&config).create(&Key::change(2), "theirs".into()).await.unwrap();
    assert_eq!(late, Created::Occupied);
}

/// Who takes over may die, too.
#[tokio::test]
async fn a_turn_without_an_entry_is_taken_over_in_its_turn() {
    let storage = open(&config(apache()).with_slots(Slots::Mkcol));
    storage.create(&Key::change(11), "first".into()).await.unwrap();
    let claim = find(apache(), "11.json").with_file_name("12.json");
    let turn = claim.join("turn-1");
    std::fs::create_dir_all(&turn).unwrap();
    [&claim, &turn].into_iter().for_each(|folder| give_away(folder));
    grow_old(&claim);
    let error = storage.create(&Key::change(12), "mine".into()).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("is writing"), "{error}");
    grow_old(&turn);
    assert_eq!(storage.create(&Key::change(12), "mine".into()).await.unwrap(), Created::New);
}

/// Where the server keeps what has this name, in the newest storage that has it.
fn find(server: &Server, name: &str) -> std::path::PathBuf {
    let mut found = Vec::new();
    let mut open = vec![server.data()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_name() == name {
                found.push((entry.metadata().unwrap().modified().unwrap(), entry.path()));
            } else if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.into_iter().max().expect("it was made").1
}

fn give_away(folder: &std::path::Path) {
    use std::os::unix::fs::{MetadataExt, chown};
    let owner = folder.parent().unwrap().metadata().unwrap();
    chown(folder, Some(owner.uid()), Some(owner.gid())).unwrap();
}

fn grow_old(folder: &std::path::Path) {
    let then = SystemTime::now() - Duration::from_secs(61);
    std::fs::File::open(folder).unwrap().set_modified(then).unwrap();
}
