//! The request budgets of the protocol, counted.

use db_to_cloud::Requests;
use db_to_cloud_tests::{Device, World};

fn requests(device: &Device) -> Requests {
    device.sync().requests
}

fn edit_many(device: &Device, count: usize, text: &str) {
    for i in 0..count {
        device.edit(format!("doc-{i:05}"), &format!("{text} {i}"));
    }
}

/// Two devices that both hold `count` documents.
fn two_devices(world: &World, count: usize) -> (Device, Device) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    edit_many(&alice, count, "first");
    alice.sync();
    bob.sync();
    (alice, bob)
}

#[test]
fn an_idle_sync_is_two_reads_whatever_the_number_of_documents() {
    for count in [0, 1, 500, 3000] {
        let world = World::new();
        let (alice, bob) = two_devices(&world, count);
        for device in [&alice, &bob] {
            // The anchor and the slot after it. Where there is no storage yet, slot 1 and the hint, and what
            // else lies there.
            let list = if count == 0 { 1 } else { 0 };
            let idle = Requests { get: 2, list, ..Requests::default() };
            assert_eq!((requests(device), requests(device)), (idle, idle), "{count} documents");
        }
    }
}

/// Rule S5: an entry has at most 500 changes.
#[test]
fn a_push_of_n_documents_is_n_puts_two_reads_and_a_create_for_each_500() {
    for (count, creates) in [(1, 1), (10, 1), (100, 1), (500, 1), (501, 2), (1000, 2), (1001, 3)] {
        let world = World::new();
        let (alice, _) = two_devices(&world, 1);
        edit_many(&alice, count, "second");
        let expected =
            Requests { get: 2, put: count as u64, create: creates, ..Requests::default() };
        assert_eq!(requests(&alice), expected, "{count} documents");
    }
}

/// Rule U1.
#[test]
fn only_what_really_changed_counts_for_the_commits_of_a_push() {
    let world = World::new();
    let (alice, _) = two_devices(&world, 1200);
    for i in 0..1200 {
        match i % 3 {
            0 => alice.edit(format!("doc-{i:05}"), "changed"),
            1 => alice.delete(format!("doc-{i:05}")),
            _ => alice.queue(&format!("doc-{i:05}").into()),
        }
    }
    let report = alice.sync();
    assert_eq!(report.pushed, 800);
    assert_eq!(report.requests, Requests { get: 2, put: 400, create: 2, ..Requests::default() });
    let sizes: Vec<_> = (4..=5).map(|n| world.entry(n).changes.len()).collect();
    assert_eq!(sizes, [500, 300]);
}

/// Rule S5: small documents are copied into the entry.
#[test]
fn a_commit_of_100_small_documents_is_three_reads() {
    let world = World::new();
    let (alice, bob) = two_devices(&world, 1);
    edit_many(&alice, 100, "second");
    alice.sync();
    let report = bob.sync();
    assert_eq!((report.pulled, report.requests.total(), report.requests.get), (100, 3, 3));
}

#[test]
fn a_pull_is_a_read_for_each_entry_two_more_and_one_for_each_large_document() {
    for (entries, small, large) in [(1, 100, 0), (1, 0, 3), (5, 2, 1), (8, 1, 0)] {
        let world = World::new();
        let (alice, bob) = two_devices(&world, 1);
        for entry in 0..entries {
            for i in 0..small {
                alice.edit(format!("small-{entry}-{i}"), "text");
            }
            for i in 0..large {
                alice.edit(format!("large-{entry}-{i}"), &"x".repeat(5000));
            }
            alice.sync();
        }
        // The anchor, and the slot after the last entry.
        let get = entries + 2 + entries * large;
        let expected = Requests { get, ..Requests::default() };
        assert_eq!(requests(&bob), expected, "{entries} entries, {small} small, {large} large");
    }
}

#[test]
fn a_first_sync_without_a_snapshot_needs_the_hint_and_the_log() {
    for (count, entries) in [(0, 0), (1, 1), (500, 1), (501, 2), (3000, 6)] {
        let world = World::new();
        let alice = world.device("alice");
        edit_many(&alice, count, "first");
        alice.sync();
        let list = if entries == 0 { 1 } else { 0 };
        let expected = Requests { get: 1 + entries + 1, list, ..Requests::default() };
        assert_eq!(requests(&world.device("bob")), expected, "{count} documents");
    }
}

/// The number of the last commit that the only snapshot holds.
fn snapshot_seq(world: &World) -> u64 {
    let names = world.keys("snapshot");
    let number = |name: &String| name.split(['/', '.']).nth(1).and_then(|n| n.parse().ok());
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 1, "{names:?}");
    numbers[0]
}

#[test]
fn a_first_sync_needs_the_hint_the_head_the_parts_the_entries_after_it_and_large_documents() {
    for (documents, commits, late, large) in
        [(20, 20, 0, 0), (20, 20, 1, 0), (20, 20, 4, 3), (10_000, 20, 1, 1), (20, 16, 0, 0)]
    {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        for commit in 0..commits {
            for i in 0..documents / 20 {
                alice.edit(format!("doc-{commit}-{i}"), &"x".repeat(300));
            }
            alice.sync();
        }
        for commit in 0..late {
            alice.edit("late", &format!("{commit}"));
            (0..large).for_each(|i| alice.edit(format!("large-{i}"), &"x".repeat(5000 + commit)));
            alice.sync();
        }
        let parts = world.keys("snapshot").len() as u64 - 1;
        let after = world.commits() - snapshot_seq(&world);
        // Without an entry after the snapshot its own last slot is read (rule P13).
        let proof = u64::from(after == 0);
        let get = 4 + parts + after + proof + large;
        let expected = Requests { get, ..Requests::default() };
        let report = bob.sync();
        assert_eq!(report.requests, expected, "{documents} documents, {late} late, {large} large");
        assert!(report.requests.total() <= 20);
        assert_eq!(bob.all(), alice.all());
    }
}

#[test]
fn a_lost_race_costs_a_read_of_the_winner_its_large_documents_and_another_create() {
    for large in [0, 3] {
        let world = World::new();
        let (alice, bob) = two_devices(&world, 1);
        bob.edit("b", "bob's");
        (0..large).for_each(|i| bob.edit(format!("large-{i}"), &"x".repeat(5000)));
        edit_many(&alice, 100, "second");
        // Bob commits just before Alice does.
        alice.storage.before("create", "changes/", move || drop(bob.sync()));
        let report = alice.sync();
        let get = 2 + 1 + large;
        let expected = Requests { get, put: 100, create: 2, ..Requests::default() };
        assert_eq!(report.requests, expected, "{large} large documents");
        assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    }
}

#[test]
fn a_lost_race_uploads_nothing_again_however_many_documents_are_on_their_way() {
    let world = World::new();
    let (alice, bob) = two_devices(&world, 1);
    bob.edit("b", "bob's");
    edit_many(&alice, 1700, "second");
    // Alice's second of four commits finds its slot taken.
    let slot = format!("changes/{}.json", world.commits() + 2);
    alice.storage.before("create", &slot, move || drop(bob.sync()));
    let report = alice.sync();
    let expected = Requests { get: 2 + 1, put: 1700, create: 4 + 1, ..Requests::default() };
    assert_eq!(report.requests, expected);
    assert_eq!((report.pushed, report.pulled), (1700, 1));
}
