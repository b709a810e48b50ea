//! Folders whose name gets another spelling, on a file system that takes both for one.

use std::collections::BTreeSet;
use std::io;

use crate::folders::Folders;
use crate::limbo::{Limbo, random};
use crate::path::{DocumentPath, parent};
use crate::shared::Shared;
use crate::stamp::Look;

/// A folder that is between two spellings of its name.
const FOLDER: &str = "folder-";

/// Gives the folder that is found under this path exactly this name. It goes by way of the limbo: to
/// rename it to what the system takes for its own name changes nothing on some systems. What fails
/// shows when a document is written into it.
pub(crate) fn respell(shared: &Shared, wanted: &str, touched: &mut BTreeSet<String>) {
    if let Err(error) = try_respell(shared, wanted, touched) {
        tracing::debug!(wanted, %error, "a folder keeps the spelling of its name");
    }
}

fn try_respell(shared: &Shared, wanted: &str, touched: &mut BTreeSet<String>) -> io::Result<()> {
    let folders = Folders::new(&shared.root);
    let above = parent(wanted);
    let found = folders.get("rename", above).map_err(io::Error::other)?;
    let (Some(above_it), Some(name)) = (found, wanted.rsplit('/').next()) else { return Ok(()) };
    let is_folder = matches!(above_it.look(name)?, Some(Look::Folder));
    if !is_folder || shared.root.is_exact(&above_it, name)? {
        return Ok(());
    }
    let between = between(wanted)?;
    let limbo = shared.limbos.of(&folders, wanted).map_err(io::Error::other)?;
    above_it.rename(name, limbo.folder(), &between)?;
    touched.insert(above.to_owned());
    limbo.folder().rename_new(&between, &above_it, name)
}

/// The path is in the name, for a sync that is stopped in between.
fn between(path: &str) -> io::Result<String> {
    let escaped = path.replace('%', "%25").replace('/', "%2F");
    let name = format!("{FOLDER}{}-{escaped}", random()?);
    if name.len() > crate::path::LONGEST_NAME {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    Ok(name)
}

/// Brings back the folders of a sync that was stopped.
pub(crate) fn bring_back(shared: &Shared, limbo: &Limbo, name: &str) {
    let Some((_, escaped)) = name.strip_prefix(FOLDER).and_then(|rest| rest.split_once('-')) else {
        return;
    };
    let path = escaped.replace("%2F", "/").replace("%25", "%");
    let Some(path) = DocumentPath::from_text(&path) else { return };
    let folders = Folders::new(&shared.root);
    let Ok(folder) = folders.make(&path, &mut Vec::new()) else { return };
    let back = limbo.folder().rename_new(name, &folder, path.name());
    let merged = match back {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            merge(limbo, name, &folders, &path)
        }
        back => back,
    };
    if let Err(error) = merged.and_then(|()| folder.sync()) {
        tracing::warn!(name, %error, "a folder could not be brought back");
    }
}

/// Moves what is in the folder into the one that has its name by now.
fn merge(limbo: &Limbo, name: &str, folders: &Folders<'_>, path: &DocumentPath) -> io::Result<()> {
    let from = limbo.folder().open_folder(name)?;
    let to = folders.get("bring back", path.as_str()).map_err(io::Error::other)?;
    let Some(to) = to else { return Err(io::ErrorKind::NotADirectory.into()) };
    for entry in from.entries()? {
        let entry = entry?;
        let Some(entry) = entry.name().to_str() else { continue };
        from.rename_new(entry, &to, entry)?;
    }
    limbo.folder().remove_folder(name)
}
