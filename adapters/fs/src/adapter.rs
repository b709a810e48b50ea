//! The adapter: each method does its work on a thread that may block.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Atomicity, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page, Wait,
};
use futures::StreamExt;

use crate::Sharing;
use crate::carrier;
use crate::error::Failure;
use crate::list::Listings;
use crate::names;
use crate::open::{Opened, open};
use crate::temp::{Exclusive, TempFile, random_names};
use crate::tree::Tree;
use crate::wait::{self, Told};
use crate::write::{self, Linking};

/// Files that are forced to the disk at once: more gain nothing, fewer leave a fast disk idle.
const CONCURRENCY: usize = 16;

/// A storage in a folder. Its clones share the lists under way and are told of a change once; any number of adapters, processes
/// and machines may use one folder.
///
/// Calls need a tokio runtime. A future that is dropped leaves its write to finish or not.
#[derive(Clone, Debug)]
pub struct FsAdapter {
    root: Arc<Path>,
    sharing: Sharing,
    opened: Opened,
    listings: Arc<Listings>,
    told: Arc<Told>,
}

impl FsAdapter {
    /// Opens the storage in this folder, which all devices reach as one file system. See
    /// [`FsAdapter::open_with`].
    ///
    /// # Errors
    /// As [`FsAdapter::open_with`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(folder, Sharing::SameFileSystem)
    }

    /// Opens the storage in this folder. A folder that does not exist is made, but not its parent:
    /// a missing parent is a drive that is not mounted. Blocks for a few small writes, which find
    /// out whether the file system can create a file exclusively; if it cannot,
    /// [`capabilities`](Adapter::capabilities) says that the storage is weak. So it is with any `sharing`
    /// where another program is seen to carry the folder ([`Sharing::SyncedByOtherProgram`]).
    ///
    /// A storage that is there and cannot be written, as on a drive that is mounted read-only or full, is
    /// opened for reading; each write is then an error that names the storage. What its file system can
    /// do is found out when it can be written.
    ///
    /// # Errors
    /// - [`ErrorKind::Unavailable`]: the parent of the folder does not exist, or the drive failed.
    /// - [`ErrorKind::Forbidden`], [`ErrorKind::Full`]: there is no storage yet, and it cannot be made; or
    ///   it cannot be read either.
    /// - [`ErrorKind::Corrupt`]: one of its folders is a symbolic link or a file.
    pub fn open_with(folder: impl AsRef<Path>, sharing: Sharing) -> Result<Self, Error> {
        let folder = folder.as_ref();
        // A relative path would change its meaning with the working directory.
        let root: PathBuf = std::path::absolute(folder).map_err(|source| {
            Error::new(ErrorKind::InvalidInput, "open")
                .with_key(folder.display())
                .with_message("name a folder")
                .with_source(source)
        })?;
        let opened = open(&root).map_err(|failure| failure.at("open", root.display()))?;
        let carried = carrier::is_carried(&root);
        let sharing = if carried { Sharing::SyncedByOtherProgram } else { sharing };
        let (listings, told) = (Arc::default(), Arc::default());
        Ok(Self { root: root.into(), sharing, opened, listings, told })
    }

    /// The folder of the storage.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Does this with the folder, on a thread that may block.
    async fn with_tree<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tree) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (root, mark) = (self.root.clone(), self.opened.mark);
        blocking(move || work(&Tree::open(&root, mark)?)).await
    }

    /// Writes all contents to temporary files, many at a time; none has its name yet.
    ///
    /// Each task writes a share of them: a task for each would cost more calls of the system, to wake
    /// its thread, than the write of a small file.
    async fn write_temp_files(
        &self,
        contents: Vec<Bytes>,
    ) -> Result<Vec<Result<TempFile, Failure>>, Failure> {
        let scratch = Arc::new(self.with_tree(Tree::scratch).await?);
        let mut files: Vec<_> = random_names()?.zip(contents).collect();
        let share = files.len().div_ceil(CONCURRENCY).max(1);
        let mut tasks = Vec::with_capacity(CONCURRENCY);
        while !files.is_empty() {
            let rest = files.split_off(share.min(files.len()));
            let (scratch, files) = (scratch.clone(), std::mem::replace(&mut files, rest));
            let write =
                move |(name, bytes): (String, Bytes)| TempFile::write_named(&scratch, name, &bytes);
            tasks.push(blocking(move || Ok(files.into_iter().map(write).collect::<Vec<_>>())));
        }
        let shares = futures::future::try_join_all(tasks).await?;
        Ok(shares.into_iter().flatten().collect())
    }

    /// Copies objects to temporary files, many at a time; none has its name yet.
    async fn copy_to_temp_files(
        &self,
        keys: Vec<Key>,
    ) -> Result<Vec<Result<Option<TempFile>, Failure>>, Failure> {
        let scratch = Arc::new(self.with_tree(Tree::scratch).await?);
        // A program that carries the files may write into them, or carry one of the two names.
        let linking = match (self.sharing, self.opened.exclusive) {
            (Sharing::SameFileSystem, Exclusive::Link) if self.opened.keeps_modes => Linking::Tight,
            (Sharing::SameFileSystem, Exclusive::Link) => Linking::Always,
            _ => Linking::Never,
        };
        let copies = keys.into_iter().map(|key| {
            let scratch = scratch.clone();
            self.with_tree(move |tree| write::copy(tree, &scratch, &key, linking))
        });
        Ok(futures::stream::iter(copies).buffered(CONCURRENCY).collect().await)
    }

    /// One answer for each key, also if the whole batch failed.
    fn answers<T: Clone>(
        &self,
        operation: &'static str,
        keys: &[Key],
        batch: Result<Vec<Result<T, Failure>>, Failure>,
    ) -> Vec<Result<T, Error>> {
        let answers = batch.unwrap_or_else(|failure| vec![Err(failure); keys.len()]);
        let at = |(answer, key): (Result<T, Failure>, &Key)| {
            answer.map_err(|failure| self.not_written(failure, operation, key))
        };
        answers.into_iter().zip(keys).map(at).collect()
    }

    /// The error of a write. If nothing can be written at all, it names the storage.
    fn not_written(&self, failure: Failure, operation: &'static str, key: &Key) -> Error {
        let error = failure.at(operation, key);
        if error.kind() != ErrorKind::Forbidden {
            return error;
        }
        let root = self.root.display();
        error.with_message(format!("the storage {root} cannot be written: {failure}"))
    }
}

