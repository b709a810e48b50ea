//! Places where a log does not continue itself, because entries of two branches were mixed in it.

use serde::{Deserialize, Serialize};

use crate::model::CommitId;

/// Between entry `slot` - 1 and entry `slot` the log passes from one branch to another: the second entry
/// names another commit as the one before it (rule D8). In JSON: `{"slot": 4, "before": "…"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Break {
    /// The number of the first entry after it.
    pub slot: u64,
    /// The commit of entry `slot` - 1.
    pub before: CommitId,
}
