//! Files that only their owner may read. Elsewhere than on Unix a user's own folders are private by their
//! place.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// The permissions of a file, if others have some.
#[cfg(unix)]
pub(crate) fn is_shared(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok(Some(mode).filter(|mode| mode & 0o077 != 0))
}

/// What is made so is private.
#[cfg(unix)]
pub(crate) fn made(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

/// Makes a private folder, unless there is a folder.
#[cfg(unix)]
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes sure that the names in a folder are on the disk.
#[cfg(unix)]
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn is_shared(_file: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(not(unix))]
pub(crate) fn made(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(not(unix))]
pub(crate) fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}
