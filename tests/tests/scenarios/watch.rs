//! A watch syncs soon after each change, costs next to nothing while there is none, and never spins.

mod errors;
mod interrupted;
mod local;
mod state;
mod storage;
mod watcher;

use std::time::Duration;

use db_to_cloud::{Cause, ErrorKind, WatchOptions};
use db_to_cloud_tests::World;
use tokio::time::{Instant, sleep, timeout};

use storage::Waiting;
use watcher::{Watcher, causes};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn an_idle_storage_that_cannot_wait_is_polled_less_and_less_often() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled);
    let done = alice.run(HOUR).await;
    let times: Vec<_> = done.iter().map(|(time, ..)| time.as_secs()).collect();
    assert_eq!(times[..9], [0, 5, 15, 35, 75, 155, 315, 615, 915]);
    assert!(causes(&done[1..]).iter().all(|cause| *cause == Cause::Time));
    let first = alice.requests();
    alice.run(HOUR).await;
    // The first sync reads the hint and two slots; an idle one reads a slot, and once an hour the anchor.
    assert_eq!((first, alice.requests()), ((19, 1), (13, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_idle_storage_that_can_wait_costs_two_reads_and_eight_waits_an_hour() {
    let (world, _) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    let done = alice.run(HOUR).await;
    assert_eq!(causes(&done), [Cause::Time]);
    // The one that was under way at the beginning was dropped.
    assert_eq!(alice.requests(), (2, 8 + 1));
    alice.run(24 * HOUR).await;
    // Each hour the anchor is read, too (rule P3).
    assert_eq!(alice.requests(), (24 * 2, 24 * 8 + 1));
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_another_device_arrives_within_seconds() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    for hours in [0, 1, 3] {
        alice.run(hours * HOUR + 100 * SECOND).await;
        bob.edit("note", &format!("after {hours} hours"));
        bob.sync();
        let done = alice.run(4 * SECOND).await;
        assert_eq!(causes(&done), [Cause::Remote], "after {hours} hours");
        assert_eq!(alice.read("note").unwrap(), format!("after {hours} hours"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_polled_for_soon_while_there_are_others() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Polled).settled().await;
    alice.run(2 * HOUR).await;
    bob.edit("note", "first");
    bob.sync();
    let mut waited = 0;
    while alice.read("note").as_deref() != Some("first") {
        alice.run(SECOND).await;
        waited += 1;
        assert!(waited <= 300, "the longest pause");
    }
    bob.edit("note", "second");
    bob.sync();
    alice.run(6 * SECOND).await;
    assert_eq!(alice.read("note").as_deref(), Some("second"), "the pauses are short again");
}

#[tokio::test(start_paused = true)]
async fn its_own_commit_wakes_a_watch_once_for_one_read() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::Truly).settled().await;
    alice.edit("note", "alice's").await;
    let done = alice.run(600 * SECOND).await;
    assert_eq!(causes(&done), [Cause::Edit, Cause::Remote]);
    let idle = done[1].2.as_ref().unwrap();
    assert_eq!((idle.requests.total(), idle.requests.get), (1, 1));
    // The next commit of another device is not the less heard.
    bob.sync();
    bob.edit("note", "bob's");
    bob.sync();
    assert_eq!(causes(&alice.run(4 * SECOND).await), [Cause::Remote]);
    assert_eq!(alice.read("note").as_deref(), Some("bob's"));
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_cries_wolf_is_heard_less_and_less_often() {
    let (world, bob) = with_a_commit();
    let mut alice = Watcher::new(&world, Waiting::CryingWolf);
    let done = alice.run(HOUR).await;
    assert!(done.len() < 25, "{} syncs", done.len());
    bob.edit("note", "new");
    bob.sync();
    alice.run(WatchOptions::default().longest_poll).await;
    assert_eq!(alice.read("note").as_deref(), Some("new"));
    alice.run(24 * HOUR).await;
    alice.requests();
    alice.run(HOUR).await;
    let (reads, waits) = alice.requests();
    assert!(reads <= 13 && waits <= 13, "{reads} reads, {waits} waits");
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_cannot_wait_now_is_polled_meanwhile() {
    let broken = [
        Waiting::Impatient,
        Waiting::Failing(ErrorKind::Unavailable),
        Waiting::Failing(ErrorKind::Forbidden),
        Waiting::Silent,
    ];
    for waiting in broken {
        let (world, bob) = with_a_commit();
        let mut alice = Watcher::new(&world, waiting).settled().await;
        bob.edit("note", "new");
        bob.sync();
        alice.run(700 * SECOND).await;
        assert_eq!(alice.read("note").as_deref(), Some("new"), "{waiting:?}");
        alice.run(2 * HOUR).await;
        alice.requests();
        alice.run(HOUR).await;
        let (reads, waits) = alice.requests();
        assert!(reads <= 14 && waits <= 14, "{waiting:?}: {reads} reads, {waits} waits");
    }
}

#[tokio::test(start_paused = true)]
async fn two_devices_that_watch_hold_the_same_and_come_to_rest() {
    for waiting in [Waiting::Polled, Waiting::Truly] {
        let world = World::new();
        let (mut alice, mut bob) = (Watcher::new(&world, waiting), Watcher::new(&world, waiting));
        let began = Instant::now();
        let (on_alice, on_bob) = (alice.documents.clone(), bob.documents.clone());
        let (edits_of_alice, edits_of_bob) = (alice.client.clone(), bob.client.clone());
        let edits = async {
            for i in 0..50 {
                sleep(Duration::from_millis(700 * (i % 7))).await;
                let (documents, client, name) = match i % 2 {
                    0 => (&on_alice, &edits_of_alice, "alice"),
                    _ => (&on_bob, &edits_of_bob, "bob"),
                };
                let id = format!("{name} {i}").into();
                documents.save(format!("{name} {i}"), "text");
                client.queue_change(&id).await.unwrap();
            }
            while on_alice.documents().len() < 50 || on_bob.documents().len() < 50 {
                sleep(SECOND).await;
            }
            began.elapsed()
        };
        let (alices, bobs) = (alice.run(HOUR), bob.run(HOUR));
        let all = timeout(HOUR, edits);
        let (alices, bobs, all) = tokio::join!(alices, bobs, all);
        let all = all.unwrap_or_else(|_| panic!("{waiting:?}: not everything arrived"));
        assert!(all < 300 * SECOND, "{waiting:?}: it took {all:?}");
        assert!(alices.len() < 150 && bobs.len() < 150, "{waiting:?}");
        assert!(alices.iter().chain(&bobs).all(|(.., outcome)| outcome.is_ok()));
        alice.run(HOUR).await;
        alice.requests();
        alice.run(HOUR).await;
        assert!(alice.requests().0 <= 13, "{waiting:?}: at rest again");
    }
}

/// A storage, and Bob, who committed a note.
fn with_a_commit() -> (World, db_to_cloud_tests::Device) {
    let world = World::new();
    let bob = world.device("bob");
    bob.edit("note", "old");
    bob.sync();
    (world, bob)
}
