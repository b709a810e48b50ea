//! The folder `.db-to-cloud`: private, and only one's own (rule F5).
//!
//! The folder to sync may come from elsewhere, such as an archive or a shared drive, and bring a
//! `.db-to-cloud` that leads the sync to write into files of the user.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::FolderError;
use crate::limbo::random;
use crate::path::STATE_DIR;
use crate::stamp::Look;
use crate::sys::{Dir, Facts};

/// Keeps the folder out of a repository of git that the synced folder may be.
const FOR_GIT: (&str, &[u8]) = (".gitignore", b"*\n");

/// Opens the folder, makes it if need be, and refuses one that is not safe.
pub(crate) fn open(root: &Dir, path: &Path) -> Result<Dir, FolderError> {
    let path = path.join(STATE_DIR);
    let refused = |why| FolderError::StateFolder { path: path.clone(), why };
    match root.make_folder(STATE_DIR, 0o700) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(FolderError::io("make folder", path)(error)),
    }
    let failed = || FolderError::io("open folder", path.clone());
    match root.look(STATE_DIR).map_err(failed())? {
        Some(Look::Link) => return Err(refused("it is a symbolic link, which is not followed")),
        Some(Look::Folder) | None => {}
        Some(_) => return Err(refused("it is no folder")),
    }
    let state = root.open_folder(STATE_DIR).map_err(failed())?;
    for name in state.names().map_err(failed())? {
        let (name, path) = (name.as_os_str(), path.join(&name));
        if matches!(state.look(name).map_err(failed())?, Some(Look::Link | Look::Special)) {
            let why = "it is a link or no file, which the sync never puts here";
            return Err(FolderError::StateFolder { path, why });
        }
    }
    let own = probe(&state).map_err(failed())?;
    let facts = state.own_facts().map_err(failed())?;
    if facts.owner != own.owner {
        return Err(refused("it belongs to another user"));
    }
    // Elsewhere the file system has no permission bits.
    let has_modes = own.mode & 0o077 == 0;
    if has_modes && facts.mode & 0o022 != 0 {
        return Err(refused("other users may write into it"));
    }
    if has_modes && facts.mode & 0o077 != 0 {
        state.set_mode(0o700).map_err(failed())?;
    }
    keep_from_git(&state).map_err(failed())?;
    Ok(state)
}

/// What the system says of a private file that this process makes here.
fn probe(state: &Dir) -> io::Result<Facts> {
    let name = format!("probe-{}", random()?);
    state.create_new(&name, 0o600)?;
    let facts = state.facts(&name);
    state.remove_file(&name)?;
    facts
}

fn keep_from_git(state: &Dir) -> io::Result<()> {
    let (name, content) = FOR_GIT;
    match state.create_new(name, 0o600) {
        Ok(mut file) => file.write_all(content),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a file in the state folder as JSON, for its user alone. Readers see the old or the new content.
pub(crate) fn write_whole(folder: &Path, path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // Windows opens no folder so, and needs no sync of it.
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
