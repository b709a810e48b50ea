//! No call asks more of a storage at once than it allows, and none asks less without need.

use db_to_cloud_tests::{Batch, Device, World};

use crate::counterexamples::days;

/// A storage that takes so many objects, and so many bytes, in a call.
fn allowing(device: Device, items: usize, bytes: u64) -> Device {
    device.storage.set_capabilities(|allowed| {
        (allowed.batch_items, allowed.batch_bytes) = (items, bytes);
    });
    device
}

fn edit_many(device: &Device, count: usize, length: usize) {
    (0..count).for_each(|i| device.edit(format!("doc-{i}"), &"x".repeat(length)));
}

fn sizes(batches: &[Batch]) -> Vec<usize> {
    batches.iter().map(|batch| batch.items).collect()
}

#[test]
fn uploads_are_cut_by_number_and_by_bytes() {
    // Two batches are under way at once: each is given half of the bytes, and the document that
    // crosses the line.
    for (items, bytes, expected) in [
        (3, 1 << 30, vec![3, 3, 1]),
        (100, 24_000, vec![2, 2, 2, 1]),
        (100, 24_002, vec![3, 3, 1]),
        (100, 12_000, vec![1; 7]),
    ] {
        let alice = allowing(World::new().device("alice"), items, bytes);
        edit_many(&alice, 7, 6000);
        alice.sync();
        let batches = alice.storage.journal.take_batches("put");
        assert_eq!(sizes(&batches), expected, "{items} objects, {bytes} bytes");
        assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<usize>(), 7 * 6000);
    }
}

/// Where a batch costs as much as a document, the first one is not cut to what fits into a commit.
#[test]
fn uploads_beside_the_reads_of_a_pull_fill_a_batch() {
    let alice = allowing(World::new().device("alice"), 1000, 1 << 30);
    edit_many(&alice, 1, 10);
    alice.sync();
    edit_many(&alice, 1500, 20);
    alice.storage.journal.take_batches("put");
    assert_eq!(alice.sync().pushed, 1500);
    assert_eq!(sizes(&alice.storage.journal.take_batches("put")), [1000, 500]);
}

#[test]
fn downloads_are_cut_by_number_and_by_bytes() {
    for (items, bytes, expected) in
        [(3, 1 << 30, vec![3, 3, 1]), (100, 12_000, vec![2, 2, 2, 1]), (100, 11_999, vec![1; 7])]
    {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), allowing(world.device("bob"), items, bytes));
        edit_many(&alice, 7, 6000);
        alice.sync();
        assert_eq!(bob.sync().pulled, 7);
        let batches = bob.storage.journal.take_batches("get");
        // The first reads the slot after the entry.
        let documents: Vec<_> = sizes(&batches).into_iter().skip(1).collect();
        assert_eq!(documents, expected, "{items} objects, {bytes} bytes");
    }
}

#[test]
fn deletes_are_cut_by_number() {
    let world = World::new();
    // Names are short: however few documents go at once, a thousand names do.
    let alice = allowing(world.device("alice"), 3, 1 << 30);
    for length in [10, 20] {
        edit_many(&alice, 1001, length);
        alice.sync();
    }
    days(&world, 46, &[&alice]);
    assert_eq!(sizes(&alice.storage.journal.take_batches("delete")), [1000, 1]);
}
