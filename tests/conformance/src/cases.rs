//! The cases, in the order they run: the simple promises first.

mod batches;
mod clients;
mod copies;
mod create;
mod list;
mod looks;
mod names;
mod objects;
mod partial;

use std::fmt;

use futures::future::BoxFuture;

use crate::context::{CaseResult, Context};

/// One promise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Context) -> BoxFuture<'a, CaseResult>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! cases {
    ($($module:ident: $($name:ident)+;)+) => {
        pub(crate) const ALL: &[Case] = &[$($(
            Case { name: stringify!($name), run: |cx| Box::pin($module::$name(cx)) },
        )+)+];
    };
}

cases! {
    objects:
        an_object_comes_back_whole
        an_object_without_a_folder_comes_back_whole
        put_replaces_the_object
        a_missing_object_is_none
        a_deleted_object_is_gone
        deleting_a_missing_object_is_ok
        a_large_object_comes_back_whole;
    names:
        awkward_document_ids_round_trip
        awkward_document_ids_are_listed;
    batches:
        put_many_writes_each_object
        get_many_answers_in_order
        delete_many_deletes_just_these;
    copies:
        a_copy_has_the_bytes_of_the_original_and_outlives_it
        a_copy_is_an_object_of_its_own
        a_copy_of_what_is_absent_is_missing_and_writes_nothing
        a_copy_over_the_same_content_leaves_it
        copy_many_answers_in_order;
    create:
        create_on_an_absent_key_is_new
        create_on_a_present_key_changes_nothing
        create_after_delete_is_new
        create_is_exclusive
        a_create_whose_answer_was_lost_is_read_back
        log_slots_are_created_once;
    partial:
        a_create_is_never_seen_in_part
        a_dropped_create_leaves_nothing_or_all
        a_dropped_put_leaves_old_or_new;
    list:
        listing_needs_no_objects
        list_shows_only_its_folder
        list_shows_each_key_once;
    looks:
        a_start_is_the_first_bytes
        a_start_of_a_large_object_is_short
        a_start_of_an_empty_object_is_empty
        a_start_of_a_missing_object_is_none
        names_show_what_lies_around
        names_are_as_many_as_wanted
        names_go_on_after_a_page
        an_empty_storage_has_no_names;
    clients:
        another_client_sees_a_finished_write
        an_unreachable_storage_is_an_error_not_an_absence;
}
