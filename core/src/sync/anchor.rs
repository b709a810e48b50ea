//! Rules P3 and P9: whether the storage still holds the log that this client has read.

use std::sync::atomic::Ordering;

use super::Context;
use crate::model::format::SlotHead;
use crate::model::{CommitId, Divergence, LogPosition, Trail};
use crate::model::{Error, ErrorKind, Key};
use crate::planted::{Rule, holds};

impl Context<'_> {
    /// The slot of the anchor has this commit, or none.
    pub(super) fn check_anchor(
        &self,
        position: &mut LogPosition,
        slot: Option<SlotHead>,
    ) -> Result<(), Error> {
        match slot {
            _ if !holds(Rule::P3) => Ok(()),
            Some(slot) if Some(slot.commit) == position.anchor => {
                position.anchor_checked = self.client.environment.now();
                self.note_found(position);
                Ok(())
            }
            Some(_) => Err(diverged(position, Divergence::Forked { since: 0 })),
            None => Err(diverged(position, Divergence::RolledBack { since: 0 })),
        }
    }

    /// Rule P9: what an interrupted pull applied from entries after `v` must still be in the log:
    /// else the storage went back meanwhile, and the next change of such a document would overwrite
    /// what only this client has. And an interrupted join of two branches goes on only where the last
    /// entry that both had is still there (rule D3).
    pub(super) async fn check_interrupted(&self, position: &LogPosition) -> Result<(), Error> {
        let common = position.common.zip(position.common_commit);
        for (number, commit) in common.into_iter().chain(position.pull_target) {
            self.check_slot(position, number, commit).await?;
        }
        Ok(())
    }

    async fn check_slot(
        &self,
        position: &LogPosition,
        number: u64,
        commit: CommitId,
    ) -> Result<(), Error> {
        match self.client.storage.slot_head(number).await {
            Ok(Some(slot)) if slot.commit == commit => Ok(()),
            // Damaged, not gone: a snapshot may lead around it.
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(()),
            Err(e) => Err(e),
            Ok(_) => Err(diverged(position, Divergence::RolledBack { since: 0 })),
        }
    }

    /// The commits of the log that this client has seen.
    pub(super) async fn trail(&self, position: &LogPosition) -> Result<Trail, Error> {
        let mut trail = self.client.sync_state.trail().await?;
        if trail.is_empty() {
            // A state of an earlier release.
            let before = position.version.checked_sub(1).filter(|n| *n > 1).zip(position.before);
            let known = position.genesis.map(|genesis| (1, genesis)).into_iter().chain(before);
            known.for_each(|(n, commit)| trail.push(n, commit));
        }
        Ok(trail)
    }

    /// This client's last entry is in the storage: it was read there, or just written.
    pub(super) fn note_found(&self, position: &LogPosition) {
        self.found.store(position.version, Ordering::SeqCst);
    }

    /// Rule P3: an edit that was queued after the pull began is not committed before the anchor is
    /// found.
    pub(super) async fn ensure_anchor(&self, position: &mut LogPosition) -> Result<(), Error> {
        if position.version == 0 || self.found.load(Ordering::SeqCst) == position.version {
            return Ok(());
        }
        let slot = self.client.storage.slot_head(position.version).await?;
        self.check_anchor(position, slot)
    }
}

/// The error of a storage that is not as this device left it.
pub(super) fn diverged(position: &LogPosition, what: Divergence) -> Error {
    let key = Key::change(position.version.max(1));
    Error::new(ErrorKind::Diverged, "sync").with_key(key).with_divergence(what).with_message(
        match what {
            // What came before is applied.
            Divergence::Mixed => format!("{}: choose how to go on", what.text()),
            _ => format!("{}; nothing was changed: choose how to go on", what.text()),
        },
    )
}
