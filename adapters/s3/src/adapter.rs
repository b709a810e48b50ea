//! The adapter: keys and errors of the core on one side, requests on the other.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{Adapter, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::client::{Client, DELETES};
use crate::error::Failure;
use crate::{S3Config, look, multipart};

/// A storage in a bucket; made by [`S3Config::build`]. Its clones share connections and the bound on
/// requests. Calls need a tokio runtime.
#[derive(Clone)]
pub struct S3Adapter(Arc<Client>);

impl S3Adapter {
    pub(crate) fn new(config: &S3Config) -> Result<Self, Error> {
        Ok(Self(Arc::new(Client::new(config)?)))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0
    }

    async fn put_one(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let put = match bytes.len() > self.0.config.part_size {
            true => multipart::put(&self.0, key, bytes).await,
            false => self.0.put(key, bytes).await,
        };
        put.map_err(|failure| failure.at("put", key))
    }

    /// One request for each item on tasks of their own, so that all cores sign and parse. No more are
    /// begun than may run: requests of others need not queue behind a whole batch. Dropping the
    /// future ends the tasks.
    async fn many<I, T, F>(
        &self,
        operation: &'static str,
        items: impl IntoIterator<Item = I>,
        request: impl Fn(Self, I) -> F,
    ) -> Vec<Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        let mut answers = Vec::new();
        let take = |done: Option<Result<(usize, Result<T, Error>), _>>, answers: &mut Vec<_>| {
            if let Some(Ok((i, answer))) = done {
                answers[i] = answer;
            }
        };
        for (i, item) in items.into_iter().enumerate() {
            // Stands if the runtime shuts down before the answer is there.
            answers.push(Err(Error::new(ErrorKind::Unavailable, operation)));
            if tasks.len() >= self.0.config.concurrency {
                take(tasks.join_next().await, &mut answers);
            }
            let answer = request(self.clone(), item);
            tasks.spawn(async move { (i, answer.await) });
        }
        while !tasks.is_empty() {
            take(tasks.join_next().await, &mut answers);
        }
        answers
    }

    async fn delete_batch(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let answers = match self.0.delete_batch(keys).await {
            // Google's interface has no batches.
            Err(failure) if failure.kind() == ErrorKind::Unsupported => {
                let delete = async |s3: Self, key: Key| s3.delete(&key).await;
                return self.many("delete", keys.to_vec(), delete).await;
            }
            Err(failure) => vec![Err(failure); keys.len()],
            Ok(answers) => answers,
        };
        let at = |(answer, key): (Result<(), Failure>, &Key)| {
            answer.map_err(|failure| failure.at("delete", key))
        };
        answers.into_iter().zip(keys).map(at).collect()
    }
}

impl fmt::Debug for S3Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Adapter").field(&self.0.config.name()).finish()
    }
}

#[async_trait]
impl Adapter for S3Adapter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            create: self.0.config.atomicity(),
            concurrency: self.0.config.concurrency,
            batch_items: 4 * self.0.config.concurrency,
            ..Capabilities::default()
        }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get(key).await.map_err(|failure| failure.at("get", key))
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        look::start(&self.0, key, at_most).await.map_err(|failure| failure.at("get", key))
    }

    /// Nothing is left out: this adapter makes no objects for its own use, and the parts of an upload have no
    /// name before it is complete.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let names = look::names(&self.0, folder, at_most).await;
        names.map_err(|failure| failure.at("list", folder.map_or("the storage", Folder::name)))
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.put_one(key, bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.0.create(key, bytes).await.map_err(|failure| failure.at("create", key))
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        self.0.copy(from, to).await.map_err(|failure| failure.at("copy", to))
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.0.delete(key).await.map_err(|failure| failure.at("delete", key))
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.0.list(folder, page).await.map_err(|failure| failure.at("list", folder.name()))
    }

    async fn get_many(&self, keys: &[Key]) -> Vec<Result<Option<Bytes>, Error>> {
        let get = |s3: Self, key: Key| async move { s3.get(&key).await };
        self.many("get", keys.to_vec(), get).await
    }

    async fn put_many(&self, items: Vec<(Key, Bytes)>) -> Vec<Result<(), Error>> {
        let put =
            |s3: Self, (key, bytes): (Key, Bytes)| async move { s3.put_one(&key, bytes).await };
        self.many("put", items, put).await
    }

    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let copy = |s3: Self, (from, to): (Key, Key)| async move { s3.copy(&from, &to).await };
        self.many("copy", pairs, copy).await
    }

    /// By DeleteObjects, a thousand at a time.
    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let batches = keys.chunks(DELETES).map(|batch| self.delete_batch(batch));
        let batches: Vec<_> =
            futures::stream::iter(batches.collect::<Vec<_>>()).buffered(2).collect().await;
        batches.into_iter().flatten().collect()
    }
}
