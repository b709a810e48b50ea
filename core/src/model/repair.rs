//! What can be done about entries of the log that no device can read any more.

use std::fmt;

use serde::Serialize;

use super::ContentHash;

/// What [`Client::repair`](crate::Client::repair) would do; made by
/// [`Client::repair_plan`](crate::Client::repair_plan). Empty if every device can read the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RepairPlan {
    /// In this order.
    pub steps: Vec<RepairStep>,
}

/// One step of a repair (rule D5). Its text says what is done, to which object, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RepairStep {
    /// Entries are damaged that this device has applied. It writes a snapshot of all documents as of its
    /// last entry, which leads the other devices around the damage. No document is lost.
    Snapshot {
        /// The numbers of the damaged entries.
        slots: Vec<u64>,
        /// The number of the last entry that the snapshot holds.
        last: u64,
    },
    /// The last entry of the log is damaged, and this device has applied it. It puts an entry without
    /// changes after it, which says that the damaged one belongs to the log. No document is lost.
    Continue {
        /// The number of the new entry.
        slot: u64,
    },
    /// The last entry of the log is damaged, and this device has not applied it. It puts an entry without
    /// changes in its place. A device that made the damaged entry and did not learn so commits its changes
    /// again. A device that has applied the damaged entry, if there is one, finds two branches
    /// ([`Divergence::Forked`](crate::Divergence::Forked)): better repair there.
    Replace {
        /// The number of the damaged entry.
        slot: u64,
        /// What the slot held, so that nothing else is replaced.
        #[serde(skip)]
        found: Option<ContentHash>,
    },
    /// An entry is damaged that this device has not applied, and the log goes on after it: nothing can be
    /// done here.
    Elsewhere {
        /// The number of the damaged entry.
        slot: u64,
        /// The devices that committed after it, by their names: each of them can repair it.
        devices: Vec<String>,
    },
}

impl RepairPlan {
    /// Whether a step of it can be done by this device.
    pub fn is_any_possible(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, RepairStep::Elsewhere { .. }))
    }
}

impl fmt::Display for RepairStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot { slots, last } => {
                let names: Vec<_> =
                    slots.iter().map(|slot| format!("changes/{slot}.json")).collect();
                write!(
                    f,
                    "write a snapshot of all documents as of entry {last}, which leads the other \
                     devices around {}: this device has applied what is damaged there",
                    names.join(", ")
                )
            }
            Self::Continue { slot } => write!(
                f,
                "put an entry without changes at changes/{slot}.json: it follows the damaged one, \
                 which this device has applied"
            ),
            Self::Replace { slot, .. } => write!(
                f,
                "put an entry without changes in the place of changes/{slot}.json, which is damaged \
                 and was not applied here: if another device has applied it, repair there instead, \
                 else that device finds two branches and has to join them"
            ),
            Self::Elsewhere { slot, devices } => {
                let names: Vec<_> = devices.iter().map(|name| format!("{name:?}")).collect();
                write!(
                    f,
                    "nothing can be done here about changes/{slot}.json, which is damaged and was not \
                     applied here: repair on a device that committed after it ({}); if they are gone, \
                     restore that object from a backup, or empty the storage and put the documents \
                     back from the device that has the most of them",
                    if names.is_empty() { "unknown".to_owned() } else { names.join(", ") }
                )
            }
        }
    }
}
