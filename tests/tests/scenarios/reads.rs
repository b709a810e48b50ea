//! How often a push reads a document of the application: once (rules C4, U1 and U6).

use std::sync::Arc;

use db_to_cloud::Capabilities;
use db_to_cloud_tests::{Device, TroubledDatabase, World};
use futures::FutureExt;

/// A device whose database counts what is read of it.
fn counting(world: &World, unknown: bool) -> (Device, TroubledDatabase) {
    let device = world.device("alice");
    let documents = TroubledDatabase::of(&device.documents);
    if unknown {
        documents.list_without_revisions();
    }
    (device.with_database(Arc::new(documents.clone())), documents)
}

#[test]
fn a_push_reads_each_document_once() {
    for unknown in [false, true] {
        for queued in [false, true] {
            let world = World::new();
            let (mut alice, documents) = counting(&world, unknown);
            for pushed in [700, 3] {
                for i in 0..pushed {
                    let (id, text) = (format!("{i}"), format!("text {i} of {pushed}"));
                    match queued {
                        true => alice.edit(id, &text),
                        false => alice.edit_unqueued(id, &text),
                    }
                }
                alice.restart();
                documents.reads();
                documents.revisions_asked();
                assert_eq!(alice.sync().pushed, pushed);
                assert_eq!(documents.reads(), pushed as usize, "{unknown}, {queued}");
                // If nearly all are in doubt, the scan asks for the revision of each synced document, once.
                // What was pushed is asked for after its commit (rule U6).
                let in_doubt = if unknown && pushed == 3 { 700 } else { 0 };
                let asked = documents.revisions_asked();
                assert_eq!(asked, in_doubt + pushed as usize, "{unknown}, {queued}");
            }
        }
    }
}

/// As many as a batch of the storage has room for, in number and in bytes; each of them once.
#[test]
fn a_push_reads_a_batch_of_documents_at_once() {
    let world = World::new();
    let (alice, documents) = counting(&world, false);
    documents.read_together();
    for i in 0..700 {
        alice.edit(format!("{i}"), &format!("text {i}"));
    }
    let limits = Capabilities::default();
    let large = "x".repeat(usize::try_from(limits.batch_bytes / 4).unwrap());
    (0..5).for_each(|i| alice.edit(format!("large {i}"), &format!("{i}{large}")));
    assert_eq!((alice.sync().pushed, documents.reads()), (705, 705));
    let calls = documents.read_at_once();
    assert_eq!(calls.iter().sum::<usize>(), 705, "{calls:?}");
    assert!(calls.iter().all(|count| *count <= limits.batch_items), "{calls:?}");
    assert!(calls.len() <= 705 / limits.batch_items + 6, "{calls:?}");
    // Half of what the storage takes at once may wait while the other half is read.
    assert!(calls.contains(&2), "large ones by their bytes: {calls:?}");
}

#[test]
fn what_was_listed_without_its_revision_and_is_as_it_was_leaves_the_queue() {
    let world = World::new();
    let (mut alice, documents) = counting(&world, true);
    let bob = world.device("bob");
    (0..3).for_each(|i| alice.edit_unqueued(format!("{i}"), "text"));
    alice.sync();
    bob.sync();
    alice.restart();
    let report = alice.sync();
    assert_eq!((report.pushed, alice.status().queued, documents.reads()), (0, 0, 6));
    // It is no edit either for what another device has changed meanwhile.
    bob.edit("1", "of bob");
    bob.sync();
    alice.restart();
    let report = alice.sync();
    assert_eq!((report.pulled, report.conflicts, report.pushed), (1, 0, 0));
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_scan_alone_reads_what_is_synced_and_calls_for_no_sync_in_vain() {
    let world = World::new();
    let (alice, documents) = counting(&world, true);
    (0..3).for_each(|i| alice.edit_unqueued(format!("{i}"), "text"));
    alice.sync();
    let scan = || alice.client().compare().now_or_never().unwrap().unwrap();
    assert!(!scan());
    assert_eq!(alice.status().queued, 0);
    alice.edit_unqueued("1", "edited");
    assert!(scan());
    assert_eq!(alice.sync().pushed, 1);
    alice.edit_unqueued("new", "text");
    documents.reads();
    assert!(scan());
    assert_eq!(documents.reads(), 0, "a new document differs in any case");
}
