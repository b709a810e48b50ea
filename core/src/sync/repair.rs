//! Rule D5: entries of the log that cannot be read, and whose authors do not mend them (rule U7). What is
//! done about them is said first, as a plan, and done by consent only.
//!
//! | damaged is | this device | step |
//! |---|---|---|
//! | an entry | has applied it | `Snapshot`: the others go around |
//! | the last entry | has applied it | besides, `Continue`: its successor confirms it |
//! | the last entry | has not | `Replace`: no other device is known to have applied it |
//! | another entry | has not | `Elsewhere`: whoever committed after it has |
//!
//! Snapshots that cannot be read need no repair: they are passed over, and the next one replaces them. Nor
//! do the hint, and a lock, which is broken in time (rule L1).

mod carry_out;

use std::collections::BTreeSet;

use super::{Context, Purpose, Session, stop};
use crate::model::format::{Slot, SlotHead};
use crate::model::{CommitId, ContentHash, Error, ErrorKind, Key, LogPosition};
use crate::model::{RepairPlan, RepairStep};
use crate::sync::{Shared, SyncOptions};

/// The part that looks for damage, and repairs it.
struct Repair<'a> {
    cx: &'a Context<'a>,
}

/// What was found.
#[derive(Default)]
struct Survey {
    plan: RepairPlan,
    /// The commit of the entry before the one to be replaced.
    before: Option<CommitId>,
    /// What a snapshot has to keep: names of features that a reader may ignore.
    may: BTreeSet<String>,
}

/// Entries that this device has not applied.
#[derive(Default)]
struct Ahead {
    /// The first one that is damaged, and the commit before it.
    damaged: Option<(u64, Option<CommitId>)>,
    /// Who committed after it.
    devices: BTreeSet<String>,
    /// The last entry of the log.
    last: u64,
}

impl Session<'_> {
    /// Reads what a new device would read of the log; writes nothing.
    pub(crate) async fn repair_plan(client: &Shared) -> Result<RepairPlan, Error> {
        let cx = Context::new(client, SyncOptions::default(), Purpose::Preview);
        let (position, looked) = cx.enter(None).await?;
        Ok(Repair { cx: &cx }.survey(&position, looked).await?.plan)
    }

    /// Does what the plan says, if that is still what is to be done, at most until `stop` gives the error that
    /// it ends with.
    pub(crate) async fn repair(
        client: &Shared,
        plan: &RepairPlan,
        stop: impl Future<Output = Error>,
    ) -> Result<(), Error> {
        let cx = Context::new(client, SyncOptions::default(), Purpose::Sync);
        let repair = Repair { cx: &cx };
        stop::until(client, Box::pin(repair.carry_out(plan)), stop).await
    }
}

impl Repair<'_> {
    /// Reads the log after the newest whole snapshot. `looked` is what the first look at the storage found.
    async fn survey(
        &self,
        position: &LogPosition,
        looked: Result<(), Error>,
    ) -> Result<Survey, Error> {
        let is_anchor_damaged = match looked {
            Ok(()) => false,
            Err(e) if e.kind() == ErrorKind::Corrupt && self.ends_with_own(position).await? => true,
            Err(e) => return Err(e),
        };
        let mut survey = Survey::default();
        let (base, commit) = self.base(&mut survey).await?;
        let (mut applied, mut ahead) = (Vec::new(), Ahead::default());
        let (mut n, mut before) = (base + 1, commit);
        loop {
            if n == position.version + 1 {
                before = position.anchor;
            }
            match self.cx.client.storage.changes_read(n).await {
                Ok(None) if n <= position.version => return Err(gone(n)),
                Ok(None) => break,
                Ok(Some((slot, _))) => {
                    before = Some(slot.commit());
                    if let Slot::Entry(entry) = slot {
                        survey.may.extend(entry.may);
                        ahead.devices.extend(ahead.damaged.map(|_| entry.client));
                    }
                }
                Err(e) if e.kind() != ErrorKind::Corrupt => return Err(e),
                Err(_) if n <= position.version => applied.push(n),
                Err(_) => drop(ahead.damaged.get_or_insert((n, before))),
            }
            ahead.last = n;
            n += 1;
        }
        if !applied.is_empty() {
            settled(position)?;
            let last = position.version;
            survey.plan.steps.push(RepairStep::Snapshot { slots: applied, last });
        }
        if is_anchor_damaged {
            survey.plan.steps.push(RepairStep::Continue { slot: position.version + 1 });
        }
        self.add_ahead(&mut survey, ahead).await?;
        Ok(survey)
    }

    /// What can be done about an entry that this device has not applied.
    async fn add_ahead(&self, survey: &mut Survey, ahead: Ahead) -> Result<(), Error> {
        let Some((slot, before)) = ahead.damaged else { return Ok(()) };
        let step = match slot == ahead.last {
            true => {
                let bytes = self.cx.client.storage.read(&Key::change(slot), 0).await?;
                let found = bytes.map(|bytes| ContentHash::of(&bytes));
                survey.before = before;
                RepairStep::Replace { slot, found }
            }
            false => RepairStep::Elsewhere { slot, devices: ahead.devices.into_iter().collect() },
        };
        survey.plan.steps.push(step);
        Ok(())
    }

    /// The newest snapshot, if all of it can be read: the log up to it is not needed.
    async fn base(&self, survey: &mut Survey) -> Result<(u64, Option<CommitId>), Error> {
        let storage = &self.cx.client.storage;
        let Some(usable) = storage.usable_snapshot(1..=u64::MAX, true).await? else {
            return Ok((0, None));
        };
        let snapshot = usable.snapshot;
        survey.may = snapshot.may;
        for part in &snapshot.parts {
            if storage.snapshot_part(part).await?.is_none() {
                return Ok((0, None));
            }
        }
        Ok((snapshot.seq, Some(snapshot.commit)))
    }

    /// Whether the log ends with the entry of the anchor, as far as that can be seen: it is damaged, what
    /// is left of it names no other commit, and the entry before it is the right one.
    async fn ends_with_own(&self, position: &LogPosition) -> Result<bool, Error> {
        let (storage, key) = (&self.cx.client.storage, Key::change(position.version));
        if position.version == 0 || storage.slot_head(position.version + 1).await?.is_some() {
            return Ok(false);
        }
        let Some(rest) = storage.read(&key, 0).await? else { return Ok(false) };
        let head = SlotHead::of_start(&key, &rest, false)?;
        if head.is_some_and(|head| Some(head.commit) != position.anchor) {
            return Ok(false);
        }
        match position.before.filter(|_| position.version > 1) {
            None => Ok(true),
            Some(before) => match storage.slot_head(position.version - 1).await {
                // It is damaged, too.
                Err(e) if e.kind() == ErrorKind::Corrupt => Ok(true),
                head => Ok(head?.is_some_and(|head| head.commit == before)),
            },
        }
    }
}

/// The state of this device is that of its last entry.
fn settled(position: &LogPosition) -> Result<(), Error> {
    let is_joining = position.resyncing || position.joining.is_some();
    if !is_joining && !position.putting_back && position.pull_target.is_none() {
        return Ok(());
    }
    Err(failed(position.version).with_message(
        "an entry is damaged that this device has read, and its last sync was cut short: sync first; if \
         that fails, repair on another device",
    ))
}

fn gone(slot: u64) -> Error {
    failed(slot).with_message(
        "the entry is gone, and the log goes on after it: restore the object from a backup of the storage",
    )
}

fn failed(slot: u64) -> Error {
    Error::new(ErrorKind::Corrupt, "repair").with_key(Key::change(slot))
}
