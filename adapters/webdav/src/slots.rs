//! Slots: objects of which there must be one writer. Each is a collection with one file.

mod by_lock;
mod by_mkcol;
pub(crate) mod by_move;
mod take_over;
pub(crate) mod unfinished;

use bytes::Bytes;
use db_to_cloud::{Created, Key};
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::dav::Moved;
use crate::error::Failure;

/// How a server makes a slot so that one of many clients wins, from the best to the last resort. The
/// measurements behind it are in the `README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Slots {
    /// A collection is filled under another name and moved to that of the slot. The kernel of the
    /// server refuses to replace a collection that is not empty; and the entry appears whole.
    Move,
    /// The first to make the slot's collection writes the entry into it. A client that dies between
    /// the two keeps the slot from others for a minute.
    Mkcol,
    /// The entry is written under a lock of WebDAV, if there is none yet. A reader may meet half of
    /// it; then it is a damaged object until the next sync.
    Lock,
    /// Not at all: commits are protected by the lock of db-to-cloud and by the check of the anchor
    /// (rules W1, W2, W3 and W4).
    None,
}

impl Slots {
    /// The name of the empty collection that says so in the storage.
    pub(crate) fn marker(self) -> &'static str {
        match self {
            Self::Move => "slots-move",
            Self::Mkcol => "slots-mkcol",
            Self::Lock => "slots-lock",
            Self::None => "slots-none",
        }
    }

    pub(crate) fn of_marker(name: &str) -> Option<Self> {
        [Self::Move, Self::Mkcol, Self::Lock, Self::None].into_iter().find(|s| s.marker() == name)
    }
}

/// What the names of collections and files begin with that become slots or entries, or never do.
pub(crate) const TEMPORARY: &str = "tmp-";
/// So many bytes of a hash are in such a name.
const DIGEST: usize = 16;

