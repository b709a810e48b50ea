//! Sync the documents of an application between devices, through storage the user owns: a folder, a
//! bucket, a WebDAV server. No server of anybody's is needed in between.
//!
//! An application brings three things and a decision:
//!
//! - a [`Database`]: its own documents, which it reads and edits as ever;
//! - a [`state::StateStore`]: a small durable store for what this library must remember (the
//!   `db-to-cloud-sqlite` crate has one);
//! - an [`Adapter`]: the storage (`db-to-cloud-fs` for a folder; [`memory`] for tests);
//! - a [`Resolver`]: who decides when two devices changed one document.
//!
//! [`Client`] joins them. It gives the client operations of the specification: Sync
//! ([`Client::sync`]), QueueChange ([`Client::queue_change`]) and MetadataRead ([`Client::status`]).
//! A [`Watch`] syncs whenever there is something to sync.
//!
//! # What is guaranteed
//! - A sync may be stopped at any moment, by dropping its future or by a power cut. Nothing is lost,
//!   and the next sync goes on.
//! - No edit is overwritten unseen: it is pushed, or it comes before the resolver.
//! - A deleted document does not come back, unless somebody edits or makes it anew.
//! - An error is never taken for absence. A storage that is not the one last synced with stops the
//!   sync before anything is changed.
//! - One document that cannot be synced is reported; the others sync.
//!
//! `docs/protocol.md` in the repository explains how, and `docs/rules.md` lists the rules. Comments
//! of this crate cite them by their ids, such as rule U5.
//!
//! # Without a machine
//! This crate has no HTTP and no file system. The clock, the timer and randomness come from an
//! [`Environment`]; the feature `system` (on by default) brings the machine's own, and without it a
//! client is made by [`ClientBuilder::build_with`]. Everything else is futures: any executor will do,
//! and tests own the order of all that happens.

mod client;
mod environment;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod local;
pub mod memory;
mod model;
#[cfg(not(db_to_cloud_mutants))]
mod planted;
#[cfg(db_to_cloud_mutants)]
pub mod planted;
mod protocol;
mod storage;
mod sync;

pub use client::{Cause, Client, ClientBuilder, LockAdmin, Status, Watch, WatchOptions, Watched};
pub use environment::Environment;
#[cfg(feature = "system")]
pub use environment::SystemEnvironment;
pub use local::{
    ChangeTracking, Conflict, Database, DeferAll, Joined, KeepBoth, Listed, LocalWins, Missing,
    NewestWins, Outcome, RemoteWins, Resolution, Resolver, Selects, Settling, Write, state,
};
#[doc(hidden)]
pub use model::Sizes;
pub use model::{
    Action, Attributes, BoxError, CommitId, ConflictCopy, ContentHash, DeferReason, Deferred,
    Divergence, Document, DocumentId, Effect, Error, ErrorKind, Event, Folder, Key, RepairPlan,
    RepairStep, Report, Requests, Revision, Timestamp, VersionId, format,
};
pub use storage::{
    Adapter, Atomicity, Capabilities, Copied, Created, Limits, LockPolicy, Page, Wait,
};
pub use sync::{Preview, SyncOptions};
