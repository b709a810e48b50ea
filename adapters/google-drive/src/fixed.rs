//! `meta.json`, whose id is in the genesis.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::drive::{Made, New};
use crate::envelope::{self, Header};
use crate::error::Failure;
use crate::names::is_of_a_snapshot;
use crate::storage::Storage;

impl Storage {
    pub(crate) async fn get_metadata(&self) -> Result<Option<Bytes>, Failure> {
        let Some(genesis) = self.genesis().await? else { return Ok(None) };
        let Some(sealed) = self.drive.media(&genesis.content.meta).await? else { return Ok(None) };
        let (header, bytes) = envelope::open(sealed)?;
        let header = header.unwrap_or_default();
        self.learn(&header);
        Ok((!header.deleted).then_some(bytes))
    }

    /// With the ids of the snapshot that it names and of the slots after it: a new device that begins with
    /// the snapshot needs no other.
    pub(crate) async fn put_metadata(&self, bytes: &Bytes) -> Result<(), Failure> {
        let ids = self.names.named_in(bytes, &BTreeMap::new(), is_of_a_snapshot);
        let named = ids.keys().next().and_then(|name| {
            let (seq, _) = name.strip_prefix("snapshot/")?.split_once('.')?;
            seq.parse::<u64>().ok()
        });
        let slots = self.slots_from(named.unwrap_or_else(|| self.known().remembered.head.max(1)));
        let lock = self.known().remembered.lock.clone();
        self.write_metadata(&Header { ids, slots, lock, ..Header::default() }, bytes).await
    }

    /// Its file stays and says so.
    pub(crate) async fn delete_metadata(&self) -> Result<(), Failure> {
        let Some(_) = self.get_metadata().await? else { return Ok(()) };
        let header = Header { deleted: true, ..Header::default() };
        self.write_metadata(&header, &Bytes::new()).await
    }

    async fn write_metadata(&self, header: &Header, bytes: &Bytes) -> Result<(), Failure> {
        let genesis = self.genesis_to_write().await?;
        let (id, sealed) = (&genesis.content.meta, envelope::seal(header, bytes)?);
        if self.drive.replace(id, &sealed).await? {
            return Ok(());
        }
        let new = New { id, name: "meta.json", parent: &genesis.content.folder, races: false };
        match self.create(&genesis, new, &sealed).await? {
            Made::New => Ok(()),
            // Somebody else was faster, or this client's answer was lost.
            _ => match self.drive.replace(id, &sealed).await? {
                true => Ok(()),
                false => Err(Failure::not_drive("a file is there and is not").after_sending()),
            },
        }
    }
}
