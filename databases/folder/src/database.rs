//! The database itself.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    BoxError, Database, Document, DocumentId, Listed, Outcome, Revision, Selects, Timestamp, Write,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::{RwLock, mpsc};

use crate::attributes::Bits;
use crate::cache::Cache;
use crate::content::{self, Found, Hash, hash_of, revision};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::limbo::Limbo;
use crate::limbos::Limbos;
use crate::memory::{Kept, Memory};
use crate::mounts::Mounts;
use crate::path::{DocumentPath, STATE_DIR, is_reserved};
use crate::patterns::waiting;
use crate::record::Records;
use crate::root::Root;
use crate::selection::{Selection, Selections};
use crate::skipped::{SkipReason, Skipped};
use crate::survey::{Candidate, look, survey};
use crate::sys::Dir;
use crate::{apply, epochs, state_folder, sweep, walk};

/// So many pages of a listing wait for their reader.
const PAGES: usize = 2;
/// So many are remembered until they are asked for.
const MOST_EXECUTABLES: usize = 10_000;

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
    shared: Arc<Shared>,
    /// Reads wait for a write that goes on after its future was dropped.
    gate: Arc<RwLock<()>>,
}

/// What the threads that do the work share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) root: Root,
    pub(crate) limbos: Limbos,
    pub(crate) cache: Cache,
    pub(crate) memory: Memory,
    pub(crate) records: Records,
    pub(crate) mounts: Mounts,
    pub(crate) selections: Selections,
    skipped: Mutex<Vec<Skipped>>,
    /// Files that a sync made executable, which were not asked for yet.
    executables: Mutex<Vec<String>>,
}

impl Shared {
    fn open(path: &Path) -> Result<Self, FolderError> {
        let no_folder = |source| FolderError::NoFolder { path: path.to_owned(), source };
        let path = path.canonicalize().map_err(no_folder)?;
        let failed = FolderError::io("open", path.clone());
        let handle = Dir::open(&path).map_err(failed)?;
        let state_path = path.join(STATE_DIR);
        let state = state_folder::open(&handle, &path)?;
        let failed = || FolderError::io("open folder", state_path.clone());
        let limbos = Limbos::new(Limbo::open(&state).map_err(failed())?);
        let root = Root::new(path, handle, &state).map_err(failed())?;
        let cache = Cache::open(state_path.join("files.sqlite"));
        let selections = Selections::new(state_path.clone(), root.folds());
        let records = Records::open(state_path)?;
        let (memory, mounts, skipped, executables) = Default::default();
        Ok(Self { root, limbos, cache, memory, records, mounts, selections, skipped, executables })
    }

