//! What is drawn: parts can be left out, to find out which of them a failure needs.

use std::env;

use crate::plan::Editors;

/// What is left out by default, because the library does not do it right yet.
const OPEN: &str = "rename-column";

/// The parts that are drawn.
///
/// | name | part |
/// |---|---|
/// | `ddl` | all changes of the schema |
/// | `add-column`, `drop-column`, `rename-column`, `rebuild`, `aside`, `triggers` | these kinds of them |
/// | `fill` | changes that write into the columns that they add |
/// | `tools` | other programs: VACUUM, a dropped trigger of ours, names that are swapped |
/// | `derived` | triggers that write other rows of synced tables |
/// | `touch` | triggers that write their own row |
/// | `foreign-keys` | foreign keys |
#[derive(Clone, Debug)]
pub(super) struct Switches {
    without: String,
    /// Whether one device edits at a time.
    pub(super) is_alone: bool,
}

impl Switches {
    /// Everything, but for what `DB_TO_CLOUD_WITHOUT` names; nothing is left out if it is empty.
    pub(super) fn from_env(editors: Editors) -> Self {
        let without = env::var("DB_TO_CLOUD_WITHOUT").unwrap_or_else(|_| OPEN.to_owned());
        Self { without, is_alone: editors == Editors::One }
    }

    /// Whether a part is drawn.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.without.split(',').any(|word| word == name)
    }
}
