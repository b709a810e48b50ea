//! MetadataRead and MetadataWrite: the hint to the newest snapshot, and snapshots themselves.

use super::Storage;
use crate::model::format::{self, PLAUSIBLE, Part, PartName, ServerMetadata, Snapshot};
use crate::model::{ContentHash, DocumentId, Error, ErrorKind, Key};

impl Storage {
    /// MetadataRead. A damaged hint is as good as none: it costs time, never correctness.
    async fn metadata_read(&self) -> Result<Option<ServerMetadata>, Error> {
        let key = Key::metadata();
        let Some(bytes) = self.read(&key, 0).await? else { return Ok(None) };
        match format::decode(&key, &bytes) {
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(None),
            metadata => metadata.map(Some),
        }
    }

    /// MetadataWrite.
    pub(crate) async fn metadata_write(&self, metadata: &ServerMetadata) -> Result<(), Error> {
        let key = Key::metadata();
        self.write(&key, format::encode(&key, metadata)?).await
    }

    /// The key of the snapshot that the hint names, if it names one.
    pub(crate) async fn hint(&self) -> Result<Option<Key>, Error> {
        let named = self.metadata_read().await?.and_then(|metadata| metadata.snapshot);
        let key = named.and_then(|name| Key::parse(&name).ok());
        Ok(key.filter(|key| key.snapshot_seq().is_some()))
    }

    /// A snapshot's head; `None` if it is absent or damaged.
    pub(crate) async fn snapshot(&self, key: &Key) -> Result<Option<Snapshot>, Error> {
        let Some(bytes) = self.read(key, 0).await? else { return Ok(None) };
        match format::decode(key, &bytes) {
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(None),
            Ok(snapshot) if !is_sound(key, &snapshot) => Ok(None),
            snapshot => snapshot.map(Some),
        }
    }

    /// A part of a snapshot; `None` if it is absent or damaged.
    pub(crate) async fn snapshot_part(&self, name: &PartName) -> Result<Option<Part>, Error> {
        let Some(key) = Snapshot::part_key(name) else { return Ok(None) };
        let Some(bytes) = self.read(&key, name.bytes).await? else { return Ok(None) };
        match format::decode(&key, &bytes) {
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(None),
            Ok(part) if !is_part(name, &part, &bytes) => Ok(None),
            part => part.map(Some),
        }
    }
}

/// A part has the length and the hash that the head says: one that lost documents is damaged, for
/// those that a snapshot lacks count as deleted.
fn is_part(name: &PartName, part: &Part, bytes: &[u8]) -> bool {
    let first = part.documents.keys().next();
    name.bytes == bytes.len() as u64
        && name.hash.is_none_or(|hash| hash == ContentHash::of(bytes))
        && first.is_none_or(|first| *first >= name.from)
        && part
            .documents
            .iter()
            .all(|(key, record)| record.len <= PLAUSIBLE && DocumentId::from_key(key).is_some())
}

/// The number is that of the key; parts are in order, the first begins at the beginning, and each
/// has a part's name.
fn is_sound(key: &Key, snapshot: &Snapshot) -> bool {
    let first = snapshot.parts.first().is_some_and(|part| part.from.is_empty());
    let ordered = snapshot.parts.is_sorted_by(|a, b| a.from < b.from);
    let named = snapshot.parts.iter().all(|part| Snapshot::part_key(part).is_some());
    let numbered = (1..=PLAUSIBLE).contains(&snapshot.seq);
    let whole = key.snapshot_seq() == Some(snapshot.seq)
        && snapshot.parts.iter().all(|part| part.bytes <= PLAUSIBLE);
    numbered && whole && first && ordered && named
}