/// Whether a collection with this name is to become a slot, or was.
pub(crate) fn is_temporary(name: &str) -> bool {
    let digest = name.strip_prefix(TEMPORARY);
    digest.is_some_and(|digest| {
        digest.len() == 2 * DIGEST && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The name of the collection within a slot that decides who takes it over.
const TURN: &str = "turn";

/// Where the objects of one slot are.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The collection, such as `changes/7.json/`.
    pub(crate) collection: String,
    /// The file in it.
    pub(crate) entry: String,
}

impl Slot {
    /// The slot of a key that is one; `None` for documents, snapshots and `meta.json`, which are plain
    /// files: they have names of their own, or are a hint.
    pub(crate) fn of(key: &Key) -> Option<Self> {
        let is_file = match key.split() {
            Some((folder, _)) => matches!(folder, "docs" | "snapshot"),
            None => *key == Key::metadata(),
        };
        let collection = format!("{key}/");
        (!is_file).then(|| Self { entry: format!("{collection}entry.json"), collection })
    }

    /// A name in the same collection as the slot's for these bytes alone: sent again they use it
    /// again.
    fn beside(&self, bytes: &[u8]) -> String {
        format!("{}{TEMPORARY}{}/", self.around(), self.digest(bytes))
    }

    /// The collection around the slot's; that of the storage itself is the empty path.
    fn around(&self) -> &str {
        let slash = self.collection.trim_end_matches('/').rfind('/');
        slash.map_or("", |slash| &self.collection[..=slash])
    }

    /// Whether a file of this path and these bytes was written to become the entry.
    fn is_source(&self, path: &str, bytes: &[u8]) -> bool {
        path == self.within(bytes) || path.strip_suffix("entry.json") == Some(&self.beside(bytes))
    }

    /// The slot within this one that decides who takes it over.
    fn turn(&self) -> Self {
        let collection = format!("{}{TURN}/", self.collection);
        Self { entry: format!("{collection}entry.json"), collection }
    }

    /// A name in the slot's own collection for these bytes alone.
    fn within(&self, bytes: &[u8]) -> String {
        format!("{}{TEMPORARY}{}", self.collection, self.digest(bytes))
    }

    fn digest(&self, bytes: &[u8]) -> String {
        let hash = Sha256::new().chain_update(&self.collection).chain_update(bytes).finalize();
        hex::encode(&hash[..DIGEST])
    }
}

/// Writes a slot that is not there yet.
pub(crate) async fn create(
    client: &Client,
    slots: Slots,
    slot: &Slot,
    bytes: Bytes,
) -> Result<Created, Failure> {
    match slots {
        Slots::Move => by_move::create(client, slot, bytes).await,
        Slots::Mkcol => by_mkcol::create(client, slot, bytes).await,
        Slots::Lock => by_lock::create(client, slot, bytes).await,
        Slots::None => Err(Failure::no_slots()),
    }
}

/// Writes a slot, replacing what is there: for weak servers, under the lock of db-to-cloud.
pub(crate) async fn put(client: &Client, slot: &Slot, bytes: Bytes) -> Result<(), Failure> {
    client.make(&slot.collection).await?;
    match publish(client, slot, bytes, true).await? {
        Moved::Done => Ok(()),
        Moved::Refused(failure) => Err(failure),
    }
}

/// Writes the entry into the slot's collection: under another name first, so that readers see all of
/// it or nothing.
async fn publish(
    client: &Client,
    slot: &Slot,
    bytes: Bytes,
    overwrite: bool,
) -> Result<Moved, Failure> {
    let temporary = slot.within(&bytes);
    client.put(&temporary, bytes).await?;
    client.rename(&temporary, &slot.entry, overwrite).await
}

/// Decides by what is there who made the slot: several servers say "created" to all who race.
async fn decide(
    client: &Client,
    slot: &Slot,
    bytes: &Bytes,
    moved: Moved,
) -> Result<Created, Failure> {
    let stored = client.get(&slot.entry).await.map_err(Failure::after_sending)?;
    judge(bytes, moved, stored)
}

fn judge(bytes: &Bytes, moved: Moved, stored: Option<Bytes>) -> Result<Created, Failure> {
    match (moved, stored) {
        (Moved::Done, Some(stored)) if stored == bytes => Ok(Created::New),
        // The answer was a proxy's, or of a server that failed after it had done it.
        (Moved::Refused(failure), Some(stored)) if stored == bytes && failure.is_unknown() => {
            Ok(Created::New)
        }
        // Another's, or our own of an earlier attempt: the core compares.
        (_, Some(_)) => Ok(Created::Occupied),
        // It was released meanwhile, as the lock is.
        (Moved::Refused(failure), None) if failure.has_status(412) => {
            Err(Failure::contended("another client has just deleted the object"))
        }
        (Moved::Refused(failure), None) => Err(failure),
        (Moved::Done, None) => {
            Err(Failure::not_dav("the server says that it made what it did not make"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_files() {
        let slot = |key: &str| Slot::of(&Key::parse(key).unwrap());
        assert_eq!(slot("changes/7.json").unwrap().entry, "changes/7.json/entry.json");
        assert_eq!(slot("lock.json").unwrap().collection, "lock.json/");
        for file in ["meta.json", "docs/a.1", "snapshot/1.2.json"] {
            assert!(slot(file).is_none(), "{file}");
        }
    }

    #[test]
    fn temporary_names_are_siblings_and_of_one_content() {
        let slot = |key: &str| Slot::of(&Key::parse(key).unwrap()).unwrap();
        let (seven, lock) = (slot("changes/7.json"), slot("lock.json"));
        assert!(seven.beside(b"a").starts_with("changes/tmp-"));
        assert!(lock.beside(b"a").starts_with("tmp-"));
        assert_eq!(seven.beside(b"a"), seven.beside(b"a"));
        assert_ne!(seven.beside(b"a"), seven.beside(b"b"));
        assert!(is_temporary(lock.beside(b"a").trim_end_matches('/')));
        assert_ne!(seven.beside(b"a"), slot("changes/8.json").beside(b"a"));
        assert!(seven.within(b"a").starts_with("changes/7.json/tmp-"));
    }
}
