//! What the threads that do the work share, and how they read documents.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use db_to_cloud::{Document, DocumentId, Revision};

use crate::attributes::Bits;
use crate::cache::Cache;
use crate::content::{self, Found, Hash, hash_of, revision};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::limbo::Limbo;
use crate::limbos::Limbos;
use crate::memory::{Kept, Memory};
use crate::mounts::Mounts;
use crate::path::{DocumentPath, STATE_DIR};
use crate::record::Records;
use crate::root::Root;
use crate::selection::Selections;
use crate::skipped::Skipped;
use crate::state_folder;
use crate::survey::{Candidate, look, survey};
use crate::sys::Dir;

/// So many are remembered until they are asked for.
const MOST_EXECUTABLES: usize = 10_000;

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
    pub(crate) skipped: Mutex<Vec<Skipped>>,
    /// Files that a sync made executable, which were not asked for yet.
    pub(crate) executables: Mutex<Vec<String>>,
}

impl Shared {
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
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

    pub(crate) fn get(&self, id: &DocumentId) -> Result<Option<Document>, FolderError> {
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
    pub(crate) fn get_kept(&self, id: &DocumentId) -> Option<Document> {
        let path = id.as_str()?;
        let Kept { stamp, bytes, now } = self.memory.take(path)?;
        let mode = self.root.mode_if_unchanged(path, &stamp)?;
        Some(self.document(path, Found { stamp, mode }, bytes, now))
    }

    pub(crate) fn revisions(
        &self,
        ids: &[DocumentId],
    ) -> Vec<Result<Option<Revision>, FolderError>> {
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
