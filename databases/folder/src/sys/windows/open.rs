//! Opening files and folders by their whole path, over no link.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use winapi_util::file::information;

use super::error::link;

pub(super) const ATTRIBUTE_DIRECTORY: u64 = 0x10;
/// A symbolic link, a junction, a mounted volume, or a file that only a filter of the system can read.
pub(super) const ATTRIBUTE_REPARSE_POINT: u64 = 0x400;

const FILE_LIST_DIRECTORY: u32 = 0x1;
const FILE_READ_ATTRIBUTES: u32 = 0x80;
const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
const SYNCHRONIZE: u32 = 0x10_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;

const SHARE_READ_WRITE: u32 = 0x3;
const SHARE_ALL: u32 = 0x7;

/// Without it no folder can be opened.
const BACKUP_SEMANTICS: u32 = 0x200_0000;
/// What is opened is the link, not what it points to.
const OPEN_REPARSE_POINT: u32 = 0x20_0000;

/// Opens a folder so that its name cannot be given to another one as long as it is open.
pub(super) fn pinned_folder(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .access_mode(FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | SYNCHRONIZE)
        .share_mode(SHARE_READ_WRITE)
        .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
        .open(path)?;
    let attributes = information(&file)?.file_attributes();
    if attributes & ATTRIBUTE_DIRECTORY == 0 || attributes & ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(file)
}

/// Opens a folder, which may be a link, to bring it to the disk.
pub(super) fn folder_to_sync(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(GENERIC_WRITE)
        .share_mode(SHARE_ALL)
        .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
        .open(path)
}

/// Opens a file or a folder for reading.
pub(super) fn file(path: &Path) -> io::Result<File> {
    no_link(
        OpenOptions::new()
            .read(true)
            .share_mode(SHARE_ALL)
            .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
            .open(path)?,
    )
}

/// Opens a file for writing.
pub(super) fn file_to_write(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let options = options.write(true).share_mode(SHARE_ALL).custom_flags(OPEN_REPARSE_POINT);
    no_link(options.open(path)?)
}

/// Opens anything, a link included, to look at it.
pub(super) fn to_look(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES)
        .share_mode(SHARE_ALL)
        .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
        .open(path)
}

/// Opens what a path leads to, over links, to look at it.
pub(super) fn to_look_through(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES)
        .share_mode(SHARE_ALL)
        .custom_flags(BACKUP_SEMANTICS)
        .open(path)
}

/// Opens anything to set its times.
pub(super) fn to_touch(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(FILE_WRITE_ATTRIBUTES)
        .share_mode(SHARE_ALL)
        .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
        .open(path)
}

fn no_link(file: File) -> io::Result<File> {
    match information(&file)?.file_attributes() & ATTRIBUTE_REPARSE_POINT {
        0 => Ok(file),
        _ => Err(link()),
    }
}
