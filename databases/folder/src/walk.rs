//! Listing the documents: one thread walks, page by page, as fast as they are taken. It reads none:
//! a file whose hash is not in the cache is listed without one.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::{BoxError, DocumentId, Listed};
use tokio::sync::mpsc::Sender;

use crate::content::revision;
use crate::error::FolderError;
use crate::mounts::Seen;
use crate::path::{DocumentPath, STATE_DIR, is_reserved};
use crate::patterns::{IGNORE_FILE, Patterns, is_ignore_file};
use crate::record::Record;
use crate::selection::Compiled;
use crate::shared::Shared;
use crate::skipped::{SkipReason, Skipped};
use crate::stamp::Look;
use crate::survey::Candidate;
use crate::sys::{Dir, Place};
use crate::{cache, storage, sweep};

/// So many files at a time.
const PAGE: usize = 256;

pub(crate) type Page = Vec<Result<Listed, BoxError>>;

/// Why a walk ended early.
enum Stop {
    Failed(FolderError),
    /// Nobody reads on.
    Unwanted,
}

/// A folder that was found and not entered yet.
struct Folder {
    /// Its path, relative to the root.
    path: String,
    patterns: Patterns,
    /// The file system of the folder above; `None` for the root.
    above: Option<Place>,
    /// The path of the mounted file system that it is on, if that is not the root's.
    mount: Option<Arc<str>>,
}

struct Walk<'a> {
    shared: &'a Shared,
    /// `None` if only what is ignored is of interest.
    pages: Option<&'a Sender<Page>>,
    record: Record,
    selection: Arc<Compiled>,
    candidates: Vec<Candidate>,
    /// Files that could not even be looked at.
    unseen: Page,
    skipped: Vec<Skipped>,
    listed: cache::Listed,
    seen: Seen,
    folders: Vec<Folder>,
}

/// Sends all documents, or an error as the last item. It blocks.
pub(crate) fn walk(shared: &Shared, pages: &Sender<Page>) {
    let walk = Walk::new(shared, Some(pages)).map_err(Stop::Failed);
    if let Err(Stop::Failed(error)) = walk.and_then(|mut walk| walk.run()) {
        // If nobody reads it, nobody misses it.
        let _ = pages.blocking_send(vec![Err(error.into())]);
    }
}

/// What the ignore files leave out. It blocks.
pub(crate) fn ignored(shared: &Shared) -> Result<Vec<Skipped>, FolderError> {
    let mut walk = Walk::new(shared, None)?;
    match walk.enter_all() {
        Err(Stop::Failed(error)) => return Err(error),
        Ok(()) | Err(Stop::Unwanted) => {}
    }
    let is_left_out =
        |s: &Skipped| matches!(s.reason, SkipReason::Ignored(_) | SkipReason::Excluded);
    walk.skipped.retain(is_left_out);
    Ok(walk.skipped)
}

impl<'a> Walk<'a> {
    fn new(shared: &'a Shared, pages: Option<&'a Sender<Page>>) -> Result<Self, FolderError> {
        Ok(Self {
            shared,
            pages,
            record: shared.records.get(),
            selection: shared.selections.given()?,
            candidates: Vec::new(),
            unseen: Vec::new(),
            skipped: Vec::new(),
            listed: cache::Listed::default(),
            seen: Seen::default(),
            folders: Vec::new(),
        })
    }

    fn run(&mut self) -> Result<(), Stop> {
        let shared = self.shared;
        shared.root.check().map_err(Stop::Failed)?;
        sweep::sweep(shared);
        shared.memory.save(&shared.cache);
        shared.memory.clear();
        self.enter_all()?;
        // The drive may have been unmounted on the way.
        shared.root.check().map_err(Stop::Failed)?;
        shared.mounts.saw(&shared.records, std::mem::take(&mut self.seen)).map_err(Stop::Failed)?;
        shared.set_skipped(std::mem::take(&mut self.skipped));
        shared.cache.prune(&self.listed);
        Ok(())
    }

