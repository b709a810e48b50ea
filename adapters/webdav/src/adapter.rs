//! The adapter: keys and errors of the core on one side, requests on the other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Atomicity, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page,
};
use db_to_cloud_http::percent_decoded;
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::dav::{CopyAnswer, Member};
use crate::error::Failure;
use crate::slots::unfinished::{self, Content};
use crate::slots::{self, Slot, TEMPORARY};
use crate::{Slots, WebDavConfig, choose, names};

/// A storage in a collection; made by [`WebDavConfig::build`]. Its clones share connections and the
/// bound on requests. Calls need a tokio runtime.
#[derive(Clone)]
pub struct WebDavAdapter(Arc<Inner>);

struct Inner {
    client: Client,
    slots: OnceCell<Slots>,
    /// The way that the caller chose.
    configured: Option<Slots>,
    concurrency: usize,
    /// The server refused to copy a file: it is not asked again.
    copyless: AtomicBool,
}

impl WebDavAdapter {
    pub(crate) fn new(config: &WebDavConfig, base: reqwest::Url) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            client: Client::new(config, base)?,
            slots: OnceCell::new_with(config.slots),
            configured: config.slots,
            concurrency: config.concurrency,
            copyless: AtomicBool::new(false),
        })))
    }

    /// How this server makes log slots: looked up in the storage, and found out by racing if nothing
    /// stands there yet.
    ///
    /// # Errors
    /// Any kind; then nothing is known.
    pub async fn slots(&self) -> Result<Slots, Error> {
        self.0.slots().await.map_err(|failure| failure.at("find slots", "slots"))
    }

    /// Reads a file whose name need not be a [`Key`], such as one of another program. `path` is what that
    /// program wrote behind the collection's address: `%`, `?` and `#` in it mean what they mean in a
    /// URL. `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if the path leaves the
    /// collection, else any kind. Nothing was changed.
    pub async fn read_file(&self, path: &str) -> Result<Option<Bytes>, Error> {
        let Some(url) = self.0.client.url_below(path) else {
            let error = Error::new(ErrorKind::InvalidInput, "read").with_key(path);
            return Err(error.with_message("this path leads out of the collection"));
        };
        self.0.client.get_at(url).await.map_err(|failure| failure.at("read", path))
    }

    /// The path below the collection of the file that [`read_file`](Self::read_file) reads, without
    /// escapes, as a server lists it; `None` if the path leaves the collection.
    pub fn file_path(&self, path: &str) -> Option<String> {
        let url = self.0.client.url_below(path)?;
        let below = url.path().strip_prefix(self.0.client.base().path())?;
        // An escape that is no text stays as it is: such a file has no name to compare with.
        Some(percent_decoded(below).unwrap_or_else(|| below.to_owned()))
    }

    /// The names of the files that lie directly in a collection below the storage's, whoever wrote them,
    /// in any order; none if it does not exist. All of them at once, however many there are.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    pub async fn file_names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let listed = self.0.client.list(&format!("{folder}/")).await;
        let listed = listed.map_err(|failure| failure.at("list", folder))?;
        let members = listed.map(|collection| collection.members).unwrap_or_default();
        Ok(members.into_iter().filter(|m| !m.is_collection).map(|m| m.name).collect())
    }
}

