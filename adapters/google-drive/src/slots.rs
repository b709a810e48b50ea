//! The log: slot n is the file with the id that slot n − 64 carries; the first 64 are in the genesis.
//!
//! # Why a slot is made once
//! An entry is made by one create, so all readers of slot n − 64 read the same id for slot n, and all who
//! want to make slot n create a file with this id. Drive refuses the second (409 `fileIdInUse`): an id has
//! one file. Absence is decided by a read of this id, never by a list.
//!
//! # What Google does not promise
//! The 409 is documented for repetitions, and was seen when one create came after the other. That of two
//! creates *at the same moment* one is refused is not documented: therefore the adapter says
//! [`Atomicity::Probe`](db_to_cloud::Atomicity::Probe), and the core races creates of one id at the real
//! service before its first commit. If both were taken, one content would stay, both devices would believe
//! that they won, and the loser's next sync would find another entry where its own was (rule P3, W4) and
//! offer its commit again. Not documented either: for how long an unused id is good. A slot whose id Google
//! no longer takes is an error that says so, and nothing is written.

use db_to_cloud::{Created, ErrorKind};

use bytes::Bytes;

use crate::drive::{Made, New};
use crate::envelope::{self, Header};
use crate::error::Failure;
use crate::genesis::AHEAD;
use crate::names::is_vid;
use crate::storage::Storage;

impl Storage {
    pub(crate) async fn get_slot(&self, n: u64) -> Result<Option<Bytes>, Failure> {
        let Some(id) = self.slot_id(n).await? else { return Ok(None) };
        let read = self.read_slot(n, &id).await?;
        if read.is_none() {
            // This is the head: a good moment to remember where it is.
            self.save_if_moved().await;
        }
        Ok(read)
    }

    async fn read_slot(&self, n: u64, id: &str) -> Result<Option<Bytes>, Failure> {
        let Some(sealed) = self.drive.media(id).await? else { return Ok(None) };
        let (header, bytes) = envelope::open(sealed)?;
        self.found_slot(n, &header.unwrap_or_default());
        Ok(Some(bytes))
    }

    fn found_slot(&self, n: u64, header: &Header) {
        self.learn(header);
        let mut known = self.known();
        known.read.insert(n);
        known.remembered.head = known.remembered.head.max(n);
        if let Some(next) = &header.next {
            known.remembered.slots.insert(n + AHEAD, next.clone());
        }
    }

    /// The id of a slot; `None` if the log is shorter.
    async fn slot_id(&self, n: u64) -> Result<Option<String>, Failure> {
        if self.genesis().await?.is_none() {
            return Ok(None);
        }
        let known = |n| self.known().remembered.slots.get(&n).cloned();
        if let Some(id) = known(n) {
            return Ok(Some(id));
        }
        // One at a time: the others find what the first has learnt.
        let _walking = self.walking.lock().await;
        let (mut at, mut asked) = (self.nearest(n), false);
        while at < n {
            if !asked && (n - at) / AHEAD > 1 {
                // Far from all that is known: meta.json knows the slots around the newest snapshot.
                asked = true;
                self.get_metadata().await?;
                at = self.nearest(n);
                continue;
            }
            let id = known(at).unwrap_or_default();
            if self.read_slot(at, &id).await?.is_none() {
                return Ok(None);
            }
            if known(at + AHEAD).is_none() {
                // It is damaged, and so is not known what follows it.
                self.get_metadata().await?;
                known(at + AHEAD).ok_or_else(broken)?;
            }
            at += AHEAD;
        }
        Ok(known(n))
    }

    /// The last slot with a known id from which steps of 64 lead to this one.
    fn nearest(&self, n: u64) -> u64 {
        let known = self.known();
        let mut before = known.remembered.slots.range(..=n).rev();
        let nearest = before.find(|(at, _)| (n - *at).is_multiple_of(AHEAD));
        nearest.map_or((n - 1) % AHEAD + 1, |(at, _)| *at)
    }

