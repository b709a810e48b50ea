//! A dry run says what the sync then does, for every mix of edits on two devices (rule P6).

use std::collections::BTreeSet;

use db_to_cloud::{DocumentId, Resolution};
use db_to_cloud_tests::{Device, Judge, World};
use futures::FutureExt;

type Ids = BTreeSet<DocumentId>;

/// What a device does with one of the documents.
fn act(device: &Device, id: &str, action: usize, queued: bool) {
    let text = ["same", "mine", "theirs"];
    match action {
        0 => {}
        1 if queued => device.delete(id),
        1 => device.delete_unqueued(id),
        2..=4 if queued => device.edit(id, text[action - 2]),
        2..=4 => device.edit_unqueued(id, text[action - 2]),
        // Edited, and back again.
        _ => {
            let before = device.read(id);
            device.edit(id, "for a moment");
            match before {
                Some(text) => device.edit(id, &text),
                None => device.delete(id),
            }
        }
    }
}

fn ids(list: &[DocumentId]) -> Ids {
    list.iter().cloned().collect()
}

/// The ids that hold something else than before, and those that are gone.
fn changed(before: &[(DocumentId, String)], after: &[(DocumentId, String)]) -> (Ids, Ids) {
    let has = |list: &[(DocumentId, String)], id: &DocumentId| list.iter().any(|(i, _)| i == id);
    let put = after.iter().filter(|entry| !before.contains(entry)).map(|(id, _)| id.clone());
    let gone = before.iter().filter(|(id, _)| !has(after, id)).map(|(id, _)| id.clone());
    (put.collect(), gone.collect())
}

#[test]
fn p6_a_dry_run_says_what_the_sync_does() {
    for case in 0..400 {
        let mut dice = fastrand::Rng::with_seed(case);
        let world = World::new();
        let judge = Judge::always(Resolution::Defer);
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        let mut bob = bob.resolving_by(judge.clone());
        let names: Vec<_> = (0..8).map(|i| format!("doc-{i}")).collect();
        for id in &names[..5] {
            alice.edit(id.as_str(), "old");
        }
        alice.sync();
        bob.sync();
        for id in &names {
            act(&alice, id, dice.usize(..6), true);
            act(&bob, id, dice.usize(..6), dice.bool());
        }
        alice.sync();
        if dice.bool() {
            // A conflict that was put off before stays one.
            bob.sync();
            act(&alice, &names[0], dice.usize(..6), true);
            act(&bob, &names[1], dice.usize(..6), true);
            alice.sync();
        }
        bob.restart();
        let (before, asked) = (bob.all(), judge.count());
        let preview = bob.client().preview().now_or_never().unwrap().unwrap();
        assert_eq!((bob.all(), judge.count()), (before.clone(), asked), "it changes nothing");
        let commits = world.commits();
        let report = bob.sync();
        let (put, gone) = changed(&before, &bob.all());
        assert_eq!(ids(&preview.pull), put, "case {case}");
        assert_eq!(ids(&preview.delete), gone, "case {case}");
        let conflicts: Ids = judge.asked()[asked..].iter().map(|c| c.id.clone()).collect();
        assert_eq!(ids(&preview.conflicts), conflicts, "case {case}");
        let pushed = preview.push.len() + preview.push_deletes.len();
        assert_eq!(pushed as u64, report.pushed, "case {case}: {preview:?}");
        assert_eq!(world.commits() > commits, pushed > 0, "case {case}");
    }
}
