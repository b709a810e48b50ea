//! One table that is synced with several storages (rules T2, T3 and T4).

use std::sync::Arc;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Client, LocalWins, RemoteWins, Report, Resolver};

use crate::world::{Device, NOTES};

const ALL: &str = "SELECT * FROM notes ORDER BY id";

/// A client of the device's tables for another storage.
async fn client(device: &Device, cloud: &MemoryAdapter, resolver: Arc<dyn Resolver>) -> Client {
    let state = Arc::new(device.database.state("another").await.unwrap());
    let database = Arc::new(device.database.clone());
    Client::builder(Arc::new(cloud.clone()), database, state, resolver).build()
}

fn moved(report: &Report) -> u64 {
    assert_eq!(report.deferred, [], "nothing is set aside");
    report.pulled + report.pushed + report.deleted
}

async fn syncs(clients: &[&Client]) -> u64 {
    let mut count = 0;
    for client in clients {
        count += moved(&client.sync().await.unwrap());
    }
    count
}

/// Syncs in turn until nothing moves any more.
async fn settle(clients: &[&Client]) {
    for _ in 0..6 {
        if syncs(clients).await == 0 {
            return;
        }
    }
    panic!("the devices do not come to rest");
}

/// Rule T4: a row that came from one storage goes on to the other one.
#[tokio::test]
async fn t4_rows_of_one_storage_reach_the_other_one() {
    let (one, two) = (MemoryAdapter::new(), MemoryAdapter::new());
    let first = Device::new(&one, NOTES, &["notes"]).await;
    let between = Device::new(&one, NOTES, &["notes"]).await;
    let last = Device::new(&two, NOTES, &["notes"]).await;
    let onward = client(&between, &two, Arc::new(RemoteWins)).await;
    let all = [&first.client, &between.client, &onward, &last.client];
    first.run("INSERT INTO notes VALUES ('a', 'first', 0), ('b', 'first', 0), ('c', 'first', 0)");
    settle(&all).await;
    assert_eq!(last.shell(ALL), "a|first|0\nb|first|0\nc|first|0");
    first.run("UPDATE notes SET text = 'second' WHERE id = 'a'; DELETE FROM notes WHERE id = 'b'");
    settle(&all).await;
    assert_eq!(last.shell(ALL), "a|second|0\nc|first|0");
    last.run("UPDATE notes SET text = 'third' WHERE id = 'c'");
    settle(&all).await;
    assert_eq!(first.shell(ALL), "a|second|0\nc|third|0");
    assert_eq!(between.shell(ALL), first.shell(ALL));
}

/// Rules T2 and T3: two devices with the same two storages, whose users decide one conflict in opposite ways.
#[tokio::test]
async fn t3_rows_in_two_storages_come_to_rest_and_are_equal() {
    for resolvers in [
        [Arc::new(RemoteWins) as Arc<dyn Resolver>, Arc::new(RemoteWins)],
        [Arc::new(LocalWins), Arc::new(LocalWins)],
        [Arc::new(LocalWins), Arc::new(RemoteWins)],
    ] {
        let (one, two) = (MemoryAdapter::new(), MemoryAdapter::new());
        let mut devices = Vec::new();
        for resolver in &resolvers {
            let mut device = Device::new(&one, NOTES, &["notes"]).await;
            device.decide_by(resolver.clone()).await;
            devices.push(device);
        }
        let [a, b] = devices.try_into().unwrap_or_else(|_| panic!("two devices"));
        let a_two = client(&a, &two, resolvers[0].clone()).await;
        let b_two = client(&b, &two, resolvers[1].clone()).await;
        let all = [&a.client, &a_two, &b.client, &b_two];
        a.run("INSERT INTO notes VALUES ('x', 'first', 0), ('y', 'first', 0)");
        settle(&all).await;
        a.run("UPDATE notes SET text = 'of a'");
        b.run("UPDATE notes SET text = 'of b' WHERE id = 'x'; DELETE FROM notes WHERE id = 'y'");
        assert!(syncs(&[&a.client, &b_two]).await > 0);
        settle(&all).await;
        assert_eq!(a.shell(ALL), b.shell(ALL));
        assert!(a.shell("SELECT text FROM notes WHERE id = 'x'").starts_with("of "));
        assert_eq!((a.queued().await, b.queued().await), (0, 0));
    }
}

/// Rule T4: the device between the storages has an older schema, without a column and without a table.
#[tokio::test]
async fn t4_what_has_no_place_in_a_row_goes_on_too() {
    let (one, two) = (MemoryAdapter::new(), MemoryAdapter::new());
    let full =
        "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, done INTEGER DEFAULT 0, color TEXT);
        CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT)";
    let first = Device::new(&one, full, &["notes", "tags"]).await;
    let between = Device::new(&one, NOTES, &["notes"]).await;
    let last = Device::new(&two, full, &["notes", "tags"]).await;
    first.run(
        "INSERT INTO notes VALUES ('a', 'first', 0, 'red'); INSERT INTO tags VALUES ('t', 'one')",
    );
    settle(&[&first.client, &between.client]).await;
    // The second storage is new: what is held goes there too.
    let onward = client(&between, &two, Arc::new(RemoteWins)).await;
    let all = [&first.client, &between.client, &onward, &last.client];
    settle(&all).await;
    let both = "SELECT color FROM notes; SELECT name FROM tags";
    assert_eq!(last.shell(both), "red\none");
    // Neither change touches a row of the device between them.
    first.run("UPDATE notes SET color = 'blue'; UPDATE tags SET name = 'two'");
    settle(&all).await;
    assert_eq!(last.shell(both), "blue\ntwo");
    last.run("UPDATE notes SET color = 'green'; DELETE FROM tags");
    settle(&all).await;
    assert_eq!(first.shell(both), "green");
}
