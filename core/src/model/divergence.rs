//! How a storage differs from what this device last saw of it.

use serde::{Deserialize, Serialize};

/// In which way the storage is not as this device left it (rule D1). Nothing is changed on either side
/// until the application, or its user, has chosen a way on.
///
/// | found | with [`SyncOptions::go_on`] | with [`SyncOptions::accept_remote`] |
/// |---|---|---|
/// | [`Emptied`], [`LogLost`] | put back: this device makes the storage again | the same |
/// | [`RolledBack`], [`Forked`], [`Continued`] | rejoin: what changed on one side only is taken from there, what changed on both is a conflict | every difference is a conflict |
/// | [`Exchanged`] | refused | joined: every difference is a conflict |
/// | [`Mixed`] | the branches are joined, for all devices: what changed on both is a conflict | the same |
///
/// [`SyncOptions::go_on`]: crate::SyncOptions::go_on
/// [`SyncOptions::accept_remote`]: crate::SyncOptions::accept_remote
/// [`Emptied`]: Divergence::Emptied
/// [`LogLost`]: Divergence::LogLost
/// [`RolledBack`]: Divergence::RolledBack
/// [`Forked`]: Divergence::Forked
/// [`Continued`]: Divergence::Continued
/// [`Exchanged`]: Divergence::Exchanged
/// [`Mixed`]: Divergence::Mixed
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Divergence {
    /// Nothing of ours is there any more: the storage was emptied, its drive is not mounted, or a
    /// server answers "not found" to everything.
    Emptied,
    /// Documents or snapshots are there, but no log.
    LogLost,
    /// It is the same storage as it was some time ago, such as after it was restored from a backup, or a
    /// copy that was left behind. The number is that of the last entry that both are known to have.
    RolledBack {
        /// 0 if it is not known.
        since: u64,
    },
    /// Another device went on from an older state of the same storage: two branches of one log.
    Forked {
        /// The last entry that both branches are known to have; 0 if it is not known.
        since: u64,
    },
    /// Entries of two branches were mixed into one log, as programs that copy files do; or they were, this
    /// device has read one of them, and another device has joined both.
    Mixed,
    /// Another device has put the storage back after it was emptied.
    Continued,
    /// Another storage is at this address.
    Exchanged,
}

impl Divergence {
    /// The word for programs, as `--json` prints it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Emptied => "emptied",
            Self::LogLost => "log-lost",
            Self::RolledBack { .. } => "rolled-back",
            Self::Forked { .. } => "forked",
            Self::Mixed => "mixed",
            Self::Continued => "continued",
            Self::Exchanged => "exchanged",
        }
    }

    /// What happened, for people: without a full stop.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Emptied => "the storage is empty now, or it is not the place it was",
            Self::LogLost => "the log of the storage is gone, but other objects of it are there",
            Self::RolledBack { .. } => {
                "the storage went back to an older state, as after a restored backup"
            }
            Self::Forked { .. } => {
                "another device went on from an older state of this storage: there are two branches"
            }
            Self::Mixed => {
                "entries of two branches of this storage are mixed in one log, as programs that copy files \
                 do"
            }
            Self::Continued => "another device made this storage again after it was emptied",
            Self::Exchanged => "another storage is at this address",
        }
    }
}
