//! Reading documents: whole, or as a hash, and never half of an edit.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use db_to_cloud::Revision;
use sha2::{Digest, Sha256};

use crate::error::FolderError;
use crate::path::DocumentPath;
use crate::root::{Parent, Root};
use crate::stamp::{Look, Stamp};
use crate::sys;

/// The SHA-256 of a content.
pub(crate) type Hash = [u8; 32];

/// The pauses before each attempt at reading a file that changes meanwhile.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(180),
];

/// The revision of a content with this hash: the same as [`Revision::of_content`].
pub(crate) fn revision(hash: &Hash) -> Revision {
    Revision::new(hex::encode(hash))
}

/// The hash of which this is the revision; `None` if it is another kind of revision.
pub(crate) fn hash_in(revision: &Revision) -> Option<Hash> {
    let mut hash = [0; 32];
    hex::decode_to_slice(revision.as_str(), &mut hash).ok()?;
    // Upper case would be another revision of the same hash.
    (self::revision(&hash) == *revision).then_some(hash)
}

/// The hash of these bytes.
pub(crate) fn hash_of(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// As much of a file is in memory at a time.
const PIECE: u64 = 128 * 1024;

/// The hash of the first `size` bytes of a file, of which only a piece is in memory at a time. The
/// caller finds out by another look whether the file has this size.
pub(crate) fn hash_of_file(file: &mut File, size: u64) -> io::Result<Hash> {
    let mut hasher = Sha256::new();
    // Most files are small: to clear a whole piece for each would take longer than to read it.
    let mut buffer = vec![0; size.min(PIECE) as usize];
    let mut left = size;
    while left > 0 {
        let most = left.min(PIECE) as usize;
        let read = read_some(file, &mut buffer[..most])?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        left -= read as u64;
    }
    Ok(hasher.finalize().into())
}

/// The first `size` bytes of a file, or fewer if it has fewer.
fn bytes_of_file(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    let mut bytes = vec![0; usize::try_from(size).map_err(too_large)?];
    let mut read = 0;
    while read < bytes.len() {
        match read_some(file, &mut bytes[read..])? {
            0 => break,
            n => read += n,
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The whole content of a document, and what was found of the file that has it; `None` if there is no
/// such file. `seen` is the stamp that it had at an earlier look, which saves one.
pub(crate) fn read(
    root: &Root,
    path: &DocumentPath,
    seen: Option<Stamp>,
) -> Result<Option<(Found, Vec<u8>)>, FolderError> {
    at_rest(root, path, seen, bytes_of_file)
}

/// The content of a file that has this stamp, as far as a look from outside can say after it: the
/// caller takes one. `None` if it is not so.
pub(crate) fn read_ahead(root: &Root, path: &str, seen: &Stamp) -> Option<Vec<u8>> {
    let mut file = root.open_file_whole(path)?.ok()?;
    let bytes = bytes_of_file(&mut file, seen.size).ok()?;
    (bytes.len() as u64 == seen.size).then_some(bytes)
}

/// The hash of a document, and the stamp of the file that has it.
pub(crate) fn hash(root: &Root, path: &DocumentPath) -> Result<Option<(Stamp, Hash)>, FolderError> {
    let found = at_rest(root, path, None, hash_of_file)?;
    Ok(found.map(|(found, hash)| (found.stamp, hash)))
}

/// A file that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) stamp: Stamp,
    /// The permission bits.
    pub(crate) mode: u32,
}

/// Reads until the file was the same before and after.
///
/// A program that writes in place may still be half-way when it pauses, or write twice in one tick
/// of the file system's clock: then that moment's content is synced, and the rest with the next
/// sync. Nothing is lost by it: before a write the content is compared, not the time.
fn at_rest<T>(
    root: &Root,
    path: &DocumentPath,
    seen: Option<Stamp>,
    read: impl Fn(&mut File, u64) -> io::Result<T>,
) -> Result<Option<(Found, T)>, FolderError> {
    let failed = |e: io::Error| FolderError::io("read", root.full(path.as_str()))(e);
    if let Some(before) = seen {
        let Some(mut file) = open(root, path)? else { return Ok(None) };
        // Anything else than the file that was seen is looked at below.
        if let Ok(value) = read(&mut file, before.size)
            && let Ok(after) = sys::facts_of(&file)
            && let Look::File { stamp, mode } = after.look
            && stamp == before
        {
            return Ok(Some((Found { stamp, mode }, value)));
        }
    }
    for pause in PAUSES {
        std::thread::sleep(pause);
        let Some(mut file) = open(root, path)? else { return Ok(None) };
        let (before, mode) = match sys::facts_of(&file).map_err(failed)?.look {
            Look::File { stamp, mode } => (stamp, mode),
            Look::Folder => return Ok(None),
            Look::Link | Look::Special => {
                let path = root.full(path.as_str());
                return Err(FolderError::Special { operation: "read", path });
            }
        };
        let value = read(&mut file, before.size).map_err(failed)?;
        let facts = sys::facts_of(&file).map_err(failed)?;
        let Look::File { stamp: mut after, .. } = facts.look else { continue };
        if facts.links == 0 {
            // Another file took its name, which changes its ctime and not its content.
            after.ctime = before.ctime;
        }
        if after == before {
            return Ok(Some((Found { stamp: before, mode }, value)));
        }
    }
    Err(FolderError::KeepsChanging { path: root.full(path.as_str()) })
}

/// Opens what has the name of a document; `None` if nothing has.
fn open(root: &Root, path: &DocumentPath) -> Result<Option<File>, FolderError> {
    match root.open_file_whole(path.as_str()) {
        Some(Ok(file)) => return Ok(Some(file)),
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Step by step it turns out what is in the way.
        _ => {}
    }
    let operation = "read";
    let full = || root.full(path.as_str());
    let Parent::Found(folder) = root.parent(operation, path)? else { return Ok(None) };
    let file = match folder.open_file(path.name()) {
        Ok(file) => file,
        Err(error) if sys::is_missing(&error) => return Ok(None),
        Err(error) if sys::is_link(&error) => {
            return Err(FolderError::Link { operation, path: full() });
        }
        Err(error) if sys::is_special(&error) => {
            return Err(FolderError::Special { operation, path: full() });
        }
        Err(error) => return Err(FolderError::io(operation, full())(error)),
    };
    let exact = root.is_exact(&folder, path.name()).map_err(FolderError::io(operation, full()))?;
    Ok(exact.then_some(file))
}