    pub(crate) async fn create_slot(&self, n: u64, bytes: &Bytes) -> Result<Created, Failure> {
        let genesis = self.genesis_to_write().await?;
        let id = self.slot_id(n).await?.ok_or_else(too_far)?;
        // The core has just read it; a hole would hide all that comes after it.
        if n > 1 && !self.known().read.contains(&(n - 1)) && self.get_slot(n - 1).await?.is_none() {
            return Err(too_far());
        }
        let header = self.header_of(n, bytes).await?;
        let sealed = envelope::seal(&header, bytes)?;
        let (name, parent) = (format!("{n}.json"), &genesis.content.changes);
        let new = New { id: &id, name: &name, parent, races: true };
        match self.create(&genesis, new, &sealed).await? {
            Made::New => {
                self.found_slot(n, &header);
                self.known().nexts.remove(&n);
                self.save().await;
                Ok(Created::New)
            }
            _ => Ok(Created::Occupied),
        }
    }

    /// Overwrites a slot: only on a storage that the probe found to be weak. What it tells of others stays.
    pub(crate) async fn put_slot(&self, n: u64, bytes: &Bytes) -> Result<(), Failure> {
        if self.create_slot(n, bytes).await? == Created::New {
            return Ok(());
        }
        let id = self.slot_id(n).await?.ok_or_else(too_far)?;
        let there = self.drive.media(&id).await?.map(envelope::open).transpose()?;
        let mut header = self.header_of(n, bytes).await?;
        if let Some((Some(there), _)) = there {
            header.next = there.next;
            header.ids.extend(there.ids);
        }
        match self.drive.replace(&id, &envelope::seal(&header, bytes)?).await? {
            true => {
                self.found_slot(n, &header);
                Ok(())
            }
            false => Err(Failure::storage(ErrorKind::Unavailable, "the slot was deleted")),
        }
    }

    /// What slot n tells. It is remembered first: should the answer be lost and this process end, the
    /// next one sends the same commit with the same ids of documents.
    async fn header_of(&self, n: u64, bytes: &[u8]) -> Result<Header, Failure> {
        let next = self.ids.take(&self.drive).await?;
        let documents = self.known().remembered.documents.clone();
        let ids = self.names.named_in(bytes, &documents, is_vid);
        let (next, lock, is_news) = {
            let mut known = self.known();
            let next = known.nexts.entry(n).or_insert(next).clone();
            let is_news = known.remembered.documents != ids;
            known.remembered.documents.clone_from(&ids);
            (next, known.remembered.lock.clone().filter(|(number, _)| *number > 1), is_news)
        };
        if is_news {
            self.save().await;
        }
        Ok(Header { next: Some(next), ids, lock, ..Header::default() })
    }

    /// The numbers and ids of the slots from this one to the last that is known.
    pub(crate) fn slots_from(&self, first: u64) -> Option<(u64, Vec<String>)> {
        let known = self.known();
        let mut ids = Vec::new();
        for (n, id) in known.remembered.slots.range(first..) {
            if *n != first + ids.len() as u64 {
                break;
            }
            ids.push(id.clone());
        }
        (!ids.is_empty()).then_some((first, ids))
    }

    /// Reads those of the newest slots that were not read yet: they tell where documents are that no list
    /// shows yet.
    pub(crate) async fn read_newest(&self) -> Result<(), Failure> {
        let unread: Vec<u64> = {
            let known = self.known();
            let head = known.remembered.head;
            let newest = head.saturating_sub(AHEAD).max(1)..=head;
            newest.filter(|n| !known.read.contains(n)).collect()
        };
        for n in unread {
            self.get_slot(n).await?;
        }
        Ok(())
    }
}

fn too_far() -> Failure {
    let why = "the slots before this one are not there: slots are made one after another";
    Failure::storage(ErrorKind::InvalidInput, why)
}

fn broken() -> Failure {
    let why = "an entry of the log is damaged, and with it the id of a later one: restore an earlier \
               version of the file in Drive";
    Failure::storage(ErrorKind::Corrupt, why)
}
