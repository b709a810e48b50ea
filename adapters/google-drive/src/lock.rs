//! The lock: a chain of files, one for each time that it is taken.
//!
//! It is not known whether the id of a deleted file can be used again, so a lock is never deleted: a
//! released one says so and carries the id of the next, which is made by one create, as a slot is. Some
//! hundred bytes stay of each. Where the chain stands is remembered and told by slots and by `meta.json`.

use bytes::Bytes;
use db_to_cloud::Created;

use crate::drive::{Made, New};
use crate::envelope::{self, Header};
use crate::error::Failure;
use crate::genesis::Genesis;
use crate::storage::Storage;

/// The newest lock.
enum Newest {
    /// It was not taken yet.
    Free,
    Held {
        header: Header,
        bytes: Bytes,
    },
}

impl Storage {
    pub(crate) async fn get_lock(&self) -> Result<Option<Bytes>, Failure> {
        let Some(genesis) = self.genesis().await? else { return Ok(None) };
        match self.newest_lock(&genesis).await? {
            (_, Newest::Free) => Ok(None),
            (_, Newest::Held { bytes, .. }) => Ok(Some(bytes)),
        }
    }

    pub(crate) async fn create_lock(&self, bytes: &Bytes) -> Result<Created, Failure> {
        let genesis = self.genesis_to_write().await?;
        loop {
            // The first that is known not to be released. Most times it is the newest.
            let (number, id) = self.known_lock(&genesis);
            if self.make_lock(&genesis, (number, &id), bytes).await? == Made::New {
                return Ok(Created::New);
            }
            // Held, or released meanwhile; each round of this loop goes on by one lock at least.
            if let ((newest, _), Newest::Held { .. }) = self.newest_lock(&genesis).await? {
                tracing::debug!(newest, "the lock is held");
                return Ok(Created::Occupied);
            }
            if self.known_lock(&genesis).0 == number {
                return Err(Failure::not_drive("a lock is there and is not").after_sending());
            }
        }
    }

    pub(crate) async fn put_lock(&self, bytes: &Bytes) -> Result<(), Failure> {
        let genesis = self.genesis_to_write().await?;
        if let ((number, id), Newest::Free) = self.newest_lock(&genesis).await?
            && self.make_lock(&genesis, (number, &id), bytes).await? == Made::New
        {
            return Ok(());
        }
        match self.newest_lock(&genesis).await? {
            ((_, id), Newest::Held { header, .. }) => self.rewrite_lock(&id, &header, bytes).await,
            (_, Newest::Free) => Err(Failure::not_drive("the lock changed meanwhile")),
        }
    }

    pub(crate) async fn delete_lock(&self) -> Result<(), Failure> {
        let genesis = self.genesis_to_write().await?;
        match self.newest_lock(&genesis).await? {
            (_, Newest::Free) => Ok(()),
            ((_, id), Newest::Held { header, .. }) => {
                let released = Header { deleted: true, ..header };
                self.rewrite_lock(&id, &released, &Bytes::new()).await
            }
        }
    }

    async fn rewrite_lock(&self, id: &str, header: &Header, bytes: &Bytes) -> Result<(), Failure> {
        match self.drive.replace(id, &envelope::seal(header, bytes)?).await? {
            true => Ok(()),
            false => Err(Failure::not_drive("the lock was deleted by hand")),
        }
    }

    async fn make_lock(
        &self,
        genesis: &Genesis,
        (number, id): (u64, &str),
        bytes: &Bytes,
    ) -> Result<Made, Failure> {
        let next = Some(self.ids.take(&self.drive).await?);
        let sealed = envelope::seal(&Header { next, ..Header::default() }, bytes)?;
        let name = format!("{number}.json");
        let new = New { id, name: &name, parent: &genesis.content.locks, races: true };
        self.create(genesis, new, &sealed).await
    }

    /// Goes along the released ones.
    async fn newest_lock(&self, genesis: &Genesis) -> Result<((u64, String), Newest), Failure> {
        loop {
            let (number, id) = self.known_lock(genesis);
            let Some(sealed) = self.drive.media(&id).await? else {
                return Ok(((number, id), Newest::Free));
            };
            let (header, bytes) = envelope::open(sealed)?;
            let header = header.unwrap_or_default();
            match header.next.clone().filter(|_| header.deleted) {
                Some(next) => self.released((number + 1, next)),
                None => return Ok(((number, id), Newest::Held { header, bytes })),
            }
        }
    }

    fn known_lock(&self, genesis: &Genesis) -> (u64, String) {
        let known = self.known().remembered.lock.clone();
        known.unwrap_or_else(|| (1, genesis.content.lock.clone()))
    }

    fn released(&self, next: (u64, String)) {
        let mut known = self.known();
        known.remembered.lock = known.remembered.lock.take().max(Some(next));
    }
}
