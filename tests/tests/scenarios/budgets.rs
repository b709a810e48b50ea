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
fn an_idle_sync_is_one_read_whatever_the_number_of_documents() {
    for count in [1, 3000] {
        let world = World::new();
        let (alice, bob) = two_devices(&world, count);
        for device in [&alice, &bob] {
            assert_eq!(requests(device), Requests { get: 1, ..Requests::default() });
        }
    }
}

#[test]
fn a_push_of_n_documents_is_n_puts_two_reads_and_a_create_for_each_500() {
    for (count, creates) in [(1, 1), (10, 1), (500, 1), (501, 2), (1700, 4)] {
        let world = World::new();
        let (alice, _) = two_devices(&world, 1);
        edit_many(&alice, count, "second");
        let expected =
            Requests { get: 2, put: count as u64, create: creates, ..Requests::default() };
        assert_eq!(requests(&alice), expected, "{count} documents");
    }
}

#[test]
fn a_pull_is_a_read_for_each_entry_one_more_and_one_for_each_large_document() {
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
        let get = entries + 1 + entries * large;
        let expected = Requests { get, ..Requests::default() };
        assert_eq!(requests(&bob), expected, "{entries} entries, {small} small, {large} large");
    }
}

#[test]
fn a_first_sync_needs_the_hint_the_head_the_parts_and_the_entries_after_it() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    edit_many(&alice, 10_000, "three hundred bytes would be no different here");
    alice.sync();
    assert!(world.keys("snapshot").len() >= 2, "20 entries are worth a snapshot");
    for i in 0..3 {
        alice.edit("late", &format!("{i}"));
        alice.sync();
    }
    alice.edit("large", &"x".repeat(5000));
    alice.sync();
    let parts = world.keys("snapshot").len() as u64 - 1;
    let (tail, large) = (4, 1);
    let expected = Requests { get: 3 + parts + tail + large, ..Requests::default() };
    assert_eq!(requests(&bob), expected);
    assert!(expected.total() <= 20);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_lost_race_costs_a_read_of_the_winner_and_another_create() {
    let world = World::new();
    let (alice, bob) = two_devices(&world, 1);
    bob.edit("b", "bob's");
    edit_many(&alice, 100, "second");
    // Bob commits just before Alice does.
    alice.storage.before("create", "changes/", move || drop(bob.sync()));
    let report = alice.sync();
    let expected = Requests { get: 2 + 1, put: 100, create: 2, ..Requests::default() };
    assert_eq!(report.requests, expected);
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
}
