//! Sync the documents of an application between devices, through storage the user owns.

mod adapter;
mod client;
mod database;
mod document;
mod environment;
mod error;
pub mod format;
mod id;
mod key;
mod ledger;
pub mod memory;
mod progress;
mod report;
mod resolver;
mod server;
pub mod state;
mod sync;

pub use adapter::{Adapter, Atomicity, Capabilities, Created, Page, Wait};
pub use client::{Client, ClientBuilder, LockKeeper, Status, SyncOptions};
pub use database::{Applied, Database, Listed, Queueing, Write};
pub use document::{Action, CommitId, ContentHash, Document, Revision, Vid};
#[cfg(feature = "system")]
pub use environment::SystemEnvironment;
pub use environment::{Environment, Timestamp};
pub use error::{BoxError, Effect, Error, ErrorKind};
pub use id::DocumentId;
pub use key::{Folder, Key};
pub use progress::Event;
pub use report::{DeferReason, Deferred, Report, Requests};
pub use resolver::{
    Conflict, DeferAll, KeepBoth, LocalWins, NewestWins, RemoteWins, Resolution, Resolver,
};
pub use server::{Limits, LockPolicy};
pub use sync::Preview;
