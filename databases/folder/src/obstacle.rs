//! What stands where a new document must go, and which deletes make room for it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::ops::Bound;

use crate::error::FolderError;
use crate::folders::{Folders, Found};
use crate::path::DocumentPath;
use crate::patterns::is_ignored;
use crate::root::{Root, prefixes};
use crate::shared::Shared;
use crate::stamp::Look;
use crate::sys::Dir;

/// What is where a new document must go.
#[derive(Debug)]
pub(crate) enum Place {
    Free,
    /// The document itself.
    Document,
    Taken(Vec<Obstacle>),
}

/// One thing in the way. `at` is its path as it is spelled in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Obstacle {
    /// A file where a folder must be.
    File { at: String },
    /// A file whose name the file system takes for that of the document.
    Alias { at: String },
    /// A folder where the file must be.
    Folder { at: String },
    /// A folder on the way, whose name the file system takes for `wanted`.
    Spelling { at: String, wanted: String },
}

/// Why there is no room.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(crate) error: FolderError,
    /// The document in the way is none of the batch: a later one may delete it.
    pub(crate) waits: bool,
}

/// The deletes of a batch that will be made, and all documents that it names.
#[derive(Debug, Default)]
pub(crate) struct Deletes<'a> {
    pub(crate) ready: BTreeMap<&'a str, usize>,
    pub(crate) named: HashSet<&'a str>,
}

impl Deletes<'_> {
    /// Those of this path and below it.
    pub(crate) fn below(&self, at: &str) -> impl Iterator<Item = usize> {
        let is_below = move |path: &str| {
            path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let from = (Bound::Included(at), Bound::Unbounded);
        let from = self.ready.range::<str, _>(from);
        let from = from.take_while(move |(path, _)| path.starts_with(at));
        from.filter(move |(path, _)| is_below(path)).map(|(_, i)| *i)
    }
}

impl Obstacle {
    pub(crate) fn at(&self) -> &str {
        match self {
            Self::File { at }
            | Self::Alias { at }
            | Self::Folder { at }
            | Self::Spelling { at, .. } => at,
        }
    }
}

/// What is where this document must go.
pub(crate) fn place(folders: &Folders<'_>, path: &DocumentPath) -> Result<Place, FolderError> {
    match folders.find("write", path.parent())? {
        Found::Nothing => return Ok(Place::Free),
        Found::Folder(folder) => {
            let found = folder.look(path.name()).map_err(failed(folders.root, path.as_str()))?;
            if found.is_none() {
                return Ok(Place::Free);
            }
        }
        Found::Other => {}
    }
    let mut obstacles = Vec::new();
    let document = walk(folders.root, path, &mut obstacles)?;
    Ok(match (document, obstacles.is_empty()) {
        (true, true) => Place::Document,
        (false, true) => Place::Free,
        _ => Place::Taken(obstacles),
    })
}

/// Collects what is in the way; whether the document itself is there.
fn walk(
    root: &Root,
    path: &DocumentPath,
    obstacles: &mut Vec<Obstacle>,
) -> Result<bool, FolderError> {
    let mut folder = root.reopen("write")?;
    let mut at = String::new();
    for (prefix, name) in prefixes(path.as_str()) {
        let full = || root.full(path.as_str());
        let Some(found) = folder.look(name).map_err(failed(root, prefix))? else {
            return Ok(false);
        };
        let exact = root.is_exact(&folder, name).map_err(failed(root, prefix))?;
        let spelled = if exact { None } else { spelling(&folder, name) };
        at = format!(
            "{at}{}{}",
            if at.is_empty() { "" } else { "/" },
            spelled.as_deref().unwrap_or(name)
        );
        let is_last = prefix.len() == path.as_str().len();
        match found {
            Look::Link => {
                return Err(FolderError::Link { operation: "write", path: root.full(&at) });
            }
            Look::Special => {
                return Err(FolderError::Special { operation: "write", path: root.full(&at) });
            }
            Look::Folder if is_last => obstacles.push(Obstacle::Folder { at: at.clone() }),
            Look::File { .. } if is_last && exact && obstacles.is_empty() => return Ok(true),
            Look::File { .. } if is_last => obstacles.push(Obstacle::Alias { at: at.clone() }),
            Look::File { .. } => {
                obstacles.push(Obstacle::File { at });
                return Ok(false);
            }
            Look::Folder => {
                folder = folder.open_folder(name).map_err(failed(root, prefix))?;
                if root.is_state(&folder).map_err(failed(root, prefix))? {
                    return Err(FolderError::SameName { path: full() });
                }
                if !exact {
                    obstacles
                        .push(Obstacle::Spelling { at: at.clone(), wanted: prefix.to_owned() });
                }
            }
        }
    }
    Ok(false)
}

