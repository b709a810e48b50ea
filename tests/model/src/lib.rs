//! A model of the sync protocol, searched to exhaustion. See `README.md`.
//!
//! | file | what it holds |
//! |---|---|
//! | `words` | entry, slot, change, snapshot: the objects of the protocol |
//! | `storage` | what the storage holds (S4), what a reader finds |
//! | `client` | what a device remembers (C1), where its sync is |
//! | `branch` | what a device remembers of its log, to join another one |
//! | `world` | devices, storage, requests under way, what only the judge knows |
//! | `config`, `configure` | sizes, faults, rules that can be switched off |
//! | `action` | what can happen next |
//! | `turn/*` | what one client does in one step, rule by rule |
//! | `property` | what must hold |
//! | `catalogue` | the configurations, each with what is expected |
//! | `version08` | db-to-cloud 0.8's protocol, for comparison |
//! | `search`, `liveness` | breadth first over all states |

pub mod action;
pub mod branch;
pub mod catalogue;
pub mod client;
pub mod config;
pub mod configure;
pub mod liveness;
pub mod property;
pub mod protocol;
pub mod quiet;
pub mod search;
pub mod storage;
pub mod table;
mod turn;
pub mod verdict;
pub mod version08;
pub mod words;
pub mod world;

pub use catalogue::{Case, Expect, Size, Subject, all};
pub use config::{Answer, Configuration, Faults, LockPolicy, Pointer, RestoreWhen, Rule, Store};
pub use property::PROPERTIES;
pub use protocol::Sight;
pub use table::table;
pub use verdict::{Outcome, Verdict};
pub use version08::Version08;
