//! Rule D8: reading across a break, where the log passes from one branch to another that was mixed into
//! it. A snapshot of a device that has joined both leads around it. Without one the device reads on by
//! consent, and joins the branches itself: what it has read before the break is applied first, so that a
//! version after it that was not made upon it becomes a conflict.

use std::collections::BTreeSet;

use super::Pull;
use super::read::{LogPage, LogReader};
use crate::model::format::{Break, Entry, Snapshot};
use crate::model::{
    Branch, CommitId, DeferReason, DeferredChange, Divergence, Error, ErrorKind, Joining, Key,
    LogPosition,
};
use crate::protocol::RemoteChange;
use crate::sync::anchor::diverged;

impl Pull<'_> {
    /// The entry after the position names another commit than the anchor.
    pub(super) async fn at_break(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
    ) -> Result<LogPage, Error> {
        let mixed = || diverged(position, Divergence::Mixed);
        let slot = position.version + 1;
        let broken = Break { slot, before: position.anchor.ok_or_else(mixed)? };
        let storage = &self.cx.client.storage;
        if !tail.avoids_snapshots() {
            let joins = |snapshot: &Snapshot| snapshot.joined.contains(&broken);
            let usable = storage.usable_snapshot_that(slot..=u64::MAX, true, joins).await?;
            if let Some(usable) = usable {
                let head = storage.slot_head(position.version).await?;
                self.cx.check_anchor(position, head)?;
                if !position.resyncing {
                    return jump(position, tail.go_on_after(usable));
                }
                // The log says which version replaced which, and its end is what was made of both.
                position.crossed.extend(&usable.snapshot.joined);
                return Ok(LogPage::Entries { entries: Vec::new(), end: false });
            }
        }
        let options = &self.cx.options;
        let consents = options.go_on || options.accept_remote;
        // What this device makes of the branches is right only if it has read all before.
        match (consents || position.is_crossing())
            && self.cx.unknown_break(position).await?.is_none()
        {
            true => Ok(LogPage::Break(broken)),
            false => Err(diverged(position, Divergence::Mixed)),
        }
    }

    /// Rule D3: whether a snapshot of the part that both branches have is of that part. One of another
    /// branch counts too (rule P13) where the log passes to that branch with the entry after it: a device
    /// that starts over would find its anchor in no slot, and start over again.
    pub(super) async fn is_of_common_part(
        &self,
        position: &LogPosition,
        snapshot: &Snapshot,
    ) -> Result<bool, Error> {
        if matches!(position.branch(), Branch::Same) {
            return Ok(true);
        }
        match self.cx.client.storage.slot_head(snapshot.seq).await {
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(false),
            head => Ok(head?.is_some_and(|head| head.commit == snapshot.commit)),
        }
    }

    /// Goes on across a break.
    pub(super) async fn cross(
        &self,
        position: &mut LogPosition,
        broken: Break,
    ) -> Result<(), Error> {
        tracing::warn!(slot = broken.slot, "joining branches that were mixed in one log");
        self.apply_deferred(position, false).await?;
        position.crossed.insert(broken);
        position.joining = Some(Joining { reading: true, marked: false });
        self.cx.client.sync_state.save(position).await
    }

    /// What waited when an earlier sync was stopped between two branches is decided before the second one
    /// is read.
    pub(super) async fn resume_crossing(&self, position: &mut LogPosition) -> Result<(), Error> {
        match position.is_crossing() {
            true => self.apply_deferred(position, false).await.map(drop),
            false => Ok(()),
        }
    }

    /// The log is read to its end.
    pub(super) async fn finish_crossing(&self, position: &mut LogPosition) -> Result<(), Error> {
        let Some(joining) = position.joining.filter(|joining| joining.reading) else {
            return Ok(());
        };
        position.joining = Some(Joining { reading: false, ..joining });
        self.cx.client.sync_state.save(position).await
    }

    /// Between two branches, a version of the first that still waits here is not replaced by one of the
    /// second that was not made upon it: only this device may know that there were two.
    pub(super) fn check_decided(
        &self,
        position: &LogPosition,
        change: &RemoteChange,
        waiting: Option<&DeferredChange>,
    ) -> Result<(), Error> {
        let Some(last) = position.crossed.last() else { return Ok(()) };
        let Some(DeferredChange { change: Some(waits), reason, order, .. }) = waiting else {
            return Ok(());
        };
        let is_upon = waits.vid == change.change.vid || change.replaced.contains(&waits.vid);
        let is_alike = (waits.hash, waits.action) == (change.change.hash, change.change.action);
        let is_settled = is_upon || is_alike || *reason == Some(DeferReason::Missing);
        if !position.is_crossing() || order.0 >= last.slot || is_settled {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Diverged, "sync")
            .with_key(Key::document(&waits.id, waits.vid))
            .with_divergence(Divergence::Mixed)
            .with_message(format!(
                "both of two branches that are mixed in the log have a version of the document {:?}, \
                 and the first of them waits for a decision here, or could not be taken: decide, or \
                 join the branches on another device",
                waits.id.to_string()
            )))
    }

    /// An entry that joins branches continues the log only for a device that has read all of them.
    ///
    /// # Errors
    /// [`Divergence::Mixed`] if this device has read one of them only.
    pub(super) fn check_joined(&self, position: &LogPosition, entry: &Entry) -> Result<(), Error> {
        match is_known(position, &entry.joined) {
            true => Ok(()),
            false => Err(diverged(position, Divergence::Mixed)),
        }
    }
}

/// Goes on after a snapshot.
///
/// # Errors
/// [`Divergence::Mixed`] if it joins branches of which this device has read one only.
pub(super) fn jump(position: &LogPosition, snapshot: Snapshot) -> Result<LogPage, Error> {
    match is_known(position, &snapshot.joined) {
        true => Ok(LogPage::Snapshot(snapshot)),
        false => Err(diverged(position, Divergence::Mixed)),
    }
}

fn is_known(position: &LogPosition, joined: &BTreeSet<Break>) -> bool {
    position.unknown_breaks(joined).next().is_none()
}

/// Whether the entry after `anchor` that names `prev` is across a break that this device has crossed.
pub(super) fn is_crossed(position: &LogPosition, slot: u64, anchor: Option<CommitId>) -> bool {
    anchor.is_some_and(|before| position.crossed.contains(&Break { slot, before }))
}

/// Whether documents that a snapshot does not name may count as deleted.
pub(super) fn may_forget(position: &LogPosition) -> bool {
    !position.resyncing && !position.is_crossing()
}
