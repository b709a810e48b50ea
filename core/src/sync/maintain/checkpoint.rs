//! Rule K1: snapshots, so that a client far behind does not read the whole log. Their content is the
//! fold of the log, read from the storage: never this client's index, which may be half applied.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Maintain;
use crate::model::format::{self, Break, Part, PartName, Record, ServerMetadata, Slot, Snapshot};
use crate::model::{CommitId, ContentHash, Error, ErrorKind, Key};
use crate::model::{LogCost, LogPosition, Seen};

/// The newest version of each document that changed after a snapshot, by its key.
pub(super) type Fold = BTreeMap<String, Record>;

/// What a snapshot holds beside the parts of its base.
pub(super) struct Folded {
    pub fold: Fold,
    /// The identity of the log.
    pub genesis: CommitId,
    /// What reading the entries after the base costs, in bytes.
    pub log: u64,
    /// Names of features that a reader may ignore.
    pub may: BTreeSet<String>,
    /// Where branches were joined (rule D8).
    pub joined: BTreeSet<Break>,
}

impl Maintain<'_> {
    /// Writes a snapshot of the log up to this client's version, if it is worth its bytes.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn checkpoint(&self, position: &mut LogPosition) -> Result<(), Error> {
        let base = self.base(position).await?;
        let from = base.as_ref().map_or(0, |base| base.seq);
        if position.version < from + self.cx.client.config.sizes.snapshot_entries {
            // Somebody else wrote one: the log after it is short.
            let share = position.version.saturating_sub(from);
            let past = position.version.saturating_sub(position.log.snapshot).max(1);
            let bytes = (position.log.bytes / past).saturating_mul(share);
            return self.remember(position, LogCost { snapshot: from, bytes, threshold: 0 }).await;
        }
        let folded = self.fold(position, base.as_ref()).await?;
        #[cfg(db_to_cloud_mutants)]
        let folded =
            Folded { fold: self.or_fold_of_index(folded.fold, position.version).await?, ..folded };
        let base_parts = base.map(|base| base.parts).unwrap_or_default();
        let cost = cost(&folded.fold, &base_parts);
        if cost > folded.log {
            let log = LogCost { snapshot: from, bytes: folded.log, threshold: cost };
            return self.remember(position, log).await;
        }
        match self.write_snapshot(position, folded, base_parts).await {
            Err(e) if e.kind() == ErrorKind::Corrupt && from > 0 => {
                // A part of the snapshot before is damaged: anew, from the beginning of the log.
                let folded = self.fold(position, None).await?;
                self.write_snapshot(position, folded, Vec::new()).await?;
            }
            written => written?,
        }
        #[cfg(db_to_cloud_mutants)]
        self.or_free_slots(position).await?;
        let log = LogCost { snapshot: position.version, ..LogCost::default() };
        self.remember(position, log).await
    }

    pub(super) async fn remember(
        &self,
        position: &mut LogPosition,
        log: LogCost,
    ) -> Result<(), Error> {
        position.log = log;
        self.cx.client.sync_state.save(position).await
    }

    /// The newest snapshot of this very log that is not ahead of this client (rule P13).
    async fn base(&self, position: &LogPosition) -> Result<Option<Snapshot>, Error> {
        let list = position.log.snapshot > 0;
        let usable = self.cx.client.storage.usable_snapshot(1..=position.version, list).await?;
        Ok(usable.map(|usable| usable.snapshot))
    }

    /// The changes after the base, read from the log.
    async fn fold(&self, position: &LogPosition, base: Option<&Snapshot>) -> Result<Folded, Error> {
        let (mut fold, mut cost) = (Fold::new(), 0);
        let mut may = base.map(|base| base.may.clone()).unwrap_or_default();
        let mut joined = base.map(|base| base.joined.clone()).unwrap_or_default();
        let mut last: Option<CommitId> = base.map(|base| base.commit);
        let mut genesis = base.map(|base| base.genesis);
        let mut next = base.map_or(1, |base| base.seq + 1);
        let width = self.cx.client.storage.capabilities().concurrency.max(1) as u64;
        while next <= position.version {
            let until = position.version.min(next + width - 1);
            let slots = self.cx.client.storage.changes_read_many(next..=until).await?;
            for slot in slots {
                let Some((Slot::Entry(entry), bytes)) = slot else {
                    return Err(broken(next, "it is not an entry"));
                };
                if entry.prev != last {
                    return Err(broken(next, "it does not continue the log"));
                }
                genesis.get_or_insert(entry.commit);
                last = Some(entry.commit);
                may.extend(entry.may);
                joined.extend(entry.joined);
                cost = bytes.saturating_add(cost);
                for change in &entry.changes {
                    cost = change.len.saturating_add(cost);
                    fold.insert(change.id.to_key(), Record::of(change, next));
                }
                next += 1;
            }
        }
        match genesis {
            Some(genesis) if last == position.anchor => {
                Ok(Folded { fold, genesis, log: cost, may, joined })
            }
            _ => Err(broken(position.version, "it is not the entry this client read")),
        }
    }

    /// Parts first, then the head, then the hint: a reader of any of them finds what it names.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn write_snapshot(
        &self,
        position: &LogPosition,
        folded: Folded,
        base: Vec<PartName>,
    ) -> Result<(), Error> {
        let Some(commit) = position.anchor else { return Ok(()) };
        let random = self.cx.client.environment.random().into();
        let mut writer =
            Writer { maintain: self, seq: position.version, random, parts: Vec::new() };
        writer.parts(folded.fold, base).await?;
        let Folded { genesis, may, joined, .. } = folded;
        let (seq, parts) = (position.version, writer.parts);
        let snapshot = Snapshot { seq, commit, genesis, may, joined, parts };
        let key = Key::snapshot(position.version, random);
        self.cx.client.storage.write(&key, format::encode(&key, &snapshot)?).await?;
        let hint = ServerMetadata { snapshot: Some(key.to_string()) };
        self.cx.client.storage.metadata_write(&hint).await
    }
}

