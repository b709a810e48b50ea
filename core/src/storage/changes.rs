//! ChangesRead and ChangesWrite: the log.

use bytes::Bytes;

use super::Storage;
use crate::model::format::{START, Slot, SlotHead};
use crate::model::{Error, Key};
use crate::storage::Created;

/// The bytes one is prepared to wait for when reading an entry: 1 MiB of bodies and their changes.
const ENTRY: u64 = 2 * 1024 * 1024;

/// What the slot of an attempt holds, with its length in bytes.
pub(crate) enum Sent {
    Absent,
    /// Our entry, byte by byte.
    Arrived((Slot, u64)),
    /// Another entry, whatever its commit id.
    Beaten((Slot, u64)),
}

impl Storage {
    /// What became of our entry that was sent to slot `n` (rule U5). Its bytes are compared and not its
    /// commit id: a device whose random numbers were repeated, such as a restored virtual machine, gives
    /// another entry the same id.
    pub(crate) async fn sent(&self, n: u64, ours: &str) -> Result<Sent, Error> {
        let key = Key::change(n);
        let Some(bytes) = self.read(&key, ENTRY).await? else { return Ok(Sent::Absent) };
        let there = (Slot::decode(&key, &bytes)?, bytes.len() as u64);
        Ok(if bytes == ours { Sent::Arrived(there) } else { Sent::Beaten(there) })
    }

    /// ChangesRead: what slot `n` holds and its length in bytes; `None` if the slot is absent.
    pub(crate) async fn changes_read(&self, n: u64) -> Result<Option<(Slot, u64)>, Error> {
        let key = Key::change(n);
        let Some(bytes) = self.read(&key, ENTRY).await? else { return Ok(None) };
        Ok(Some((Slot::decode(&key, &bytes)?, bytes.len() as u64)))
    }

    /// Which commit slot `n` has; `None` if the slot is absent. It reads the beginning of the entry.
    pub(crate) async fn slot_head(&self, n: u64) -> Result<Option<SlotHead>, Error> {
        let key = Key::change(n);
        let Some((start, whole)) = self.read_start(&key, START).await? else { return Ok(None) };
        if let Some(head) = SlotHead::of_start(&key, &start, whole)? {
            return Ok(Some(head));
        }
        Ok(self.changes_read(n).await?.map(|(slot, _)| SlotHead::of(&slot)))
    }

    /// ChangesRead of several slots at once.
    pub(crate) async fn changes_read_many(
        &self,
        slots: std::ops::RangeInclusive<u64>,
    ) -> Result<Vec<Option<(Slot, u64)>>, Error> {
        let keys: Vec<_> = slots.map(Key::change).collect();
        let answers = self.read_many(&keys, ENTRY * keys.len() as u64).await;
        let mut found = Vec::with_capacity(keys.len());
        for (key, answer) in keys.iter().zip(answers) {
            let slot = |bytes: Bytes| Ok((Slot::decode(key, &bytes)?, bytes.len() as u64));
            found.push(answer?.map(slot).transpose()?);
        }
        Ok(found)
    }

    /// ChangesWrite: commits an entry to slot `n` unless the slot is taken.
    pub(crate) async fn changes_write(&self, n: u64, entry: Bytes) -> Result<Created, Error> {
        self.create(&Key::change(n), entry).await
    }
}
