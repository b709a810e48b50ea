//! Writes: one object, or many with one sync of each folder.

use std::collections::HashMap;
use std::sync::Arc;

use db_to_cloud::{Copied, Created, Key};

use crate::error::Failure;
use crate::open::find_exclusive;
use crate::sys::Folder;
use crate::temp::{Exclusive, TempFile};
use crate::tree::{Scratch, Tree, is_file, look, read, sync_folder};

/// When a copy may be a second name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linking {
    Never,
    /// Unless others may do more with the file than with a new one.
    Tight,
    /// The file system does not keep who may read a file.
    Always,
}

pub(crate) fn put(tree: &Tree, key: &Key, bytes: &[u8]) -> Result<(), Failure> {
    let file = TempFile::write(&Arc::new(tree.scratch()?), bytes)?;
    let (folder, name) = tree.make_place(key)?;
    file.replace(&folder, name)?;
    sync_folder(&folder)
}

pub(crate) fn create(
    tree: &Tree,
    key: &Key,
    bytes: &[u8],
    exclusive: Exclusive,
) -> Result<Created, Failure> {
    let scratch = Arc::new(tree.scratch()?);
    let (folder, name) = tree.make_place(key)?;
    let exclusive = match exclusive {
        Exclusive::Unknown => find_exclusive(&scratch)?,
        known => known,
    };
    // Looking first spares the loser a write; what decides is `place_new`.
    let created = if is_file(&folder, name)? {
        Created::Occupied
    } else {
        TempFile::write(&scratch, bytes)?.place_new(&folder, name, exclusive)?
    };
    // For "occupied", too: the winner may not have come this far, and what we told of must stay.
    sync_folder(&folder)?;
    Ok(created)
}

pub(crate) fn delete(tree: &Tree, key: &Key) -> Result<(), Failure> {
    match tree.remove(key)? {
        Some(folder) => sync_folder(&folder),
        None => Ok(()),
    }
}

/// Gives each file its name.
pub(crate) fn replace_all(
    tree: &Tree,
    keys: &[Key],
    files: Vec<Result<TempFile, Failure>>,
) -> Vec<Result<(), Failure>> {
    // The folder that the item before went into: most batches go into one.
    let mut open = None;
    let mut written = Vec::with_capacity(keys.len());
    for (key, file) in keys.iter().zip(files) {
        written.push(file.and_then(|file| replace(tree, key, file, &mut open)));
    }
    sync_all(tree, keys, written)
}

fn replace<'k>(
    tree: &Tree,
    key: &'k Key,
    file: TempFile,
    open: &mut Option<(Option<&'k str>, Folder)>,
) -> Result<bool, Failure> {
    let (place, name) = key.split().map_or((None, key.as_str()), |(p, name)| (Some(p), name));
    let folder = match open.take().filter(|(opened, _)| *opened == place) {
        Some((_, folder)) => folder,
        None => tree.make_place(key)?.0,
    };
    let replaced = file.replace(&folder, name);
    *open = Some((place, folder));
    replaced.map(|()| true)
}

/// A durable copy of an object, without its name yet; `None` if there is no such object. A second name
/// of an object that others may read as of an earlier release would be one as well.
pub(crate) fn copy(
    tree: &Tree,
    scratch: &Arc<Scratch>,
    key: &Key,
    linking: Linking,
) -> Result<Option<TempFile>, Failure> {
    let Some((folder, name)) = tree.place(key)? else { return Ok(None) };
    let Some(file) = tree.open_file(&folder, name)? else { return Ok(None) };
    let links = match linking {
        Linking::Never => false,
        Linking::Always => true,
        Linking::Tight => !scratch.modes.is_loose(&look(&file)?),
    };
    if links
        && is_file(&folder, name)?
        && let Some(link) = TempFile::link(scratch, &folder, name, &file)?
    {
        return Ok(Some(link));
    }
    TempFile::write(scratch, &read(file)?).map(Some)
}

/// Gives each copy its name.
pub(crate) fn name_copies(
    tree: &Tree,
    keys: &[Key],
    copies: Vec<Result<Option<TempFile>, Failure>>,
) -> Vec<Result<Copied, Failure>> {
    let replace = |(key, copy): (&Key, Result<Option<TempFile>, Failure>)| {
        let Some(file) = copy? else { return Ok(false) };
        let (folder, name) = tree.make_place(key)?;
        file.replace(&folder, name)?;
        Ok(true)
    };
    let named: Vec<_> = keys.iter().zip(copies).map(replace).collect();
    let synced = sync_all(tree, keys, named.clone());
    let copied = |(named, synced): (Result<bool, Failure>, Result<(), Failure>)| {
        synced?;
        Ok(if named? { Copied::Done } else { Copied::Missing })
    };
    named.into_iter().zip(synced).map(copied).collect()
}

/// Takes each name away.
pub(crate) fn delete_all(tree: &Tree, keys: &[Key]) -> Vec<Result<(), Failure>> {
    let remove = |key| tree.remove(key).map(|folder| folder.is_some());
    sync_all(tree, keys, keys.iter().map(remove).collect())
}

/// Syncs each folder that was written to, once; if that fails, then so have all writes in it.
fn sync_all(
    tree: &Tree,
    keys: &[Key],
    written: Vec<Result<bool, Failure>>,
) -> Vec<Result<(), Failure>> {
    let mut synced = HashMap::new();
    let mut sync = |key: &Key| {
        let folder = key.split().map(|(folder, _)| folder.to_owned());
        // Opened again: a handle kept for each item of a large batch would be too many.
        *synced.entry(folder).or_insert_with(|| {
            let (folder, _) = tree.make_place(key).map_err(Failure::with_unknown_effect)?;
            sync_folder(&folder)
        })
    };
    let sync_written = |(key, written): (&Key, Result<bool, Failure>)| match written? {
        true => sync(key),
        false => Ok(()),
    };
    keys.iter().zip(written).map(sync_written).collect()
}
