//! The database itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Database, Document, DocumentId, Listed, Outcome, Revision, Selects, Timestamp, Write,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::{RwLock, mpsc};

use crate::error::FolderError;
use crate::folders::Folders;
use crate::path::{DocumentPath, STATE_DIR, is_reserved};
use crate::shared::Shared;
use crate::survey::look;
use crate::{apply, epochs, sweep, walk};

/// So many pages of a listing wait for their reader.
const PAGES: usize = 2;

/// A folder whose files are the documents, shared by its clones. The [crate] says what is one.
///
/// # Guarantees
/// - A write or delete is made only if the file has the expected content at that moment. An edit of
///   any other program is never overwritten, whether it renames a file into place or writes in
///   place: if it comes too late to be compared, it is put back, or kept as a copy beside.
/// - After [`Outcome::Done`] the content is on the disk. Readers see the old or the new content,
///   never a part.
/// - No path leads out of the folder, not over symbolic links either.
///
/// # Not guaranteed
/// - On a file system that cannot swap two files (NFS, some FUSE ones) an edit of the microseconds
///   between the comparison and the rename may be lost.
/// - A program that keeps a file open for more than a minute while it is replaced, and then writes
///   into it, writes into the replaced file, which is gone.
/// - A program that writes in place slowly may be read half-way; the rest follows with the next
///   sync.
///
/// Replaced and deleted files stay in `.db-to-cloud/tmp` for a minute and until the next listing.
/// Its methods need a tokio runtime, except [`open`](Self::open) and those that are not `async`.
#[derive(Clone, Debug)]
pub struct FolderDatabase {
    pub(crate) shared: Arc<Shared>,
    /// Reads wait for a write that goes on after its future was dropped.
    gate: Arc<RwLock<()>>,
}

impl FolderDatabase {
    /// Opens a folder, which must exist. It makes the folder `.db-to-cloud` in it, and cleans up
    /// after a sync that was killed. It blocks for some milliseconds.
    ///
    /// # Errors
    /// If the folder does not exist or cannot be read and written. A folder that is missing is not
    /// taken for an empty one, as it may be that of a drive that is not mounted.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, FolderError> {
        let shared = Shared::open(root.as_ref())?;
        sweep::sweep(&shared);
        Ok(Self { shared: Arc::new(shared), gate: Arc::default() })
    }

    /// The path of the folder.
    pub fn root(&self) -> &Path {
        self.shared.root.path()
    }

    /// Whether the folder's path still leads to the folder that was opened. It asks the operating system.
    ///
    /// # Errors
    /// If there is no folder now, or another one, such as the empty mount point of its drive.
    pub fn check(&self) -> Result<(), FolderError> {
        self.shared.root.check()
    }

    /// The path of the folder `.db-to-cloud`, the place for the client's state. Only its owner may
    /// look into it.
    pub fn state_dir(&self) -> PathBuf {
        self.root().join(STATE_DIR)
    }

    /// When a document was last changed, by the time of its file; `None` if there is none. A time before
    /// 1970 is given as 1970.
    pub fn modified(&self, id: &DocumentId) -> Option<Timestamp> {
        let path = DocumentPath::parse(id).ok()?;
        let folders = Folders::new(&self.shared.root);
        look(&folders, "read", &path).ok()??;
        let folder = folders.get("read", path.parent()).ok()??;
        Some(Timestamp::from_millis(folder.facts(path.name()).ok()?.modified))
    }

    /// Whether a change under this path may be one of a document, for a program that watches the
    /// folder: not in `.db-to-cloud`, where each sync writes. A path outside of the folder may, as
    /// nothing is known of it.
    pub fn concerns_documents(&self, path: &Path) -> bool {
        let inside = path.strip_prefix(self.root()).unwrap_or(path);
        !inside.iter().any(|name| name.to_str().is_some_and(is_reserved)) && self.selects(inside)
    }

    /// Whether a file or folder with this path may be selected.
    fn selects(&self, inside: &Path) -> bool {
        let (Some(path), Ok(selection)) = (inside.to_str(), self.shared.selections.given()) else {
            return true;
        };
        selection.has(path) || selection.may_hold(path)
    }

    /// Does work that blocks, on a thread where it may.
    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        guard: impl Send + 'static,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, FolderError> {
        let shared = self.shared.clone();
        let work = move || {
            let done = work(&shared);
            drop(guard);
            done
        };
        let path = || self.root().to_owned();
        let task = tokio::task::spawn_blocking(work);
        task.await.map_err(|source| FolderError::Task { operation, path: path(), source })
    }
}

#[cfg(test)]
impl FolderDatabase {
    /// For tests inside the crate, which have no minute to wait.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// Where a listing is.
enum Listing {
    Start,
    Running(mpsc::Receiver<walk::Page>, tokio::task::JoinHandle<()>),
    End,
}

#[async_trait]
impl Database for FolderDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let pages = stream::unfold(Listing::Start, move |listing| async move {
            let (mut pages, task) = match listing {
                Listing::Start => {
                    let (sender, pages) = mpsc::channel(PAGES);
                    let shared = self.shared.clone();
                    (pages, tokio::task::spawn_blocking(move || walk::walk(&shared, &sender)))
                }
                Listing::Running(pages, task) => (pages, task),
                Listing::End => return None,
            };
            if let Some(page) = pages.recv().await {
                return Some((page, Listing::Running(pages, task)));
            }
            // The end of the list must be the end of the walk: documents that a walk which broke
            // off did not come to must not look deleted.
            let (operation, path) = ("list", self.root().to_owned());
            let broken = task.await.err()?;
            let error = FolderError::Task { operation, path, source: broken };
            Some((vec![Err(error.into())], Listing::End))
        });
        pages.flat_map(stream::iter).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        let (guard, id) = (self.gate.clone().read_owned().await, id.clone());
        if let Some(document) = self.shared.get_kept(&id) {
            return Ok(Some(document));
        }
        Ok(self.run("read", guard, move |shared| shared.get(&id)).await??)
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let (guard, owned) = (self.gate.clone().read_owned().await, ids.to_vec());
        match self.run("read", guard, move |shared| shared.revisions(&owned)).await {
            Ok(revisions) => revisions.into_iter().map(|r| r.map_err(BoxError::from)).collect(),
            Err(error) => ids.iter().map(|_| Err(error.to_string().into())).collect(),
        }
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let (guard, count) = (self.gate.clone().write_owned().await, batch.len());
        match self.run("write", guard, move |shared| apply::apply(shared, &batch)).await {
            Ok(outcomes) => outcomes,
            Err(error) => (0..count).map(|_| Outcome::Blocked(error.to_string().into())).collect(),
        }
    }

    async fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        let given = self.run("select", (), |shared| shared.selections.give()).await??;
        Ok(Some(given)
            .filter(|given| !given.is_everything())
            .map(|given| given as Arc<dyn Selects>))
    }

    /// Files are edited by any program: one may have overwritten them all.
    fn guards_overwrites(&self) -> bool {
        true
    }

    async fn epochs(&self, ids: &[DocumentId]) -> Vec<u64> {
        let (guard, owned) = (self.gate.clone().read_owned().await, ids.to_vec());
        let epochs =
            move |shared: &Shared| owned.iter().map(|id| epochs::epoch(shared, id)).collect();
        // Without an answer nothing is downloaded again.
        self.run("look", guard, epochs).await.unwrap_or_else(|_| vec![0; ids.len()])
    }
}
