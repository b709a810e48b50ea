//! Two devices that set up a storage at the same time, and what people do to it.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::memory::MemoryState;
use db_to_cloud::{Adapter, Created, ErrorKind, Key, SyncOptions};
use db_to_cloud_google_drive::GoogleDriveConfig;
use db_to_cloud_test_doubles::drive::Space;
use db_to_cloud_test_doubles::{Drive, Fault};
use db_to_cloud_test_servers::Device;
use futures::future::join_all;

use crate::support::{config, hidden, open};

const GENESIS: &str = "db-to-cloud.json";

fn genesis(double: &Drive, space: Space) -> Vec<String> {
    let stored = double.stored(space).into_iter();
    stored.filter(|file| file.name == GENESIS).map(|file| file.id).collect()
}

/// Lists lag by up to a second, in which neither sees what the other made; both wait longer.
async fn two_first_devices(round: u32, space: Space) {
    let double = Drive::start().await;
    double.set_list_lag(Duration::from_millis(u64::from(round % 5) * 200));
    double.set_name_lag(Duration::from_secs(3600));
    let config = match space {
        Space::Drive => config(&double),
        Space::AppData => hidden(&double),
    };
    let config = config.with_settle(Duration::from_secs(5));
    let device = |name| Device::new(name, Arc::new(open(&config)) as Arc<dyn Adapter>);
    let (alice, bob) = (device("alice"), device("bob"));
    alice.edit("alice", "a").await;
    bob.edit("bob", "b").await;
    let late = async {
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 40)).await;
        bob.sync().await
    };
    tokio::join!(alice.sync(), late);
    alice.sync().await;
    bob.sync().await;
    assert_eq!((alice.all().len(), alice.all()), (2, bob.all()), "round {round}");
    let carol = device("carol");
    carol.sync().await;
    assert_eq!(carol.all(), bob.all(), "round {round}");
    assert_eq!(genesis(&double, space).len(), 1, "round {round}: the loser is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_devices_agree_whatever_lists_show() {
    let visible = (0..12).map(|round| two_first_devices(round, Space::Drive));
    let hidden = (0..12).map(|round| two_first_devices(round, Space::AppData));
    tokio::join!(join_all(visible), join_all(hidden));
}

/// Many adapters at once, each of a process of its own: one slot 1.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_first_commits_one_is_new() {
    let double = Drive::start().await;
    double.set_list_lag(Duration::from_millis(300));
    let config = config(&double).with_settle(Duration::from_secs(5));
    let commits = (0..12).map(|i| {
        let storage = open(&config);
        async move {
            let own = format!("commit {i}");
            let created = storage.create(&Key::change(1), own.clone().into()).await.unwrap();
            (created == Created::New, own, storage.get(&Key::change(1)).await.unwrap().unwrap())
        }
    });
    let answers = join_all(commits).await;
    let winners: Vec<_> = answers.iter().filter(|(new, ..)| *new).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().all(|(_, _, stored)| stored == winners[0].1.as_bytes()));
    assert_eq!(genesis(&double, Space::Drive).len(), 1);
}

/// Lists lag for longer than anybody waits: two storages. Both devices find out before they write again,
/// nothing is deleted, and the application has them merged.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_for_too_long_loses_nothing() {
    let double = Drive::start().await;
    double.set_list_lag(Duration::from_secs(3600));
    let config = config(&double);
    let device = |name, config: &GoogleDriveConfig| {
        Device::new(name, Arc::new(open(config)) as Arc<dyn Adapter>)
    };
    let bobs = config.clone().with_state(Arc::new(MemoryState::new()));
    let (alice, bob) = (device("alice", &config), device("bob", &bobs));
    for (device, id) in [(&alice, "alice"), (&bob, "bob")] {
        device.edit(id, "text").await;
        device.sync().await;
    }
    double.set_list_lag(Duration::ZERO);
    let made = genesis(&double, Space::Drive);
    assert_eq!(made.len(), 2);

    // Bob's device starts anew: it looks before it writes.
    let bob = bob.reopened(Arc::new(open(&bobs)));
    bob.edit("first", "text").await;
    let error = bob.try_sync().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Diverged);
    assert!(error.to_string().contains("older"), "{error}");
    assert!(!double.stored(Space::Drive).iter().any(|file| file.name == "2.json"));
    // And from the next start on goes by the older one, whose log is another.
    let bob = bob.reopened(Arc::new(open(&bobs)));
    bob.edit("more", "text").await;
    assert_eq!(bob.try_sync().await.unwrap_err().kind(), ErrorKind::Diverged);
    assert_eq!(bob.all().len(), 3, "nothing was deleted");
    let accept = SyncOptions { accept_remote: true, ..SyncOptions::default() };
    bob.client.sync_with(accept).await.unwrap();
    alice.sync().await;
    assert_eq!((alice.all().len(), alice.all()), (4, bob.all()));
    assert_eq!(genesis(&double, Space::Drive), made, "a settled one is nobody's to delete");
}

/// The maker of a genesis dies at once; its answer was lost; nobody knows.
#[tokio::test]
async fn a_genesis_whose_maker_is_gone_is_used() {
    let double = Drive::start().await;
    double.faults().fail("files.upload", GENESIS, Fault::DropAfter);
    let config = config(&double);
    let first = open(&config).create(&Key::change(1), "a".into()).await;
    assert!(first.unwrap_err().is_transient());
    let storage = open(&config);
    assert_eq!(storage.create(&Key::change(1), "b".into()).await.unwrap(), Created::New);
    assert_eq!(genesis(&double, Space::Drive).len(), 1);
}

#[tokio::test]
async fn a_storage_in_the_bin_is_not_replaced_by_a_new_one() {
    let double = Drive::start().await;
    let config = config(&double);
    open(&config).create(&Key::change(1), "a".into()).await.unwrap();
    let folder = double.stored(Space::Drive)[0].clone();
    assert_eq!(folder.name, "Apps");
    double.trash(&folder.id);
    let error = open(&config).create(&Key::change(2), "b".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("bin"), "{error}");
}

/// Deleted for good while a client runs: it fails once, and then sets up a new storage, which the core
/// takes for another one.
#[tokio::test]
async fn a_storage_that_was_deleted_is_not_waited_for() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    storage.create(&Key::change(1), "a".into()).await.unwrap();
    double.delete(&double.stored(Space::Drive)[0].id);
    assert_eq!(storage.get(&Key::change(1)).await.unwrap(), None);
    let error = storage.put(&Key::parse("docs/a.b").unwrap(), "x".into()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(storage.create(&Key::change(1), "b".into()).await.unwrap(), Created::New);
    assert_eq!(storage.get(&Key::change(1)).await.unwrap().unwrap(), "b");
}

#[tokio::test]
async fn a_damaged_genesis_is_an_error_that_says_what_to_do() {
    let double = Drive::start().await;
    let config = config(&double);
    open(&config).create(&Key::change(1), "a".into()).await.unwrap();
    let id = &genesis(&double, Space::Drive)[0];
    for (content, kind) in [
        ("{\"db-to-cloud-google-drive\":2}", ErrorKind::NewerFormat),
        ("{}", ErrorKind::Corrupt),
        ("", ErrorKind::Corrupt),
    ] {
        double.overwrite(id, content);
        let error = open(&config).get(&Key::change(1)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}
