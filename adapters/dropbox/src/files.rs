//! Single files: write, read, delete, list.

use bytes::Bytes;
use db_to_cloud::{Created, Folder, Key, Page};
use db_to_cloud_http::Answer;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::hash::content_hash;
use crate::sessions;

/// How a file is written (`CommitInfo`). Never renamed by itself: a conflict would look like success.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Commit {
    pub(crate) path: String,
    mode: &'static str,
    autorename: bool,
    /// Nobody's desktop tells of it.
    mute: bool,
    /// Identical bytes are a conflict, too: else two clients that write the same both succeed.
    strict_conflict: bool,
}

impl Commit {
    /// Whatever is there is replaced.
    pub(crate) fn put(path: String) -> Self {
        let (mode, autorename, mute) = ("overwrite", false, true);
        Self { path, mode, autorename, mute, strict_conflict: false }
    }

    /// Nothing may be there.
    fn create(path: String) -> Self {
        let (mode, autorename, mute) = ("add", false, true);
        Self { path, mode, autorename, mute, strict_conflict: true }
    }

    pub(crate) fn is_create(&self) -> bool {
        self.strict_conflict
    }
}

/// What we need to know of a file (`FileMetadata`).
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) size: u64,
    pub(crate) content_hash: String,
}

#[derive(Serialize)]
struct Upload<'a> {
    #[serde(flatten)]
    commit: &'a Commit,
    content_hash: &'a str,
}

#[derive(Serialize)]
pub(crate) struct At<'a> {
    pub(crate) path: &'a str,
}

/// Entries of one page of a list: the most that may be asked for.
pub(crate) const PAGE: u32 = 2000;

impl Client {
    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Failure> {
        self.write(Commit::put(self.path(key)), bytes).await
    }

    /// Writes an object unless there is one. 409 `path/conflict/file` is the one answer that means
    /// that there is; it may be our own.
    pub(crate) async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Failure> {
        match self.write(Commit::create(self.path(key)), bytes).await {
            Ok(()) => Ok(Created::New),
            Err(failure) if failure.is_conflict() => Ok(Created::Occupied),
            Err(failure) => Err(failure),
        }
    }

    async fn write(&self, commit: Commit, bytes: Bytes) -> Result<(), Failure> {
        if bytes.len() > self.piece {
            return sessions::put_large(self, commit, bytes).await;
        }
        let (hash, size) = (content_hash(&bytes), bytes.len());
        let call =
            Call::upload("files/upload", &Upload { commit: &commit, content_hash: &hash }, bytes);
        let call = call.creating(commit.is_create());
        let _alone = self.commits.read().await;
        self.ask::<Stored>(call).await?.check(size, &hash)
    }

    /// `None` only by the tags `path/not_found`. The name need not be a key.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>, Failure> {
        let path = self.path(name);
        let answer = match self.send(Call::download("files/download", &At { path: &path })).await {
            Err(failure) if failure.is_absence() => return Ok(None),
            answer => answer?,
        };
        Stored::of(&answer)?.check(answer.body.len(), &content_hash(&answer.body))?;
        Ok(Some(answer.body))
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Failure> {
        let path = self.path(key);
        let _alone = self.commits.read().await;
        match self.ask(Call::rpc("files/delete_v2", &At { path: &path })).await {
            Ok(Deleted { .. }) => Ok(()),
            Err(failure) if failure.is_absence() => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// One page; its `next` is a cursor.
    pub(crate) async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Failure> {
        let listed = match page {
            None => self.list_folder(&self.path(folder.name()), PAGE).await,
            Some(cursor) => self.list_on(cursor).await,
        };
        let listed = match listed {
            // A folder that does not exist is empty. One that is gone meanwhile is not what was listed.
            Err(failure) if page.is_none() && failure.is_absence() => return Ok(Page::default()),
            Err(failure)
                if page.is_some() && (failure.is_absence() || failure.is_lost_cursor()) =>
            {
                return Err(Failure::ListChanged);
            }
            listed => listed?,
        };
        // Dropbox keeps the case of names and ignores it: a key is in lower case.
        let files = listed.entries.iter().filter(|entry| entry.tag == "file");
        let keys = files.filter_map(|file| folder.key(&file.name.to_ascii_lowercase()).ok());
        Ok(Page { keys: keys.collect(), next: listed.has_more.then_some(listed.cursor) })
    }

    /// The names of all files of a folder, as they were written; one that does not exist has none.
    pub(crate) async fn file_names(&self, folder: &str) -> Result<Vec<String>, Failure> {
        let mut listed = match self.list_folder(&self.path(folder), PAGE).await {
            Err(failure) if failure.is_absence() => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut entries = std::mem::take(&mut listed.entries);
        while listed.has_more {
            listed = self.list_on(&listed.cursor).await?;
            entries.append(&mut listed.entries);
        }
        Ok(entries.into_iter().filter(|entry| entry.tag == "file").map(|file| file.name).collect())
    }

    /// About so many entries of a folder, at most [`PAGE`].
    pub(crate) async fn list_folder(&self, path: &str, limit: u32) -> Result<Listed, Failure> {
        self.ask(Call::rpc("files/list_folder", &List { path, limit })).await
    }

    /// What comes after a cursor.
    pub(crate) async fn list_on(&self, cursor: &str) -> Result<Listed, Failure> {
        self.ask(Call::rpc("files/list_folder/continue", &Cursor { cursor })).await
    }
}

#[derive(Serialize)]
struct List<'a> {
    path: &'a str,
    limit: u32,
}

#[derive(Serialize)]
struct Cursor<'a> {
    cursor: &'a str,
}

/// The answer to a delete: what there was.
#[derive(Deserialize)]
struct Deleted {
    #[serde(rename = "metadata")]
    _metadata: serde::de::IgnoredAny,
}

/// A page of a list (`ListFolderResult`).
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    pub(crate) cursor: String,
    pub(crate) has_more: bool,
}

/// A file, a folder, or what was deleted since the cursor.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = ".tag")]
    pub(crate) tag: String,
    pub(crate) name: String,
}

impl Stored {
    /// What the head of a download says of the file.
    pub(crate) fn of(answer: &Answer) -> Result<Self, Failure> {
        let stored = answer.header("dropbox-api-result");
        let stored = stored.and_then(|stored| serde_json::from_str(stored).ok());
        stored.ok_or(Failure::NotDropbox("a file without Dropbox-API-Result"))
    }

    /// Whether what is stored is what was sent, or what came what is stored.
    pub(crate) fn check(&self, size: usize, hash: &str) -> Result<(), Failure> {
        match self.size == size as u64 && self.content_hash == hash {
            true => Ok(()),
            false => Err(Failure::NotDropbox("bytes were lost or changed on the way")),
        }
    }
}
