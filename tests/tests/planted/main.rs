//! Rules of the protocol switched off, one at a time: the story of each counterexample then fails, so
//! that story is known to stand for its rule.
//!
//! `cargo xtask test planted` runs it: it needs a build of the core with `--cfg db_to_cloud_mutants`.
//! The stories themselves are those of the scenarios, and run here once more with all rules on.
//! `found` shows which of the losses the simulator finds without a story.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "the seed that failed is shown on request")]

#[cfg(not(db_to_cloud_mutants))]
compile_error!("rules cannot be switched off in this build: run `cargo xtask test planted`");

#[path = "../scenarios/counterexamples/mod.rs"]
mod counterexamples;
mod found;

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterexamples::{attempt, commit, edits, log, storage};
use db_to_cloud::planted::{Rule, without};

/// Tells the story without the rule: it must fail.
#[track_caller]
fn fails_without(rule: Rule, story: fn()) {
    let told = {
        let _off = without(rule);
        catch_unwind(AssertUnwindSafe(story))
    };
    assert!(told.is_err(), "the story ends well without {rule:?}");
}

/// A test for each rule; a rule without a story does not compile.
macro_rules! stories {
    ($($name:ident: $rule:ident, $story:path;)*) => {
        $(
            #[test]
            fn $name() {
                fails_without(Rule::$rule, $story);
            }
        )*

        const _: fn(Rule) = |rule| match rule {
            $(Rule::$rule => {})*
        };
    };
}

stories! {
    without_c4: C4, edits::c4_edits_whose_queueing_was_lost_are_found_at_the_next_start;
    without_the_edits_lock: Edits, commit::edits_queue_and_index_are_read_at_one_moment;
    without_p1: P1, log::p1_an_entry_of_another_branch_is_not_applied;
    without_p3: P3, log::p3_a_device_ahead_of_a_restored_storage_stops;
    without_p7: P7, edits::p7_an_edit_made_during_a_pull_is_not_overwritten;
    without_p8: P8, edits::p8_a_merge_that_is_stopped_anywhere_loses_neither_half;
    without_p14: P14, edits::p14_a_version_that_another_device_never_saw_is_not_overwritten;
    without_u2: U2, attempt::u2_an_upload_that_lost_its_slot_is_never_named_again;
    without_u2_looking_at_the_content: U2Content, commit::u2_an_upload_is_committed_only_as_what_it_is;
    without_u3: U3, attempt::u3_an_old_upload_is_not_named;
    without_u5_unknown_is_lost: U5Lost, commit::u5_a_commit_that_was_heard_is_not_taken_for_lost;
    without_u5_unknown_is_won: U5Won, commit::u5_a_commit_that_was_not_heard_is_not_taken_for_success;
    without_u6: U6, edits::u6_an_edit_made_during_a_push_is_pushed_next;
    without_u7_nothing_is_settled: U7Settled, attempt::u7_an_attempt_is_settled_before_all_else;
    without_u7_nothing_is_dropped: U7Dropped, attempt::u7_an_attempt_that_lost_its_slot_is_dropped;
    without_u7_the_unknown_is_dropped: U7Kept, attempt::u7_an_attempt_of_unknown_fate_is_kept;
    without_u7_what_flies_is_dropped: U7Flight, attempt::u7_an_attempt_that_may_yet_arrive_is_not_dropped;
    without_u7_not_all_is_there: U7Whole, attempt::u7_an_attempt_is_sent_again_only_if_it_is_whole;
    without_l1: L1, storage::l1_a_lock_of_another_client_is_not_deleted;
    without_w4: W4, storage::w4_a_commit_that_a_late_write_replaced_is_offered_again_without_asking;
    without_s9: S9, storage::s9_a_slot_that_cannot_be_read_is_not_free;
    without_k1: K1, log::k1_a_snapshot_is_the_fold_of_the_log;
    without_k2: K2, log::k2_slots_that_a_snapshot_covers_are_not_free;
    without_g1: G1, attempt::g1_a_young_upload_is_not_deleted;
    without_d1: D1, log::d1_another_storage_changes_nothing_unasked;
}