#[async_trait]
impl Adapter for FsAdapter {
    fn capabilities(&self) -> Capabilities {
        let create = match (self.sharing, self.opened.exclusive) {
            (Sharing::SyncedByOtherProgram, _) | (_, Exclusive::Unsupported) => Atomicity::Weak,
            (_, Exclusive::Link | Exclusive::Rename) => Atomicity::Atomic,
            (_, Exclusive::Unknown) => Atomicity::Probe,
        };
        Capabilities { create, concurrency: CONCURRENCY, ..Capabilities::default() }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        let name = key.clone();
        self.with_tree(move |tree| tree.get(&name)).await.map_err(|failure| failure.at("get", key))
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        let name = key.clone();
        let start = self.with_tree(move |tree| tree.get_start(&name, at_most));
        start.await.map_err(|failure| failure.at("get", key))
    }

    /// Without `.tmp/`, where files lie that do not have their name yet. `changes/`, `docs/` and `snapshot/`
    /// are there from the moment on at which the storage is opened; then they are empty. Links and pipes have
    /// names without a slash, and a name that is no text has replacement characters.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let names = self.with_tree(move |tree| names::read(tree, folder, at_most)).await;
        names.map_err(|failure| failure.at("list", folder.map_or("the folder", Folder::name)))
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let name = key.clone();
        let put = self.with_tree(move |tree| write::put(tree, &name, &bytes));
        put.await.map_err(|failure| self.not_written(failure, "put", key))
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        let (name, exclusive) = (key.clone(), self.opened.exclusive);
        let create = self.with_tree(move |tree| write::create(tree, &name, &bytes, exclusive));
        create.await.map_err(|failure| self.not_written(failure, "create", key))
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        let name = key.clone();
        let delete = self.with_tree(move |tree| write::delete(tree, &name));
        delete.await.map_err(|failure| self.not_written(failure, "delete", key))
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let (listings, page) = (self.listings.clone(), page.map(str::to_owned));
        let list = self.with_tree(move |tree| listings.page(tree, folder, page.as_deref()));
        list.await.map_err(|failure| failure.at("list", folder.name()))
    }

    /// Forces the files to the disk many at a time, and each folder once.
    async fn put_many(&self, items: Vec<(Key, Bytes)>) -> Vec<Result<(), Error>> {
        let (keys, contents): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let named = keys.clone();
        let put = async {
            let files = self.write_temp_files(contents).await?;
            self.with_tree(move |tree| Ok(write::replace_all(tree, &named, files))).await
        };
        self.answers("put", &keys, put.await)
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let copied = self.copy_many(vec![(from.clone(), to.clone())]).await.pop();
        copied.unwrap_or(Ok(Copied::Unsupported))
    }

    /// By a second name of the same file where the file system has hard links: no writer here ever
    /// changes a file in place. Else the bytes are copied. Forces each folder to the disk once.
    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let (originals, keys): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let named = keys.clone();
        let copy = async {
            let files = self.copy_to_temp_files(originals).await?;
            self.with_tree(move |tree| Ok(write::name_copies(tree, &named, files))).await
        };
        self.answers("copy", &keys, copy.await)
    }

    /// Forces each folder to the disk once.
    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let named = keys.to_vec();
        let delete = self.with_tree(move |tree| Ok(write::delete_all(tree, &named)));
        self.answers("delete", keys, delete.await)
    }

    /// Looks each second whether there is another commit: two calls of the system, on a network share
    /// answered by its client for the most part. Notices of the kernel do not cross a network.
    async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        let began = Instant::now();
        loop {
            let told = self.told.get();
            let newest = self.with_tree(move |tree| wait::newest(tree, told)).await;
            let newest = newest.map_err(|e| e.at("wait for change", Folder::Changes.name()))?;
            if told != Some(newest) {
                // Nothing is awaited after this: what is told is heard.
                self.told.set(newest);
                return Ok(Wait::Changed);
            }
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Wait::TimedOut);
            }
            tokio::time::sleep(left.min(wait::PAUSE)).await;
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return Err(Failure::NoRuntime);
    };
    runtime.spawn_blocking(work).await.unwrap_or(Err(Failure::RuntimeStopped))
}