/// Writes the parts of one snapshot.
struct Writer<'a, 'b> {
    maintain: &'a Maintain<'b>,
    seq: u64,
    random: CommitId,
    parts: Vec<PartName>,
}

impl Writer<'_, '_> {
    /// Parts without a change keep their name; the others are read, changed and written anew.
    async fn parts(&mut self, mut fold: Fold, base: Vec<PartName>) -> Result<(), Error> {
        if base.is_empty() {
            return self.write(String::new(), Part { documents: fold }).await;
        }
        for (i, name) in base.iter().enumerate() {
            let rest = match base.get(i + 1) {
                Some(next) => fold.split_off(&next.from),
                None => Fold::new(),
            };
            let changed = std::mem::replace(&mut fold, rest);
            if changed.is_empty() {
                self.parts.push(name.clone());
                continue;
            }
            let part = self.maintain.cx.client.storage.snapshot_part(name).await?;
            let mut part = part.ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "write a snapshot")
                    .with_key(&name.key)
                    .with_message("a part of the snapshot before cannot be read")
            })?;
            part.documents.extend(changed);
            self.write(name.from.clone(), part).await?;
        }
        Ok(())
    }

    /// Writes a part, or several if it has grown too long.
    async fn write(&mut self, from: String, part: Part) -> Result<(), Error> {
        let mut pieces = vec![(from, Part::default())];
        let (mut size, most) = (0, self.maintain.cx.client.config.sizes.part);
        for (key, record) in part.documents {
            let length = estimate(&key, &record);
            if size + length > most && size > 0 {
                pieces.push((key.clone(), Part::default()));
                size = 0;
            }
            size += length;
            if let Some((_, piece)) = pieces.last_mut() {
                piece.documents.insert(key, record);
            }
        }
        let mut items: Vec<(Key, Bytes)> = Vec::with_capacity(pieces.len());
        for (from, piece) in pieces {
            let key = Key::snapshot_part(self.seq, self.random, self.parts.len());
            let bytes = format::encode(&key, &piece)?;
            self.parts.push(PartName {
                key: key.to_string(),
                from,
                bytes: bytes.len() as u64,
                hash: Some(ContentHash::of(&bytes)),
            });
            items.push((key, bytes));
        }
        self.maintain.cx.client.storage.write_many(&items).await.into_iter().collect()
    }
}

pub(super) fn is_due(position: &LogPosition, entries: u64) -> bool {
    let LogCost { snapshot, bytes, threshold } = position.log;
    position.version >= snapshot + entries && bytes >= threshold
}

/// The bytes that a snapshot with these changes writes.
fn cost(fold: &Fold, base: &[PartName]) -> u64 {
    let new: usize = fold.iter().map(|(key, record)| estimate(key, record)).sum();
    let touched = base.iter().enumerate().filter(|(i, part)| {
        let from = fold.range(part.from.clone()..);
        let until = base.get(i + 1).map(|next| next.from.as_str());
        from.take(1).any(|(key, _)| until.is_none_or(|until| key.as_str() < until))
    });
    touched.fold(new as u64, |sum, (_, part)| sum.saturating_add(part.bytes))
}

/// About how long a record is in JSON.
fn estimate(key: &str, record: &Record) -> usize {
    let body = record.body.as_ref().map_or(0, |body| body.0.len() * 9 / 8);
    let seen = record.seen.as_ref().map_or(0, Seen::len);
    key.len()
        + record.rev.as_str().len()
        + body
        + seen
        + record.attr.len()
        + record.other.len()
        + 180
}

fn broken(slot: u64, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "write a snapshot")
        .with_key(Key::change(slot))
        .with_message(format!("{why}: no snapshot is written"))
}
