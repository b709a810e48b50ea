//! The hint to the newest snapshot.

use serde::{Deserialize, Serialize};

/// `meta.json`: `{"format": 1, "snapshot": "snapshot/40.….json"}`.
///
/// A hint: if it is missing or stale, reading takes longer, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMetadata {
    /// The key of the newest snapshot that its writer knew.
    pub snapshot: Option<String>,
}
