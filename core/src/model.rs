//! Plain data: what documents, versions, records and objects are. No input or output, and no decision.

mod attributes;
mod divergence;
mod document;
mod error;
pub mod format;
mod id;
mod key;
mod lost;
mod progress;
mod records;
mod repair;
mod report;
mod seen;
mod sizes;
mod timestamp;
mod trail;

pub use attributes::Attributes;
pub use divergence::Divergence;
pub(crate) use document::MakerId;
pub use document::{Action, CommitId, ContentHash, Document, Revision, VersionId};
pub use error::{BoxError, Effect, Error, ErrorKind};
pub(crate) use error::{Scope, with_causes};
pub use id::DocumentId;
pub use key::{Folder, Key};
pub(crate) use lost::{LostVersion, LostVersions};
pub use progress::Event;
pub(crate) use records::{
    Attempt, Branch, DeferredChange, GcClock, Joining, Kept, LastEntry, LogCost, LogPosition,
    QueuedEdit, Refusal, SetAside, SyncedVersion,
};
pub use repair::{RepairPlan, RepairStep};
pub use report::{ConflictCopy, DeferReason, Deferred, Report, Requests};
pub(crate) use seen::{Seen, Stamp};
pub use sizes::Sizes;
pub use timestamp::Timestamp;
pub(crate) use trail::Trail;
