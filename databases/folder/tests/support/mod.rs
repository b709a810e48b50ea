//! What the tests of the folder share.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "each test program uses some of it")]

pub mod trees;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use db_to_cloud::{BoxError, Database, Document, DocumentId, Outcome, Revision, Write};
use db_to_cloud_folder::FolderDatabase;
use futures::StreamExt;
use tempfile::TempDir;

pub struct Notes {
    _temporary: TempDir,
    pub path: PathBuf,
    pub database: FolderDatabase,
}

/// An empty folder.
pub fn notes() -> Notes {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("notes");
    fs::create_dir(&path).unwrap();
    let database = FolderDatabase::open(&path).unwrap();
    Notes { _temporary: temporary, path, database }
}

/// The folder with this path, which is made if need be.
pub fn notes_in(path: &Path) -> Notes {
    fs::create_dir_all(path).unwrap();
    let database = FolderDatabase::open(path).unwrap();
    Notes { _temporary: tempfile::tempdir().unwrap(), path: path.to_owned(), database }
}

/// An empty folder in memory, where the system has such a place: a test of many small writes that
/// asks for no crash does not have to wait for a disk.
pub fn notes_in_memory() -> Notes {
    let Ok(temporary) = TempDir::new_in("/dev/shm") else { return notes() };
    let path = temporary.path().join("notes");
    fs::create_dir(&path).unwrap();
    let database = FolderDatabase::open(&path).unwrap();
    Notes { _temporary: temporary, path, database }
}

impl Notes {
    /// The same folder after a restart.
    pub fn opened_again(self) -> Self {
        Self { database: FolderDatabase::open(&self.path).unwrap(), ..self }
    }

    /// Saves a file as an application would.
    pub fn save(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn content(&self, path: &str) -> Vec<u8> {
        fs::read(self.path.join(path)).unwrap()
    }

    pub fn has(&self, path: &str) -> bool {
        self.path.join(path).symlink_metadata().is_ok()
    }

    /// The listed documents, each with its revision; panics at any error. What is listed without a
    /// revision is read, as the core does.
    pub async fn list(&self) -> BTreeMap<String, Revision> {
        let mut documents = BTreeMap::new();
        for (id, revision) in self.try_list().await.unwrap() {
            let revision = match revision.unwrap() {
                Some(revision) => revision,
                None => self.get(&id).await.unwrap().revision,
            };
            documents.insert(id, revision);
        }
        documents
    }

    pub async fn ids(&self) -> Vec<String> {
        self.list().await.into_keys().collect()
    }

    pub async fn try_list(
        &self,
    ) -> Result<BTreeMap<String, Result<Option<Revision>, BoxError>>, BoxError> {
        let listed: Vec<_> = self.database.list().collect().await;
        let listed = listed.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(listed.into_iter().map(|l| (l.id.to_string(), l.revision)).collect())
    }

    pub async fn get(&self, id: &str) -> Option<Document> {
        self.database.get(&DocumentId::from(id)).await.unwrap()
    }

    pub async fn revision(&self, id: &str) -> Result<Option<Revision>, BoxError> {
        self.database.revisions(&[DocumentId::from(id)]).await.pop().unwrap()
    }

    pub async fn apply(&self, write: Write) -> Outcome {
        self.database.apply(vec![write]).await.pop().unwrap()
    }

    /// Applies a batch of which all writes must be made.
    pub async fn all_done(&self, batch: Vec<Write>) {
        for outcome in self.database.apply(batch).await {
            assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        }
    }

    /// All files in `.db-to-cloud/tmp` that hold a content.
    pub fn left_over(&self) -> Vec<PathBuf> {
        files(&self.database.state_dir().join("tmp"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.ends_with("clock")).collect()
}

pub fn rev(content: &str) -> Revision {
    Revision::of_content(content.as_bytes())
}

/// A document without its attributes, which follow from the umask.
pub fn plain(document: Option<Document>) -> Option<Document> {
    document.map(|document| Document::new(document.revision, document.bytes))
}

/// A write of this content, or a delete.
pub fn write(id: &str, content: Option<&str>, expected: Option<&str>) -> Write {
    Write {
        id: DocumentId::from(id),
        document: content.map(|c| Document::of_content(c.to_owned())),
        expected: expected.map(rev),
        moved_from: None,
    }
}

/// The two writes of a document that was renamed on the other device.
pub fn moved(from: &str, to: &str, content: &str) -> [Write; 2] {
    let put = Write { moved_from: Some(from.into()), ..write(to, Some(content), None) };
    [write(from, None, Some(content)), put]
}

/// Runs the ignored test `name` of this program as a user without privileges: root can read
/// everything. `true` if it passed.
#[cfg(unix)]
pub fn passes_unprivileged(name: &str) -> bool {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored"]);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534);
    }
    command.status().unwrap().success()
}
