//! Rule D8: a device that has joined branches which were mixed in one log says so, for all devices: by an
//! entry that lists the breaks, before it pushes anything; and by a snapshot that leads around them, once all
//! that it has made of the branches is pushed, so that no version of either branch depends on this device.

use std::collections::BTreeSet;

use super::commit::CommitOutcome;
use super::maintain::Maintain;
use super::mark_synced::Pushed;
use super::pull::OtherEntry;
use super::{Context, Lock};
use crate::local::state::Table;
use crate::model::format::{self, Entry, Slot, Snapshot};
use crate::model::{DeferredChange, Error, ErrorKind, Key, LogPosition};

const STEP: usize = 500;

/// The part of a sync that ends a join for all devices.
pub(super) struct Heal<'a> {
    cx: &'a Context<'a>,
}

impl<'a> Heal<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx }
    }

    /// Commits an entry that lists the breaks, if the log lacks one. Devices that know one branch only stop
    /// there before they read what is pushed after it. The entry that was committed first, if there is one:
    /// to be called again after it is pulled.
    pub(super) async fn mark(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<Option<OtherEntry>, Error> {
        if position.joining.is_none_or(|joining| joining.marked || joining.reading) {
            return Ok(None);
        }
        self.cx.look_at_strength(position, true).await?;
        self.cx.ensure_anchor(position).await?;
        let (slot, now) = (position.version + 1, self.cx.client.environment.now());
        let joined = position.crossed.clone();
        let entry = Entry { joined, ..self.cx.new_entry(slot, position.anchor) };
        let bytes = format::encode(&Key::change(slot), &entry)?;
        match self.cx.commit(position, &entry, &bytes, now, lock).await? {
            CommitOutcome::Lost(winner) => {
                self.cx.drop_lost().await?;
                Ok(Some(winner))
            }
            CommitOutcome::Committed => {
                let bytes = bytes.len() as u64;
                self.cx.mark_pushed(position, Pushed { entry, bytes }).await?;
                Ok(None)
            }
        }
    }

    /// Writes the snapshot, once nothing is left to be pushed or decided.
    pub(super) async fn finish(&self, position: &mut LogPosition) -> Result<(), Error> {
        let is_marked = position.joining.is_some_and(|joining| joining.marked && !joining.reading);
        if !is_marked || !self.is_settled().await? {
            return Ok(());
        }
        let storage = &self.cx.client.storage;
        let joins = |snapshot: &Snapshot| position.crossed.is_subset(&snapshot.joined);
        if storage.usable_snapshot_that(1..=position.version, true, joins).await?.is_none() {
            let may = self.features(position).await?;
            Maintain::new(self.cx).snapshot_of_state(position, may).await?;
        }
        position.joining = None;
        self.cx.client.sync_state.save(position).await
    }

    /// Nothing is queued, and no conflict waits.
    async fn is_settled(&self) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        if sync_state.is_any_queued().await? {
            return Ok(false);
        }
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            if page.iter().any(|(_, pending)| pending.diverged) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The names of features that the log has and a reader may ignore (rule S8).
    async fn features(&self, position: &LogPosition) -> Result<BTreeSet<String>, Error> {
        let storage = &self.cx.client.storage;
        let usable = storage.usable_snapshot(1..=position.version, true).await?;
        let (mut may, from) = match usable {
            Some(usable) => (usable.snapshot.may, usable.snapshot.seq),
            None => (BTreeSet::new(), 0),
        };
        for n in from + 1..=position.version {
            match storage.changes_read(n).await {
                Err(e) if e.kind() == ErrorKind::Corrupt => {}
                Err(e) => return Err(e),
                Ok(Some((Slot::Entry(entry), _))) => may.extend(entry.may),
                Ok(_) => {}
            }
        }
        Ok(may)
    }
}
