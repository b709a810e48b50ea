//! What every [`Database`] must keep: each case is one promise of the trait.
//!
//! The suite edits documents as the application does, in between the writes of a sync, and reads
//! them again through a new handle. What it needs for that an [`Application`] brings; a case whose need
//! is not met is reported as skipped, never as passed.
//!
//! `docs/own-database.md` explains the promises; `examples/own_database.rs` is a database of 60 lines
//! and the whole of its test.

mod apply;
mod collide;
mod interrupted;
mod reading;
mod tools;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{Database, DocumentId};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::Outcome;
use crate::context::{CaseResult, Stop};
use crate::suite::verdict;
use tools::Context;

/// How long one case may take; beyond that it has failed.
const CASE_TIMEOUT: Duration = Duration::from_secs(300);

/// Ends a state of need that a case asked for, such as a full disk.
pub type Undo = Box<dyn FnOnce() + Send>;

/// An application with documents: what its database needs to be tested.
///
/// The methods with a default are for cases that not every database has a need for.
#[async_trait]
pub trait Application: Send + Sync + 'static {
    /// Opens the database. Each call gives a handle as another start of the program would: nothing is
    /// shared with the one before but what is stored. (A database in memory gives the same.)
    async fn open(&self) -> Arc<dyn Database>;

    /// The id of the `n`-th document.
    fn id(&self, n: usize) -> DocumentId;

    /// The bytes of the `n`-th document in one of its versions: all different, some 100 bytes, and of a
    /// form that the database takes as it is.
    fn bytes(&self, n: usize, version: usize) -> Bytes;

    /// The application makes or changes a document, or deletes it (`None`), whatever there is now.
    /// Called from many threads at once. It must not fail.
    fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>);

    /// Two documents that the database cannot hold at the same time, such as a file and a folder of
    /// one name.
    fn rivals(&self) -> Option<[(DocumentId, Bytes); 2]> {
        None
    }

    /// The bytes of the `n`-th document with this value, which no two documents may share.
    fn unique(&self, n: usize, value: usize) -> Option<Bytes> {
        let _ = (n, value);
        None
    }

    /// A document that the database never takes.
    fn refused(&self) -> Option<(DocumentId, Bytes)> {
        None
    }

    /// A document that the database stores, but not to the byte.
    fn inexact(&self) -> Option<(DocumentId, Bytes)> {
        None
    }

    /// Makes a document, which is there, unreadable.
    fn hide(&self, id: &DocumentId) -> Option<Undo> {
        let _ = id;
        None
    }

    /// Fills the disk of the database.
    fn fill(&self) -> Option<Undo> {
        None
    }

    /// The ids of the queued documents, if edits are queued by the database itself
    /// ([`ChangeTracking::Transactional`](db_to_cloud::ChangeTracking::Transactional)).
    async fn queued(&self) -> Option<BTreeSet<String>> {
        None
    }

    /// A command that runs [`work`] for the same documents in a process of its own, to be killed. For
    /// databases that outlive their process.
    fn worker(&self) -> Option<Command> {
        None
    }
}

type Case = (&'static str, for<'a> fn(&'a Context<'a>) -> BoxFuture<'a, CaseResult>);

macro_rules! cases {
    ($($module:ident: $($name:ident)+;)+) => {
        const ALL: &[Case] = &[$($(
            (stringify!($name), |cx| Box::pin($module::$name(cx))),
        )+)+];
    };
}

cases! {
    reading:
        what_is_applied_is_read_back
        the_list_names_each_document_once
        unreadable_is_not_deleted;
    apply:
        a_write_expects_its_revision
        outcomes_are_in_the_order_of_the_writes
        a_long_batch_is_applied
        a_renamed_document_has_its_bytes
        an_applied_write_is_no_edit
        inexact_bytes_are_said
        refused_changes_nothing;
    collide:
        a_delete_makes_room_for_a_put_in_one_batch
        no_delete_is_made_if_the_put_in_its_place_fails
        blocked_comes_again
        a_chain_of_unique_values_moves_in_one_batch
        a_full_disk_changes_nothing;
    interrupted:
        an_edit_during_apply_is_not_overwritten
        a_dropped_apply_is_whole_or_nothing_a_document
        a_killed_apply_is_whole_or_nothing_a_document;
}

/// Runs all cases, each on applications without documents that `make` makes. A runtime of tokio with
/// several threads is needed. Call [`assert_passed`](Outcome::assert_passed) on what comes back.
#[expect(clippy::print_stdout, reason = "whoever waits for a slow database wants to see it move")]
pub async fn run(make: impl Fn() -> Arc<dyn Application> + Sync) -> Outcome {
    let mut verdicts = Vec::new();
    for (name, case) in ALL {
        let cx = Context::new(&make);
        let done = AssertUnwindSafe(case(&cx)).catch_unwind();
        let done = match tokio::time::timeout(CASE_TIMEOUT, done).await {
            Ok(done) => done.unwrap_or_else(|_| Err(Stop::panicked("the database"))),
            Err(_) => Err(Stop::Failed(format!("not done after {CASE_TIMEOUT:?}"))),
        };
        let verdict = verdict(done);
        println!("{name}: {verdict}");
        verdicts.push((*name, verdict));
    }
    Outcome { verdicts }
}

/// Writes documents until the process is killed: what an [`Application::worker`] runs. `source` is
/// another application of the same kind without documents.
pub async fn work(application: &dyn Application, source: &dyn Application) {
    interrupted::work(application, source).await;
}
