//! Storages of db-to-cloud that lie in a folder: their files are no documents.
//!
//! A part of the folder may be served (by WebDAV, a share, a mount) as the storage of this very folder,
//! which no path shows. Each sync would then upload the files that the last one has written.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The names of a storage's objects, and of the folders that they are in (rule S4).
const NAMES: [&str; 6] = ["changes", "docs", "snapshot", "probe", "meta.json", "lock.json"];
/// What the names of other things begin with that the WebDAV adapter makes beside them.
const BEGINNINGS: [&str; 2] = ["slots-", "tmp-"];
/// The first entry of a log, as a file, and as the slot of the WebDAV adapter.
const FIRST: [&str; 2] = ["changes/1.json", "changes/1.json/entry.json"];

/// Whether a folder is a storage of db-to-cloud: the content of its first log entry decides, not its
/// names. What cannot be read is none.
pub fn is_storage(folder: &Path) -> bool {
    let has_more = || folder.join("docs").is_dir() || folder.join("meta.json").is_file();
    folder.join("changes").is_dir()
        && has_more()
        && FIRST.iter().any(|path| is_first_entry(&folder.join(path)))
}

/// Whether an object of a storage may have this name. Only then the folder around it is looked at.
pub(crate) fn may_be_of_storage(name: &str) -> bool {
    NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// The format comes first, and the commit near it.
fn is_first_entry(path: &Path) -> bool {
    // No pipe is opened, which could block.
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start);
    read.is_ok() && start.starts_with(r#"{"format":"#) && start.contains(r#""commit":""#)
}
