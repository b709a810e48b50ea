//! Listing the documents: one thread walks, page by page, as fast as they are taken. It reads none:
//! a file whose hash is not in the cache is listed without one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use db_to_cloud::{BoxError, DocumentId, Listed};
use ignore::{DirEntry, WalkBuilder};
use tokio::sync::mpsc::Sender;

use crate::content::revision;
use crate::database::Shared;
use crate::error::FolderError;
use crate::path::{DocumentPath, STATE_DIR};
use crate::skipped::{SkipReason, Skipped};
use crate::stamp::Stamp;
use crate::survey::Candidate;
use crate::{cache, storage, sweep};

/// The name of the files that say what to ignore.
pub(crate) const IGNORE_FILE: &str = ".db-to-cloud-ignore";
/// So many files at a time.
const PAGE: usize = 256;

pub(crate) type Page = Vec<Result<Listed, BoxError>>;

/// Why a walk ended early.
enum Stop {
    Failed(FolderError),
    /// Nobody reads on.
    Unwanted,
}

struct Walk<'a> {
    shared: &'a Shared,
    pages: &'a Sender<Page>,
    candidates: Vec<Candidate>,
    /// Files that could not even be looked at.
    unseen: Page,
    skipped: Vec<Skipped>,
    listed: cache::Listed,
}

/// Sends all documents, or an error as the last item. It blocks.
pub(crate) fn walk(shared: &Shared, pages: &Sender<Page>) {
    let mut walk = Walk {
        shared,
        pages,
        candidates: Vec::new(),
        unseen: Vec::new(),
        skipped: Vec::new(),
        listed: cache::Listed::default(),
    };
    if let Err(Stop::Failed(error)) = walk.run() {
        // If nobody reads it, nobody misses it.
        let _ = pages.blocking_send(vec![Err(error.into())]);
    }
}

/// The folders that were found to be storages.
#[derive(Clone, Default)]
struct Storages(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Storages {
    /// Whether this is an object of a storage, or a folder of them.
    fn has(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(OsStr::to_str);
        let (Some(name), Some(folder)) = (name, path.parent()) else { return false };
        let is_object = storage::may_be_of_storage(name) && storage::is_storage(folder);
        if is_object {
            self.lock().insert(folder.to_owned());
        }
        is_object
    }

    fn take(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        self.shared.root.check().map_err(Stop::Failed)?;
        sweep::sweep(self.shared);
        self.shared.memory.save(&self.shared.cache);
        self.shared.memory.clear();
        let storages = Storages::default();
        let found = storages.clone();
        let is_ours = move |e: &DirEntry| {
            e.depth() > 0 && (e.file_name() == STATE_DIR || found.has(e.path()))
        };
        let walker = WalkBuilder::new(self.shared.root.path())
            .standard_filters(false)
            .follow_links(false)
            .add_custom_ignore_filename(IGNORE_FILE)
            .filter_entry(move |entry| !is_ours(entry))
            .build();
        for entry in walker {
            match entry {
                Ok(entry) => self.entry(&entry)?,
                Err(error) => self.unreadable(error)?,
            }
            if self.candidates.len() + self.unseen.len() >= PAGE {
                self.send()?;
            }
        }
        self.send()?;
        for folder in storages.take() {
            let path = match self.relative(&folder) {
                root if root == Path::new("") => Path::new(".").to_owned(),
                path => path.to_owned(),
            };
            self.skipped.push(Skipped { path, reason: SkipReason::Storage });
        }
        // The drive may have been unmounted on the way.
        self.shared.root.check().map_err(Stop::Failed)?;
        self.shared.set_skipped(std::mem::take(&mut self.skipped));
        self.shared.cache.prune(&self.listed);
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry) -> Result<(), Stop> {
        let relative = self.relative(entry.path()).to_owned();
        let Some(kind) = entry.file_type() else { return Ok(()) };
        if kind.is_dir() {
            return self.ignore_file(entry.path(), entry.error());
        }
        let path = relative.to_str().map(DocumentPath::from_text);
        let reason = match path {
            _ if kind.is_symlink() => SkipReason::SymbolicLink,
            _ if !kind.is_file() => SkipReason::Special,
            None => SkipReason::NotUtf8,
            Some(None) => SkipReason::Reserved,
            Some(Some(path)) => {
                self.file(entry, path);
                return Ok(());
            }
        };
        self.skipped.push(Skipped { path: relative, reason });
        Ok(())
    }

    fn file(&mut self, entry: &DirEntry, path: DocumentPath) {
        match entry.metadata() {
            Ok(metadata) => {
                self.listed.insert(path.as_str());
                self.candidates.push(Candidate { path, stamp: Stamp::of(&metadata) });
            }
            Err(error) if is_gone(&error) => {}
            Err(error) => self.unseen.push(Ok(Listed {
                id: DocumentId::from(path.as_str()),
                revision: Err(error.into()),
            })),
        }
    }

    /// A folder below that cannot be read does not stop the others: asked for one by one, its
    /// documents answer with an error, so they are not taken for deleted.
    fn unreadable(&mut self, error: ignore::Error) -> Result<(), Stop> {
        if is_gone(&error) && error.depth() != Some(0) {
            return Ok(());
        }
        match path_of(&error).map(|path| self.relative(path)) {
            Some(path) if path != Path::new("") => {
                let path = path.to_owned();
                self.skipped
                    .push(Skipped { path, reason: SkipReason::Unreadable(error.to_string()) });
                Ok(())
            }
            _ => {
                let path = self.shared.root.path().to_owned();
                Err(Stop::Failed(FolderError::Walk { path, source: error }))
            }
        }
    }

    /// What is wrong with the ignore file of a folder that is being entered.
    fn ignore_file(&mut self, folder: &Path, error: Option<&ignore::Error>) -> Result<(), Stop> {
        let path = folder.join(IGNORE_FILE);
        // The walker takes one that it cannot read for none. If it cannot even be seen, nothing in
        // its folder can be read.
        if let Err(source) = std::fs::File::open(&path)
            && path.symlink_metadata().is_ok()
        {
            return Err(Stop::Failed(FolderError::IgnoreFile { path, source }));
        }
        if let Some(error) = error {
            let path = self.relative(&path).to_owned();
            self.skipped.push(Skipped { path, reason: SkipReason::Pattern(error.to_string()) });
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Stop> {
        let candidates = std::mem::take(&mut self.candidates);
        let mut page = std::mem::take(&mut self.unseen);
        let files: Vec<_> = candidates.iter().map(|c| (c.path.as_str(), c.stamp)).collect();
        let known = self.shared.cache.find(&files);
        for ((path, stamp), hash) in files.into_iter().zip(known) {
            if hash.is_none() {
                self.shared.memory.listed(path, stamp);
            }
            let revision = Ok(hash.as_ref().map(revision));
            page.push(Ok(Listed { id: DocumentId::from(path), revision }));
        }
        self.pages.blocking_send(page).map_err(|_| Stop::Unwanted)
    }

    fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(self.shared.root.path()).unwrap_or(path)
    }
}

fn is_gone(error: &ignore::Error) -> bool {
    error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound)
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithLineNumber { err, .. } | ignore::Error::WithDepth { err, .. } => {
            path_of(err)
        }
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        _ => None,
    }
}
