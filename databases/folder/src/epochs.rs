//! A number for what stands in a document's way.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use db_to_cloud::DocumentId;
use rustix::fs::{AtFlags, Dir, FileType, Stat};
use sha2::{Digest, Sha256};

use crate::path::DocumentPath;
use crate::root::{Root, open_folder, prefixes};

/// Folders that are looked into below a folder in the way.
const MOST: usize = 1000;

/// The number of a place where nothing stands.
const FREE: u64 = 0;

/// A number that changes when another thing stands where this document must go, or nothing does:
/// kind, device, inode and time of the first thing on its path that is no folder, or whose name is
/// spelled otherwise. For a folder in the way the times of those below count too, since they change
/// when a file in it is moved away.
pub(crate) fn epoch(root: &Root, id: &DocumentId) -> u64 {
    let Ok(path) = DocumentPath::parse(id) else { return FREE };
    let Ok(mut folder) = root.reopen("look") else { return FREE };
    for (prefix, name) in prefixes(path.as_str()) {
        let Ok(stat) = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            return FREE;
        };
        let is_folder = FileType::from_raw_mode(stat.st_mode).is_dir();
        let is_way = is_folder && prefix.len() < path.as_str().len();
        let next = if is_folder { open_folder(&folder, name).ok() } else { None };
        match next {
            Some(next) if is_way && root.is_exact(&folder, name).unwrap_or(false) => folder = next,
            next => return number(&stat, prefix, next.as_ref()),
        }
    }
    FREE
}

fn number(stat: &Stat, prefix: &str, folder: Option<&OwnedFd>) -> u64 {
    let mut left = MOST;
    let below = folder.map_or(0, |folder| below(folder, &mut left));
    // Zero stands for a free place.
    hash(stat, prefix).wrapping_add(below).max(1)
}

/// The sum does not depend on the order in which a folder is read.
fn below(folder: &OwnedFd, left: &mut usize) -> u64 {
    let Ok(entries) = Dir::read_from(folder) else { return 0 };
    let mut sum: u64 = 0;
    for entry in entries.flatten() {
        let is_self = matches!(entry.file_name().to_bytes(), b"." | b"..");
        let may_be_folder = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        if is_self || !may_be_folder || *left == 0 {
            continue;
        }
        let Ok(inner) = open_folder(folder, entry.file_name()) else { continue };
        let Ok(stat) = rustix::fs::fstat(&inner) else { continue };
        *left -= 1;
        let name = CStr::to_string_lossy(entry.file_name());
        sum = sum.wrapping_add(hash(&stat, &name)).wrapping_add(below(&inner, left));
    }
    sum
}

#[allow(clippy::unnecessary_cast, reason = "the types of the fields differ between systems")]
fn hash(stat: &Stat, name: &str) -> u64 {
    let mut hasher = Sha256::new();
    let kind = (stat.st_mode as u64) & 0o170_000;
    let time = [stat.st_mtime as i64, stat.st_mtime_nsec as i64].map(i64::cast_unsigned);
    for number in [kind, stat.st_dev as u64, stat.st_ino as u64].into_iter().chain(time) {
        hasher.update(number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(bytes)
}
