//! Everything in memory: a storage, documents and client state for tests and examples.

mod adapter;
mod database;
mod place;
mod state;

pub use adapter::MemoryAdapter;
pub use database::MemoryDatabase;
pub use state::MemoryState;
