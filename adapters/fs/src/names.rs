//! What lies in the storage or in one of its folders, whoever made it.

use std::io;

use db_to_cloud::Folder;

use crate::error::Failure;
use crate::seen::Kind;
use crate::tree::{SCRATCH, Tree};

pub(crate) fn read(
    tree: &Tree,
    folder: Option<Folder>,
    at_most: usize,
) -> Result<Vec<String>, Failure> {
    let handle = match folder {
        Some(folder) => tree.folder(folder.name())?,
        // In the folder that another drive left behind nothing is taken for absent.
        None => tree.check().and_then(|()| tree.same_root()).map(Some)?,
    };
    let Some(handle) = handle else { return Ok(Vec::new()) };
    let entries = handle.entries().map_err(Failure::io("list the folder"))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Failure::io("list the folder"))?;
        // What is no text shows that somebody else made it.
        let name = entry.name.to_string_lossy();
        if folder.is_none() && name == SCRATCH {
            continue;
        }
        if names.len() >= at_most {
            break;
        }
        let kind = match entry.kind {
            Some(kind) => kind,
            // This file system does not say: look.
            None => match handle.look(&entry.name) {
                Ok(seen) => seen.kind,
                // It was deleted meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Failure::io("look at the file")(error)),
            },
        };
        let slash = if kind == Kind::Folder { "/" } else { "" };
        names.push(format!("{name}{slash}"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tree: &Tree, folder: Option<Folder>, at_most: usize) -> Vec<String> {
        let mut names = read(tree, folder, at_most).unwrap();
        names.sort();
        names
    }

    #[test]
    fn what_others_left_is_named_and_the_own_folder_is_not() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        assert_eq!(names(&tree, None, 100), ["changes/", "docs/", "snapshot/"]);
        assert_eq!(names(&tree, Some(Folder::Changes), 100), [""; 0]);
        assert_eq!(names(&tree, Some(Folder::Probe), 100), [""; 0]);
        std::fs::create_dir(root.path().join("My Photos")).unwrap();
        std::fs::write(root.path().join(".DS_Store"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", root.path().join("link")).unwrap();
        #[cfg(windows)]
        std::fs::write(root.path().join("link"), "").unwrap();
        std::fs::write(root.path().join("docs/Letter to Ada.odt"), "").unwrap();
        let around = [".DS_Store", "My Photos/", "changes/", "docs/", "link", "snapshot/"];
        assert_eq!(names(&tree, None, 100), around);
        assert_eq!(names(&tree, Some(Folder::Documents), 100), ["Letter to Ada.odt"]);
        assert_eq!(names(&tree, None, 2).len(), 2);
        assert_eq!(names(&tree, None, 0), [""; 0]);
    }

    /// Other systems have no such names.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_text_is_seen() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"a\xff");
        std::fs::write(root.path().join("docs").join(name), "").unwrap();
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        assert_eq!(names(&tree, Some(Folder::Documents), 100), ["a\u{fffd}"]);
    }

    /// The folder of a drive that was pulled out, which is empty.
    #[test]
    fn another_folder_in_its_place_is_no_empty_storage() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        assert_eq!(read(&tree, None, 100), Err(Failure::RootReplaced));
        assert_eq!(read(&tree, Some(Folder::Changes), 100), Err(Failure::RootReplaced));
    }
}
