//! The adapter: keys and errors of the core on one side, requests on the other.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Atomicity, Capabilities, Copied, Created, Error, Folder, Key, Page, Wait,
};
use futures::future::join_all;

use crate::client::Client;
use crate::error::Failure;
use crate::watch::Watch;
use crate::{DropboxConfig, batch, copies, deletes, look};

/// A storage in a Dropbox; made by [`DropboxConfig::build`]. Its clones share connections, the bound
/// on requests, and what [`wait_for_change`](Adapter::wait_for_change) has seen. Calls need a tokio
/// runtime.
#[derive(Clone)]
pub struct DropboxAdapter(Arc<Inner>);

struct Inner {
    client: Client,
    watch: Watch,
    concurrency: usize,
}

/// The most bytes of one batch: they are in memory, once more while they are on their way.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// So many files are written or deleted faster one by one.
const FEW: usize = 2;

impl DropboxAdapter {
    pub(crate) fn new(config: &DropboxConfig) -> Result<Self, Error> {
        let (client, watch) = (Client::new(config)?, Watch::default());
        Ok(Self(Arc::new(Inner { client, watch, concurrency: config.concurrency })))
    }

    /// Reads a file whose name need not be a [`Key`], such as one of another program: its path below the
    /// storage's folder. `None` if there is none. Dropbox ignores the case of names.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    pub async fn read_file(&self, path: &str) -> Result<Option<Bytes>, Error> {
        self.0.client.get(path).await.map_err(|failure| failure.at("read", path))
    }

    /// The names of the files that lie directly in a folder below the storage's, whoever wrote them, in
    /// any order; none if the folder does not exist. All of them at once, however many there are.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    pub async fn file_names(&self, folder: &str) -> Result<Vec<String>, Error> {
        self.0.client.file_names(folder).await.map_err(|failure| failure.at("list", folder))
    }

    async fn put_batch(&self, items: &[(Key, Bytes)]) -> Vec<Result<(), Failure>> {
        // Whether a piece of no bytes may be appended is not documented: an empty file goes alone.
        let is_alone = |(_, bytes): &(Key, Bytes)| bytes.is_empty();
        if items.len() > FEW && !items.iter().any(is_alone) {
            return batch::put(&self.0.client, items).await;
        }
        let put = |(key, bytes): &(Key, Bytes)| {
            let (key, bytes) = (key.clone(), bytes.clone());
            async move { self.0.client.put(&key, bytes).await }
        };
        join_all(items.iter().map(put)).await
    }

    async fn delete_batch(&self, keys: &[Key]) -> Vec<Result<(), Failure>> {
        match keys.len() {
            0..=FEW => join_all(keys.iter().map(|key| self.0.client.delete(key))).await,
            _ => deletes::delete(&self.0.client, keys).await,
        }
    }
}

/// Cuts items into batches that fit into one request; empty files from others.
fn batches(items: &[(Key, Bytes)]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut size = 0;
    for (i, (_, bytes)) in items.iter().enumerate() {
        size += bytes.len();
        match batches.last_mut() {
            Some(batch)
                if batch.len() < batch::FILES
                    && size <= BATCH_BYTES
                    && items[batch.start].1.is_empty() == bytes.is_empty() =>
            {
                batch.end = i + 1;
            }
            _ => {
                size = bytes.len();
                batches.push(i..i + 1);
            }
        }
    }
    batches
}

impl fmt::Debug for DropboxAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DropboxAdapter").field(&self.0.client.root).finish()
    }
}

#[async_trait]
impl Adapter for DropboxAdapter {
    /// Creating only what is absent is documented (`strict_conflict`), but nobody has published a
    /// race of it: the core runs one, once.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            create: Atomicity::Probe,
            concurrency: self.0.concurrency,
            batch_items: batch::FILES,
            batch_bytes: BATCH_BYTES as u64,
        }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.client.get(key.as_str()).await.map_err(|failure| failure.at("get", key))
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        let start = look::start(&self.0.client, key, at_most).await;
        start.map_err(|failure| failure.at("get", key))
    }

    /// Nothing is left out: this adapter makes no files for its own use, and an upload session has no name
    /// before it is committed. Names that are keys but for their case are those of the keys.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let names = look::names(&self.0.client, folder, at_most).await;
        names.map_err(|failure| failure.at("list", folder.map_or("the folder", Folder::name)))
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.0.client.put(key, bytes).await.map_err(|failure| failure.at("put", key))
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.0.client.create(key, bytes).await.map_err(|failure| failure.at("create", key))
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.0.client.delete(key).await.map_err(|failure| failure.at("delete", key))
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let listed = self.0.client.list(folder, page).await;
        listed.map_err(|failure| failure.at("list", folder.name()))
    }

    /// In four requests for up to 1,000 objects.
    async fn put_many(&self, items: Vec<(Key, Bytes)>) -> Vec<Result<(), Error>> {
        let mut answers = Vec::with_capacity(items.len());
        for batch in batches(&items) {
            answers.extend(self.put_batch(&items[batch]).await);
        }
        let at = |(answer, (key, _)): (Result<(), Failure>, &(Key, Bytes))| {
            answer.map_err(|failure| failure.at("put", key))
        };
        answers.into_iter().zip(&items).map(at).collect()
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let copied = self.copy_many(vec![(from.clone(), to.clone())]).await.pop();
        copied.unwrap_or(Ok(Copied::Unsupported))
    }

    /// In one job for up to 1,000 objects.
    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let mut answers = Vec::with_capacity(pairs.len());
        for batch in pairs.chunks(copies::FILES) {
            answers.extend(copies::copy(&self.0.client, batch).await);
        }
        let at = |(answer, (_, to)): (Result<Copied, Failure>, &(Key, Key))| {
            answer.map_err(|failure| failure.at("copy", to))
        };
        answers.into_iter().zip(&pairs).map(at).collect()
    }

    /// In one job for up to 1,000 objects.
    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let mut answers = Vec::with_capacity(keys.len());
        for batch in keys.chunks(deletes::FILES) {
            answers.extend(self.delete_batch(batch).await);
        }
        let at = |(answer, key): (Result<(), Failure>, &Key)| {
            answer.map_err(|failure| failure.at("delete", key))
        };
        answers.into_iter().zip(keys).map(at).collect()
    }

    /// By a cursor of the log's folder. The first call answers [`Wait::Changed`] at once: a commit
    /// may have come before it.
    async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        let waited = self.0.watch.wait(&self.0.client, timeout).await;
        waited.map_err(|failure| failure.at("wait for a change", Folder::Changes.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_in_files_and_bytes() {
        let item = |size: usize| (Key::metadata(), Bytes::from(vec![0; size]));
        let cut =
            |sizes: &[usize]| batches(&sizes.iter().map(|size| item(*size)).collect::<Vec<_>>());
        assert!(cut(&[]).is_empty());
        assert_eq!(cut(&[1; 2001]), [0..1000, 1000..2000, 2000..2001]);
        let large = BATCH_BYTES + 1;
        assert_eq!(cut(&[5, large, 5, 5]), [0..1, 1..2, 2..4]);
        assert_eq!(cut(&[BATCH_BYTES - 1, 1, 1]), [0..2, 2..3]);
        assert_eq!(cut(&[1, 0, 0, 1, 1]), [0..1, 1..3, 3..5]);
    }
}