    fn enter_all(&mut self) -> Result<(), Stop> {
        let (path, patterns) = (String::new(), Patterns::default());
        self.folders.push(Folder { path, patterns, above: None, mount: None });
        while let Some(folder) = self.folders.pop() {
            self.enter(folder)?;
        }
        self.send()
    }

    /// Lists one folder. What cannot be read in it does not stop the others: asked for one by one, its
    /// documents answer with an error, so they are not taken for deleted.
    fn enter(&mut self, folder: Folder) -> Result<(), Stop> {
        let opened = self.shared.root.open_listed(&folder.path);
        let opened = opened.and_then(|dir| Ok((dir.place()?, dir.names()?, dir)));
        let (place, names, dir) = match opened {
            Ok(opened) => opened,
            Err(source) => return self.unreadable(&folder.path, source),
        };
        let is_mount = folder.above.is_some_and(|above| above != place);
        let mount = if is_mount { Some(folder.path.as_str().into()) } else { folder.mount };
        if let Some(mount) = mount.as_ref().filter(|_| is_mount) {
            self.seen.mount(mount);
        }
        let patterns = self.patterns(&folder.path, &folder.patterns, &names)?;
        let is_storage = names.iter().any(|name| name == "changes")
            && storage::is_storage(&self.shared.root.full(&folder.path));
        if is_storage {
            self.skip(folder.path.as_str(), SkipReason::Storage);
        }
        let here = Folder { patterns, above: Some(place), mount, path: folder.path };
        for name in names {
            let is_of_storage = is_storage && name.to_str().is_some_and(storage::may_be_of_storage);
            if name != STATE_DIR && !is_of_storage {
                self.entry(&here, &dir, &name);
            }
            if self.candidates.len() + self.unseen.len() >= PAGE {
                self.send()?;
            }
        }
        Ok(())
    }

    /// The patterns of a folder with these entries.
    fn patterns(
        &mut self,
        folder: &str,
        above: &Patterns,
        names: &[OsString],
    ) -> Result<Patterns, Stop> {
        let root = &self.shared.root;
        let is_there = |name: &OsString| name.to_str().is_some_and(|n| is_ignore_file(root, n));
        let path = join(folder, IGNORE_FILE);
        if !names.iter().any(is_there) && !self.record.arrived.contains_key(&path) {
            return Ok(above.clone());
        }
        let entered = above.enter(root, &self.record, folder);
        let (patterns, waits) = entered.map_err(Stop::Failed)?;
        if waits {
            self.skip(path, SkipReason::NotAccepted);
        }
        Ok(patterns)
    }

    fn entry(&mut self, folder: &Folder, dir: &Dir, name: &OsStr) {
        let relative = Path::new(&folder.path).join(name);
        let path = name.to_str().map(|name| join(&folder.path, name));
        let look = match (dir.look(name), &path) {
            (Ok(Some(look)), _) => look,
            // It went away meanwhile.
            (Ok(None), _) => return,
            (Err(error), Some(path)) => {
                let id = DocumentId::from(path.as_str());
                self.unseen.push(Ok(Listed { id, revision: Err(error.into()) }));
                return;
            }
            (Err(error), None) => {
                self.skip(relative, SkipReason::Unreadable(error.to_string()));
                return;
            }
        };
        let is_folder = matches!(look, Look::Folder);
        let is_excluded = path.as_ref().is_some_and(|path| self.is_excluded(path, is_folder));
        if is_excluded || self.is_ignored(folder, &relative, is_folder) {
            // The mount is not empty.
            if let Some(mount) = folder.mount.as_ref().filter(|_| is_excluded) {
                self.seen.document(mount);
            }
            return;
        }
        let document = path.as_deref().map(DocumentPath::from_text);
        match (look, path, document) {
            (Look::Link, ..) => self.skip(relative, SkipReason::SymbolicLink),
            (Look::Special, ..) => self.skip(relative, SkipReason::Special),
            (Look::Folder, None, _) => self.nameless(&relative),
            (_, None, _) => self.skip(relative, SkipReason::NotUtf8),
            (Look::Folder, Some(path), _) if !name.to_str().is_some_and(is_reserved) => {
                self.folders.push(Folder {
                    path,
                    patterns: folder.patterns.clone(),
                    above: folder.above,
                    mount: folder.mount.clone(),
                });
            }
            (Look::File { stamp, .. }, _, Some(Some(path))) => {
                self.listed.insert(path.as_str());
                if let Some(mount) = &folder.mount {
                    self.seen.document(mount);
                }
                self.candidates.push(Candidate { path, stamp });
            }
            _ => self.skip(relative, SkipReason::Reserved),
        }
    }

