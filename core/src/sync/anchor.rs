//! Rules P3 and P9: whether the storage still holds the log that this client has read.

use std::sync::atomic::Ordering;

use super::Context;
use super::pull::OtherEntry;
use crate::model::LogPosition;
use crate::model::{Error, ErrorKind, Key};
use crate::planted::{Rule, holds};

impl Context<'_> {
    pub(super) fn check_anchor(
        &self,
        position: &mut LogPosition,
        slot: Option<OtherEntry>,
    ) -> Result<(), Error> {
        match slot {
            _ if !holds(Rule::P3) => Ok(()),
            Some((slot, _)) if Some(slot.commit()) == position.anchor => {
                position.anchor_checked = self.client.environment.now();
                self.note_found(position);
                Ok(())
            }
            Some(_) => Err(diverged(position, "another entry stands where this client's last was")),
            None => Err(diverged(position, "the entry this client read last is gone")),
        }
    }

    /// Rule P9: what an interrupted pull applied from entries after `v` must still be in the log:
    /// else the storage went back meanwhile, and the next change of such a document would overwrite
    /// what only this client has.
    pub(super) async fn check_interrupted(&self, position: &LogPosition) -> Result<(), Error> {
        let Some((version, commit)) = position.pull_target else { return Ok(()) };
        match self.client.storage.changes_read(version).await {
            Ok(Some((slot, _))) if slot.commit() == commit => Ok(()),
            // Damaged, not gone: a snapshot may lead around it.
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(()),
            Err(e) => Err(e),
            Ok(_) => Err(diverged(position, "an entry that was read and not yet applied is gone")),
        }
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
        let slot = self.client.storage.changes_read(position.version).await?;
        self.check_anchor(position, slot)
    }
}

pub(super) fn diverged(position: &LogPosition, why: &str) -> Error {
    let key = Key::change(position.version.max(1));
    Error::new(ErrorKind::Diverged, "sync").with_key(key).with_message(format!(
        "{why}: this is another storage, an emptied one, or one restored from a backup; nothing \
         was changed. If it is the right one, accept it: documents that differ become conflicts"
    ))
}
