//! Rules of the protocol that a test can switch off, one at a time, to see that it then finds the
//! loss. **For tests of this library only**: with `--cfg db_to_cloud_mutants`, [`without`] makes the
//! library lose documents. It is a flag of the compiler and no feature of the package, so that no
//! crate which depends on this one can enable it. `cargo xtask test planted` sets it.
//!
//! Without the flag `holds` is a constant, and each switch costs nothing.

#![cfg_attr(
    not(db_to_cloud_mutants),
    expect(unreachable_pub, dead_code, reason = "public, and all of it used, with the flag")
)]

#[cfg(db_to_cloud_mutants)]
mod switch;

#[cfg(db_to_cloud_mutants)]
pub(crate) use switch::holds;
#[cfg(db_to_cloud_mutants)]
pub use switch::{Guard, without};

use crate::model::{ContentHash, VersionId};

/// A rule that can be switched off, by its id in `docs/rules.md`; and what is done without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Rule C4: nothing is compared at the start.
    C4,
    /// Rule C5: queue and index are read and written while an edit may be queued.
    Edits,
    /// Rule P1: an entry that does not continue the log is taken.
    P1,
    /// Rule P3: the anchor is not looked at.
    P3,
    /// Rule P7: a write into the documents does not look at the revision that it replaces.
    /// Comparing is the application's part: this switch is in
    /// [`MemoryDatabase`](crate::memory::MemoryDatabase).
    P7,
    /// Rule P8: the index is set before a merged document is in the application.
    P8,
    /// Rule P14: a change that was made without seeing the version that is here is no conflict.
    P14,
    /// Rule U2: the same bytes get the same name again.
    U2,
    /// Rule U2: what was uploaded in this sync is committed without a look at what it was.
    U2Content,
    /// Rule U3: uploads are relied on however old they are, in this sync and in an attempt (rule
    /// U7).
    U3,
    /// Rule U5: a slot that holds our own entry, after an unknown answer, is taken for lost.
    U5Lost,
    /// Rule U5: an unknown answer is taken for success.
    U5Won,
    /// Rule U6: what was pushed is no longer dirty, whatever the application has by then.
    U6,
    /// Rule U7: a sync does not settle the attempt of an earlier one.
    U7Settled,
    /// Rule U7: an attempt stays on record though another commit has the slot.
    U7Dropped,
    /// Rule U7: an attempt is dropped although its fate is unknown.
    U7Kept,
    /// Rule U7: an attempt is dropped although its last sending may yet take effect.
    U7Flight,
    /// Rule U7: an attempt is sent again without a look whether its documents are there.
    U7Whole,
    /// Rule L1: the lock is deleted without a look at whose it is.
    L1,
    /// Rule W4: a client of a weak storage does not look at its anchor before it pulls.
    W4,
    /// Rule S9: an error is taken for absence.
    S9,
    /// Rule K1: a snapshot is written from the index of the client.
    K1,
    /// Rule K2: the slots that a snapshot covers are freed.
    K2,
    /// Rule G1: what nothing names is deleted at the second look, without waiting for G.
    G1,
    /// Rule D1: a storage that diverged is started over on without asking.
    D1,
}

/// The name that a version has without rule U2.
pub(crate) fn name_of(hash: ContentHash) -> VersionId {
    let fold = |name: u128, byte: &u8| (name << 4) ^ u128::from(*byte);
    hash.as_bytes().iter().fold(0, fold).into()
}

/// Whether the rule is obeyed: always, in what is shipped.
#[cfg(not(db_to_cloud_mutants))]
pub(crate) const fn holds(_: Rule) -> bool {
    true
}