    /// Whether this device does not sync it, and nothing below it.
    fn is_excluded(&mut self, path: &str, is_folder: bool) -> bool {
        let is_selected = match is_folder {
            true => self.selection.may_hold(path),
            false => self.selection.has(path),
        };
        if !is_selected && self.pages.is_none() {
            self.skip(path, SkipReason::Excluded);
        }
        !is_selected
    }

    /// Whether the patterns that count here ignore it. What only they ignore, and those that came from the
    /// storage would not, is reported.
    fn is_ignored(&mut self, folder: &Folder, path: &Path, is_folder: bool) -> bool {
        let root = &self.shared.root;
        let Some(rule) = folder.patterns.accepted.rule(root, path, is_folder) else {
            return false;
        };
        let offered = folder.patterns.offered.as_ref();
        if offered.is_some_and(|chain| chain.rule(root, path, is_folder).is_none()) {
            self.skip(path, SkipReason::KeptIn(rule.to_string()));
        }
        if self.pages.is_none() {
            self.skip(path, SkipReason::Ignored(rule.to_string()));
        }
        true
    }

    /// Reports each file in a folder whose name is not UTF-8.
    fn nameless(&mut self, folder: &Path) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(self.shared.root.path().join(&folder));
            let entries = entries.and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
            let entries = match entries {
                Ok(entries) => entries,
                Err(error) => {
                    self.skip(folder, SkipReason::Unreadable(error.to_string()));
                    continue;
                }
            };
            for entry in entries {
                let path = folder.join(entry.file_name());
                // Links are not followed. What went away meanwhile is none.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(kind) if kind.is_file() => self.skip(path, SkipReason::NotUtf8),
                    _ => {}
                }
            }
        }
    }

    fn unreadable(&mut self, folder: &str, source: io::Error) -> Result<(), Stop> {
        if folder.is_empty() {
            let path = self.shared.root.path().to_owned();
            return Err(Stop::Failed(FolderError::io("list", path)(source)));
        }
        // It was there a moment ago. If it was removed the next listing finds that; if its drive gives way, then
        // no document is taken for deleted.
        self.seen.unreadable(folder);
        if source.kind() != io::ErrorKind::NotFound {
            self.skip(folder, SkipReason::Unreadable(source.to_string()));
        }
        Ok(())
    }

    fn skip(&mut self, path: impl AsRef<Path>, reason: SkipReason) {
        let path = path.as_ref();
        let is_root = path.as_os_str().is_empty();
        let path = if is_root { PathBuf::from(".") } else { path.to_owned() };
        self.skipped.push(Skipped { path, reason });
    }

    fn send(&mut self) -> Result<(), Stop> {
        let candidates = std::mem::take(&mut self.candidates);
        let mut page = std::mem::take(&mut self.unseen);
        let Some(pages) = self.pages else { return Ok(()) };
        let files: Vec<_> = candidates.iter().map(|c| (c.path.as_str(), c.stamp)).collect();
        let known = self.shared.cache.find(&files);
        for ((path, stamp), hash) in files.into_iter().zip(known) {
            if hash.is_none() {
                self.shared.memory.listed(path, stamp);
            }
            let revision = Ok(hash.as_ref().map(revision));
            page.push(Ok(Listed { id: DocumentId::from(path), revision }));
        }
        pages.blocking_send(page).map_err(|_| Stop::Unwanted)
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
