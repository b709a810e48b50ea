//! Reading documents: whole, or as a hash, and never half of an edit.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use db_to_cloud::Revision;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::error::FolderError;
use crate::path::DocumentPath;
use crate::root::{Parent, Root};
use crate::stamp::Stamp;

/// The SHA-256 of a content.
pub(crate) type Hash = [u8; 32];

/// Not to hang on a pipe, not to follow a link.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

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

/// The hash of the rest of a file of about this size, of which only a piece is in memory at a time.
pub(crate) fn hash_rest(file: &mut File, size: u64) -> io::Result<Hash> {
    let mut hasher = Sha256::new();
    // Most files are small: to clear a whole piece for each would take longer than to read it.
    let mut buffer = vec![0; size.clamp(1, PIECE) as usize];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// The whole content of a document; `None` if there is no such file.
pub(crate) fn read(root: &Root, path: &DocumentPath) -> Result<Option<Vec<u8>>, FolderError> {
    let read = |file: &mut File, size| {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    Ok(at_rest(root, path, read)?.map(|(_, bytes)| bytes))
}

/// The hash of a document, and the stamp of the file that has it.
pub(crate) fn hash(root: &Root, path: &DocumentPath) -> Result<Option<(Stamp, Hash)>, FolderError> {
    at_rest(root, path, hash_rest)
}

/// Reads until the file was the same before and after.
///
/// A program that writes in place may still be half-way when it pauses, or write twice in one tick
/// of the file system's clock: then that moment's content is synced, and the rest with the next
/// sync. Nothing is lost by it: before a write the content is compared, not the time.
fn at_rest<T>(
    root: &Root,
    path: &DocumentPath,
    read: impl Fn(&mut File, u64) -> io::Result<T>,
) -> Result<Option<(Stamp, T)>, FolderError> {
    let failed = |e: io::Error| FolderError::io("read", root.full(path.as_str()))(e);
    for pause in PAUSES {
        std::thread::sleep(pause);
        let Some(mut file) = open(root, path)? else { return Ok(None) };
        let before = Stamp::of(&file.metadata().map_err(failed)?);
        let value = read(&mut file, before.size).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mut after = Stamp::of(&metadata);
        if metadata.nlink() == 0 {
            // Another file took its name, which changes its ctime and not its content.
            after.ctime = before.ctime;
        }
        if after == before {
            return Ok(Some((before, value)));
        }
    }
    Err(FolderError::Restless { path: root.full(path.as_str()) })
}

fn open(root: &Root, path: &DocumentPath) -> Result<Option<File>, FolderError> {
    let operation = "read";
    let full = || root.full(path.as_str());
    let Parent::Found(folder) = root.parent(operation, path)? else { return Ok(None) };
    let file = match rustix::fs::openat(&folder, path.name(), READ, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(None),
        Err(Errno::LOOP | Errno::MLINK) => {
            return Err(FolderError::Link { operation, path: full() });
        }
        Err(Errno::NXIO | Errno::NODEV) => {
            return Err(FolderError::Special { operation, path: full() });
        }
        Err(errno) => return Err(FolderError::io(operation, full())(errno)),
    };
    if !root.is_exact(&folder, path.name()).map_err(FolderError::io(operation, full()))? {
        return Ok(None);
    }
    let kind = file.metadata().map_err(FolderError::io(operation, full()))?.file_type();
    if kind.is_dir() {
        return Ok(None);
    }
    if !kind.is_file() {
        return Err(FolderError::Special { operation, path: full() });
    }
    Ok(Some(file))
}
