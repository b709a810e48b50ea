//! The application's side: its documents, who decides conflicts, and the client state with the queue.

mod batch;
mod database;
mod edits;
mod joined;
mod position;
mod queue;
mod resolver;
mod selection;
pub mod state;
mod sync_state;

pub(crate) use batch::Batch;
pub use database::{ChangeTracking, Database, Listed, Missing, Outcome, Write};
pub(crate) use edits::Edits;
pub use joined::{Joined, Settling};
pub use resolver::{
    Conflict, DeferAll, KeepBoth, LocalWins, NewestWins, RemoteWins, Resolution, Resolver,
};
pub use selection::Selects;
#[cfg(feature = "fuzzing")]
pub(crate) use sync_state::parse;
pub(crate) use sync_state::{Elsewhere, SyncState, error as state_error};
