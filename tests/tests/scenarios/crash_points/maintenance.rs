//! Stops in several commits, in checkpoints, in jumps to a snapshot, and in garbage collection.

use super::script::Act::Days;
use super::*;

/// Most of the steps upload one document like any other: of those only some are tried.
#[test]
fn several_commits_of_one_push_survive_a_stop_anywhere() {
    let (world, alice, bob) = known();
    (0..501).for_each(|i| alice.edit(format!("n{i}"), "alice1"));
    let script = Script { world, devices: vec![alice, bob], acts: vec![Sync(ALICE)] };
    let whole = script.begin().on();
    assert_eq!(whole.world.commits(), 3);
    let end = whole.end("not stopped");
    let pushed = script.begin().devices[ALICE].sync_for(Default::default(), u64::MAX);
    let steps = pushed.unwrap();
    assert!(steps > 1000, "the script has only {steps} steps");
    for step in (1..steps - 30).step_by(97).chain(steps - 30..=steps) {
        let case = format!("stopped at step {step} of {steps}");
        let mut play = script.begin();
        assert!(play.stops_at(step), "{case}");
        assert_eq!(play.on().end(&case), end, "{case}");
    }
}

/// Alice has all but written the first snapshot; Bob is far behind, and has edits.
fn before_a_checkpoint() -> (World, Device, Device) {
    let (world, alice, bob) = known();
    alice.edit("large", LARGE);
    alice.delete("gone");
    for i in 0..14 {
        alice.edit("a", &format!("old a{i}"));
        alice.sync();
    }
    assert_eq!((world.commits(), world.snapshots().len()), (15, 0));
    let merging = |device: Device| device.resolving_by(Judge::merging());
    (world, merging(alice), merging(bob))
}

#[test]
fn a_checkpoint_and_a_jump_to_it_survive_a_stop_anywhere() {
    let (world, alice, bob) = before_a_checkpoint();
    let fresh = world.device("carol").resolving_by(Judge::merging());
    let acts = vec![
        Edit(BOB, "both", "bob1"),
        Edit(2, "carols", "carol1"),
        Edit(ALICE, "both", "alice1"),
        Sync(ALICE),
        Sync(2),
        Sync(BOB),
    ];
    let script = Script { world, devices: vec![alice, bob, fresh], acts };
    let whole = script.begin().on();
    assert_eq!(whole.world.snapshots().len(), 1, "there is a checkpoint to be stopped in");
    stop_everywhere(&script, 50);
}

#[test]
fn garbage_collection_survives_a_stop_anywhere() {
    let (world, alice, bob) = before_a_checkpoint();
    alice.edit("both", "old alice1");
    alice.sync();
    for _ in 0..3 {
        world.time.pass(std::time::Duration::from_secs(11 * 24 * 3600));
        alice.sync();
    }
    let acts = vec![
        Edit(BOB, "both", "bob1"),
        Days(11),
        Sync(ALICE),
        Edit(ALICE, "b", "alice1"),
        Sync(BOB),
        Days(11),
        Sync(ALICE),
    ];
    let script = Script { world, devices: vec![alice, bob], acts };
    let whole = script.begin().on();
    let asked = whole.devices[ALICE].storage.journal.take();
    assert!(asked.contains(&"delete docs/…".to_owned()), "nothing was collected");
    stop_everywhere(&script, 60);
}