/// How the entry is spelled that is found under this name.
fn spelling(folder: &Dir, name: &str) -> Option<String> {
    let inode = folder.facts(name).ok()?.inode;
    let folded = name.to_lowercase();
    let (mut by_inode, mut by_case) = (None, None);
    for entry in folder.entries().ok()?.flatten() {
        let Some(found) = entry.name().to_str() else { continue };
        if found.to_lowercase() == folded {
            by_case = Some(found.to_owned());
        } else if entry.inode() == inode {
            by_inode = Some(found.to_owned());
        }
    }
    by_case.or(by_inode)
}

/// What is missing for this obstacle to give way to `path`, if anything is.
pub(crate) fn lack(
    shared: &Shared,
    path: &DocumentPath,
    obstacle: &Obstacle,
    deletes: &Deletes<'_>,
) -> Result<Option<Lack>, FolderError> {
    let root = &shared.root;
    let at = obstacle.at();
    let write = || root.full(path.as_str());
    let same_name = || FolderError::SameName { path: write() };
    let foreign = |found: &str| FolderError::Foreign { path: write(), found: root.full(found) };
    let in_the_way = |what| FolderError::InTheWay { path: write(), what };
    if let Obstacle::File { .. } | Obstacle::Alias { .. } = obstacle {
        if deletes.ready.contains_key(at) {
            return Ok(None);
        }
        let is_alias = matches!(obstacle, Obstacle::Alias { .. });
        let error = match is_document(shared, at) {
            _ if is_alias => same_name(),
            true => in_the_way("file"),
            false => foreign(at),
        };
        return Ok(Some(Lack { error, waits: !deletes.named.contains(at) }));
    }
    let respelled = matches!(obstacle, Obstacle::Spelling { .. });
    let stays = |entry: &str, is_file: bool| {
        !deletes.ready.contains_key(entry) && (!respelled || is_file && is_document(shared, entry))
    };
    let Some(folder) = open_at(root, at).map_err(failed(root, at))? else { return Ok(None) };
    let left = first(&folder, at, &stays).map_err(failed(root, at))?;
    Ok(left.map(|(entry, is_file)| {
        let is_document = is_file && is_document(shared, &entry);
        let error = match (respelled, is_document) {
            (true, _) => same_name(),
            (_, true) => in_the_way("folder"),
            (_, false) => foreign(&entry),
        };
        Lack { error, waits: is_document && !deletes.named.contains(entry.as_str()) }
    }))
}

/// The first entry below that stays, and whether it is a regular file. Folders themselves do not
/// count: an empty one is not synced.
fn first(
    folder: &Dir,
    path: &str,
    stays: &impl Fn(&str, bool) -> bool,
) -> io::Result<Option<(String, bool)>> {
    for entry in folder.entries()? {
        let entry = entry?;
        let path = format!("{path}/{}", entry.name().to_string_lossy());
        let Some(look) = folder.look(entry.name())? else { continue };
        let found = match look {
            Look::Folder => first(&folder.open_folder(entry.name())?, &path, stays)?,
            look => {
                let is_file = matches!(look, Look::File { .. }) && entry.name().to_str().is_some();
                stays(&path, is_file).then_some((path, is_file))
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Removes the folder and those below it, if there is no file in them.
pub(crate) fn remove_empty(folder: &Dir, name: &OsStr) -> io::Result<()> {
    if folder.remove_folder(name).is_ok() {
        return Ok(());
    }
    let inner = folder.open_folder(name)?;
    for entry in inner.entries()? {
        remove_empty(&inner, entry?.name())?;
    }
    // A folder that is open cannot be removed on Windows.
    drop(inner);
    folder.remove_folder(name)
}

/// Whether a regular file with this path is synced: it can be one's path, and nothing ignores it.
fn is_document(shared: &Shared, path: &str) -> bool {
    DocumentPath::from_text(path).is_some()
        && !is_ignored(&shared.root, &shared.records.get(), path)
}

fn open_at(root: &Root, at: &str) -> io::Result<Option<Dir>> {
    let mut folder = root.reopen("write").map_err(io::Error::other)?;
    for (_, name) in prefixes(at) {
        folder = match folder.open_folder(name) {
            Ok(next) => next,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(Some(folder))
}

fn failed<E: Into<io::Error>>(root: &Root, path: &str) -> impl FnOnce(E) -> FolderError {
    FolderError::io("write", root.full(path))
}
