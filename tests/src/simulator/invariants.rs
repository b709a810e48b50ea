//! What must hold whatever happens, each in a function of its own: the twelve invariants, checked at
//! every step where that is possible and in the end where it is not. The twelfth, "same seed, same
//! trace", is a test of the simulator as a whole.

mod at_rest;
mod on_the_way;

pub(super) use at_rest::{
    all_devices_end_alike, no_edit_is_lost, nothing_comes_back_to_life, the_head_is_whole,
};
pub(super) use on_the_way::{
    a_good_sync_leaves_nothing_open, a_sync_takes_no_edit_away, a_version_never_goes_back,
    an_error_has_a_cause, cleaning_up_removes_nothing_needed, nobody_is_asked_in_vain,
    nothing_of_an_old_lock_holder_is_reachable, one_commit_a_number, readers_see_a_prefix,
    readers_stand_in_the_log, what_a_commit_names_is_there,
};