    pub(crate) fn set_skipped(&self, skipped: Vec<Skipped>) {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) = skipped;
    }

    /// A file that a sync made executable.
    pub(crate) fn note_executable(&self, path: &str) {
        let mut executables = self.executables.lock().unwrap_or_else(PoisonError::into_inner);
        if executables.len() < MOST_EXECUTABLES {
            executables.push(path.to_owned());
        }
    }

    fn get(&self, id: &DocumentId) -> Result<Option<Document>, FolderError> {
        let Ok(path) = DocumentPath::parse(id) else { return Ok(None) };
        // Before the file is read: what is settled now stays so.
        let now = self.now(path.as_str());
        let seen = self.memory.seen(path.as_str());
        let stamp = seen.map(|(stamp, _)| stamp);
        let Some((found, bytes)) = content::read(&self.root, &path, stamp)? else {
            return self.is_absent("read", &path).map(|()| None);
        };
        if seen.is_some_and(|(_, is_new)| is_new) {
            self.read_ahead(path.as_str());
        }
        Ok(Some(self.document(path.as_str(), found, bytes.into(), now)))
    }

    /// Whether a document that was not found may be believed to be absent (rule F1); an error if not.
    pub(crate) fn is_absent(
        &self,
        operation: &'static str,
        path: &DocumentPath,
    ) -> Result<(), FolderError> {
        self.mounts.check(&self.root, &self.records, operation, path.as_str())
    }

    /// A time, not later than now, by the clock that stamps a file with this path; `None` if there is none.
    pub(crate) fn now(&self, path: &str) -> Option<i64> {
        let mount = self.records.mounts_above(path).pop().unwrap_or_default();
        self.memory.now(&mount, || match mount.is_empty() {
            true => self.limbos.root().clock(),
            false => Limbos::open(&self.root, &mount).ok()?.clock(),
        })
    }

    /// Remembers what was read after `now`.
    fn document(&self, path: &str, found: Found, bytes: Bytes, now: Option<i64>) -> Document {
        let hash = hash_of(&bytes);
        self.memory.read(&self.cache, path, found.stamp, hash, now);
        let attributes = self.bits(path).attributes(found.mode);
        Document::new(revision(&hash), bytes).with_attributes(attributes)
    }

    /// Whether the file system that a file with this path is on keeps permission bits.
    fn bits(&self, path: &str) -> Bits {
        let mount = self.records.mounts_above(path).pop().unwrap_or_default();
        match mount.is_empty() {
            true => self.limbos.root().bits,
            false => self.memory.bits(&mount, || {
                Limbos::open(&self.root, &mount).map_or(Bits::Unknown, |limbo| limbo.bits)
            }),
        }
    }

    /// Reads the small files that a push will ask for next.
    fn read_ahead(&self, path: &str) {
        for (path, stamp) in self.memory.next(path) {
            let now = self.now(&path);
            if let Some(bytes) = content::read_ahead(&self.root, &path, &stamp) {
                self.memory.keep(path, Kept { stamp, bytes: bytes.into(), now });
            }
        }
    }

    /// A document that was read ahead, if it is as it was when it was listed: then nothing changed
    /// while it was read or since. One call that does not wait for the disk.
    fn get_kept(&self, id: &DocumentId) -> Option<Document> {
        let path = id.as_str()?;
        let Kept { stamp, bytes, now } = self.memory.take(path)?;
        let mode = self.root.mode_if_unchanged(path, &stamp)?;
        Some(self.document(path, Found { stamp, mode }, bytes, now))
    }

    fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, FolderError>> {
        self.memory.save(&self.cache);
        let folders = Folders::new(&self.root);
        let mut unknown = Vec::new();
        let seen: Vec<Result<Option<Option<Hash>>, FolderError>> = ids
            .iter()
            .map(|id| {
                // An id that cannot be a file's is not there.
                let Ok(path) = DocumentPath::parse(id) else { return Ok(None) };
                let Some((stamp, _)) = look(&folders, "read", &path)? else {
                    return self.is_absent("read", &path).map(|()| None);
                };
                let known = self.memory.find(path.as_str(), &stamp);
                if known.is_none() {
                    unknown.push(Candidate { path, stamp });
                }
                Ok(Some(known))
            })
            .collect();
        let mut hashes = survey(self, &unknown).into_iter();
        let mut answer = |seen| match seen {
            None => Ok(None),
            Some(Some(hash)) => Ok(Some(revision(&hash))),
            Some(None) => Ok(hashes.next().transpose()?.flatten().map(|hash| revision(&hash))),
        };
        seen.into_iter().map(|seen| seen.and_then(&mut answer)).collect()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.memory.save(&self.cache);
    }
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

    /// Which files this device syncs, as it is saved.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn selection(&self) -> Result<Selection, FolderError> {
        self.shared.selections.saved()
    }

    /// From the next sync on this device syncs these files (rules C8 and C9), also after a restart. Files that it
    /// does not sync any more stay where they are.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn set_selection(&self, selection: Selection) -> Result<(), FolderError> {
        self.shared.selections.save(selection)
    }

    /// The same for this value and its clones only, to see what a sync would do.
    pub fn try_selection(&self, selection: Selection) {
        self.shared.selections.try_out(selection);
    }

    /// What the last [`list`](Database::list) that came to its end found and did not list; and ignore files that
    /// came since and wait to be accepted.
    pub fn skipped(&self) -> Vec<Skipped> {
        let skipped = &self.shared.skipped;
        let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for path in waiting(&self.shared.root, &self.shared.records.get()) {
            let waits = Skipped { path, reason: SkipReason::NotAccepted };
            if !skipped.contains(&waits) {
                skipped.push(waits);
            }
        }
        skipped
    }

    /// The files, at most 10,000, that arrived from other devices since this was last called and may be executed
    /// here now: a person should know of them.
    pub fn take_executables(&self) -> Vec<String> {
        let executables = &self.shared.executables;
        std::mem::take(&mut *executables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything that an ignore file leaves out, with the pattern that does: a folder stands for all in it. It
    /// walks through the folder and blocks.
    ///
    /// # Errors
    /// If the folder or an ignore file cannot be read.
    pub fn ignored(&self) -> Result<Vec<Skipped>, FolderError> {
        walk::ignored(&self.shared)
    }

    /// Lets the ignore files count that came from the storage, as they are now (rule F2); their paths. Until
    /// then those that were there before count, and [`skipped`](Self::skipped) lists them.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn accept_patterns(&self) -> Result<Vec<String>, FolderError> {
        let mut accepted = Vec::new();
        self.shared.records.change(|record| {
            accepted = std::mem::take(&mut record.arrived).into_keys().collect();
        })?;
        Ok(accepted)
    }

    /// Whether files that programs obey without asking, such as the hooks of git, may be written by a sync
    /// (rule F4). At first they may not: each is [refused](Outcome::Refused). It is remembered.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn open_guard(&self, open: bool) -> Result<(), FolderError> {
        self.shared.records.change(|record| record.guard_is_open = open)
    }

    /// The folders inside on which another file system was mounted when the folder was last listed, relative to
    /// the folder. Documents below that are missing while it is not mounted are not taken for deleted (rule F1).
    pub fn mounts(&self) -> Vec<String> {
        self.shared.records.get().mounts.into_iter().collect()
    }

    /// Forgets that a file system was mounted on this folder, which is one of [`mounts`](Self::mounts): the next
    /// sync takes its documents for deleted if they are not there. Whether it was one of them.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn forget_mount(&self, folder: &str) -> Result<bool, FolderError> {
        self.shared.mounts.forget(&self.shared.records, folder)
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