impl Inner {
    async fn slots(&self) -> Result<Slots, Failure> {
        self.slots.get_or_try_init(|| choose::choose(&self.client)).await.copied()
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        let Some(slot) = Slot::of(key) else { return self.client.get(key.as_str()).await };
        match unfinished::read(&self.client, &slot, None).await? {
            // With locks, an empty file is no entry yet.
            Content::Entry(bytes) if bytes.is_empty() && self.slots().await? == Slots::Lock => {
                Ok(None)
            }
            Content::Entry(bytes) => Ok(Some(bytes)),
            // Nor is what a server is still copying, or has been stopped at.
            Content::Nothing | Content::Part(_) => Ok(None),
        }
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Failure> {
        let slot = Slot::of(key);
        let path = slot.as_ref().map_or(key.as_str(), |slot| &slot.entry);
        // Whether it is empty shows in the first byte only.
        let start = self.client.get_start(path, at_most.max(1)).await?;
        match start {
            // All that is there, and no whole entry: `get` finds out what it is.
            Some(start)
                if slot.is_some()
                    && start.len() < at_most.max(1)
                    && unfinished::may_be_a_part(&start) =>
            {
                let all = self.get(key).await?;
                Ok(all.map(|all| all.slice(..all.len().min(at_most))))
            }
            start => Ok(start.map(|start| start.slice(..start.len().min(at_most)))),
        }
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Failure> {
        let path = folder.map(|folder| format!("{}/", folder.name())).unwrap_or_default();
        let listed = self.client.list(&path).await?;
        let members = listed.map(|collection| collection.members).unwrap_or_default();
        Ok(members.iter().filter_map(|member| names::name(folder, member)).take(at_most).collect())
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Failure> {
        if let Some(slot) = Slot::of(key) {
            return slots::put(&self.client, &slot, bytes).await;
        }
        self.client.write(key.as_str(), bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Failure> {
        // Nothing else is created: documents and snapshots have names of their own.
        let Some(slot) = Slot::of(key) else { return Err(Failure::no_slots()) };
        let slots = self.slots().await?;
        slots::create(&self.client, slots, &slot, bytes).await
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Failure> {
        // Slots are collections, and are never copied.
        let is_slot = Slot::of(from).is_some() || Slot::of(to).is_some();
        if is_slot || self.copyless.load(Relaxed) {
            return Ok(Copied::Unsupported);
        }
        Ok(match self.client.copy(from.as_str(), to.as_str()).await? {
            CopyAnswer::Done => Copied::Done,
            CopyAnswer::Missing => Copied::Missing,
            CopyAnswer::Occupied | CopyAnswer::Doubtful => Copied::Unsupported,
            CopyAnswer::Refused => {
                self.copyless.store(true, Relaxed);
                Copied::Unsupported
            }
        })
    }

    async fn delete(&self, key: &Key) -> Result<(), Failure> {
        match Slot::of(key) {
            Some(slot) => self.client.delete(&slot.collection).await,
            None => self.client.delete(key.as_str()).await,
        }
    }

    async fn list(&self, folder: Folder) -> Result<Vec<Key>, Failure> {
        let listed = self.client.list(&format!("{}/", folder.name())).await?;
        let members = listed.map(|collection| collection.members).unwrap_or_default();
        let of_slots = matches!(folder, Folder::Changes | Folder::Probe);
        let is_ours = |member: &Member| {
            member.is_collection == of_slots && !(of_slots && member.name.starts_with(TEMPORARY))
        };
        let keys = members.iter().filter(|member| is_ours(member));
        Ok(keys.filter_map(|member| folder.key(&member.name).ok()).collect())
    }
}

impl fmt::Debug for WebDavAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebDavAdapter").field(&self.0.client.base().as_str()).finish()
    }
}

#[async_trait]
impl Adapter for WebDavAdapter {
    fn capabilities(&self) -> Capabilities {
        let create = match self.0.configured {
            Some(Slots::None) => Atomicity::Weak,
            _ => Atomicity::Probe,
        };
        Capabilities { create, concurrency: self.0.concurrency, ..Capabilities::default() }
    }

    /// What the name of a collection in the storage says, else what a race shows that then makes this
    /// collection: one race for a storage, not for a device. A way that the caller chose was not raced.
    async fn measured_create(&self) -> Result<Option<bool>, Error> {
        match self.0.configured {
            Some(_) => Ok(None),
            None => Ok(Some(self.slots().await? != Slots::None)),
        }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get(key).await.map_err(|failure| failure.at("get", key))
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        self.0.get_start(key, at_most).await.map_err(|failure| failure.at("get", key))
    }

    /// A slot is a collection here, and has the name of its object: `1.json` in `changes/`, `lock.json` at
    /// the top. Without the collections that say how slots are made (`slots-move` and its like) and those that
    /// are to become slots (`tmp-` and 32 digits). WebDAV has no pages: the server sends all names.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let names = self.0.names(folder, at_most).await;
        names.map_err(|failure| failure.at("list", folder.map_or("the storage", Folder::name)))
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.0.put(key, bytes).await.map_err(|failure| failure.at("put", key))
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

    /// All in one page: WebDAV has no others.
    async fn list(&self, folder: Folder, _page: Option<&str>) -> Result<Page, Error> {
        let keys = self.0.list(folder).await;
        let keys = keys.map_err(|failure| failure.at("list", folder.name()))?;
        Ok(Page { keys, next: None })
    }
}
