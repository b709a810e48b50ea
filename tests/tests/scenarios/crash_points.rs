//! Devices are stopped at every single step of a script, restart and sync again: nothing is lost,
//! and the end is the same (rule P8 and every rule about what is recorded first).
//!
//! Each script is played once for each of its steps and for each way to go on; how many steps it has
//! at least is asserted, so that no script can quietly become empty.

mod maintenance;
mod script;
mod trouble;

use db_to_cloud::{DeferAll, KeepBoth, LocalWins, RemoteWins, Resolver};
use db_to_cloud_tests::{Device, Judge, World};
use script::Act::{self, Delete, Edit, Sync};
use script::{End, Play, Script, Who};

const ALICE: Who = 0;
const BOB: Who = 1;

/// Alice and Bob know some documents.
fn known() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "both", "gone", "kept"]);
    (world, alice, bob)
}

/// Both edit, also the same document; each deletes something, and some large document is new.
fn both_edit() -> Vec<Act> {
    vec![
        Edit(BOB, "b", "bob1"),
        Edit(BOB, "both", "bob2"),
        Edit(BOB, "new", LARGE),
        Delete(BOB, "gone"),
        Sync(BOB),
        Edit(ALICE, "a", "alice1"),
        Edit(ALICE, "both", "alice2"),
        Delete(ALICE, "kept"),
        Edit(BOB, "kept", "bob3"),
        Sync(ALICE),
        Sync(BOB),
        Edit(ALICE, "both", "alice4"),
        Sync(ALICE),
        Sync(BOB),
    ]
}

/// Too large for the body of a change.
const LARGE: &str = match std::str::from_utf8(&[b'x'; 5000]) {
    Ok(text) => text,
    Err(_) => "",
};

fn both_edit_and(resolver: impl Resolver + Clone + 'static) -> Script {
    let (world, alice, bob) = known();
    let (alice, bob) = (alice.resolving_by(resolver.clone()), bob.resolving_by(resolver));
    Script { world, devices: vec![alice, bob], acts: both_edit() }
}

/// The script, stopped at each step that leaves something else behind than the one before; there are
/// at least so many.
#[track_caller]
fn stops(script: &Script, least: usize) -> impl Iterator<Item = (String, Play)> {
    let stop_at = move |step| {
        let mut play = script.begin();
        play.stops_at(step).then_some((format!("stopped at step {step}"), play))
    };
    let stops = (1..).map_while(stop_at);
    let mut left = None;
    let stops: Vec<_> = stops.filter(|(_, p)| left.replace(p.left()) != left).collect();
    assert!(stops.len() >= least, "there are only {} stops", stops.len());
    stops.into_iter()
}

/// Each stop, and each way to go on from it.
#[track_caller]
fn stop_everywhere(script: &Script, least: usize) {
    stop_and_recover(script, least);
    for (stop, play) in stops(script, least) {
        let case = format!("{stop}, to be recovered later");
        // The others went on meanwhile, so the end may be another; but no word is lost.
        assert_words(script, &play.on_later().end(&case), &case);
    }
}

/// Each stop, and the same again at once: the end is that of the script that was not stopped. For
/// decisions that drop one side on purpose.
#[track_caller]
fn stop_and_recover(script: &Script, least: usize) {
    let end = script.begin().on().end("not stopped");
    for (case, play) in stops(script, least) {
        assert_eq!(play.on().end(&case), end, "{case}");
    }
}

/// Each stop, and in the recovery from it a stop at each `every`th step; at least so many pairs.
#[track_caller]
fn stop_twice(script: &Script, every: u64, least: usize) {
    let end = script.begin().on().end("not stopped");
    let mut pairs = 0;
    for (i, (stop, play)) in (0..).zip(stops(script, 1)) {
        let mut left = play.left();
        for again in (1 + i % every..).step_by(every as usize) {
            let mut recovery = play.fork();
            if !recovery.stops_again_at(again) {
                break;
            }
            if std::mem::replace(&mut left, recovery.left()) == left {
                continue;
            }
            let case = format!("{stop} and again at {again}");
            assert_eq!(recovery.on().end(&case), end, "{case}");
            pairs += 1;
        }
    }
    assert!(pairs >= least, "only {pairs} recoveries were stopped");
}

#[track_caller]
fn assert_words(script: &Script, end: &End, case: &str) {
    for (id, words) in script.words() {
        let text = end.iter().find(|(known, _)| *known == id).map_or("", |(_, text)| text);
        for word in words {
            assert!(text.split(' ').any(|w| w == word), "{case}: {id} lost {word:.20}");
        }
    }
}

#[test]
fn edits_deletes_and_merges_survive_a_stop_anywhere() {
    stop_everywhere(&both_edit_and(Judge::merging()), 60);
}

#[test]
fn every_other_decision_survives_a_stop_anywhere() {
    stop_and_recover(&both_edit_and(LocalWins), 50);
    stop_and_recover(&both_edit_and(RemoteWins), 50);
    stop_and_recover(&both_edit_and(KeepBoth::new(|c| format!("{} 2", c.id).into())), 50);
}

#[test]
fn decisions_that_are_put_off_survive_a_stop_anywhere() {
    stop_everywhere(&both_edit_and(DeferAll), 40);
}

#[test]
fn a_recovery_that_is_stopped_too_is_recovered_from() {
    stop_twice(&both_edit_and(Judge::merging()), 5, 100);
}

/// Small enough that no pair of stops need be left out.
#[test]
fn every_pair_of_stops_of_a_merge_is_recovered_from() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["both"]);
    bob.edit("both", "old bob1");
    bob.sync();
    let alice = alice.resolving_by(Judge::merging());
    let acts = vec![Edit(ALICE, "both", "alice1"), Edit(ALICE, "new", LARGE), Sync(ALICE)];
    stop_twice(&Script { world, devices: vec![alice, bob], acts }, 1, 35);
}
