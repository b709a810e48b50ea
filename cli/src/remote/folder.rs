//! A folder as a storage: its one true path, and where it must not be.

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::sys::identity;

/// The absolute path of a folder without links. The folder itself need not exist, but the one that
/// it is in must: if that is missing, then a drive is not mounted.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Failure> {
    match path.canonicalize() {
        Ok(found) if found.is_dir() => return Ok(found),
        Ok(found) => return Err(Failure::NotAFolder(found)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::io(format!("look for the remote folder {path:?}"))(error));
        }
        Err(_) => {}
    }
    let absolute = std::path::absolute(path).map_err(Failure::io("find the current folder"))?;
    if absolute.is_symlink() {
        return Err(Failure::BrokenLink(absolute));
    }
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Failure::NoParent(absolute));
    };
    match parent.canonicalize() {
        Ok(parent) if parent.is_dir() => Ok(parent.join(name)),
        _ => Err(Failure::NoParent(absolute.clone())),
    }
}

/// Refuses a remote folder that is the database folder, in it, or around it: the sync would sync its
/// own storage.
pub(crate) fn check_apart(database: &Path, remote: &Path) -> Result<(), Failure> {
    let relation = match () {
        () if is_same(database, remote) => "is",
        () if lies_inside(remote, database) => "lies inside",
        () if lies_inside(database, remote) => "lies around",
        () if remote.join(crate::local::STATE_FOLDER).is_dir() => {
            return Err(Failure::Usage(format!(
                "the remote {remote:?} is a database: it has a folder {}; give the database first, \
                 then the remote",
                crate::local::STATE_FOLDER
            )));
        }
        () => return Ok(()),
    };
    Err(Failure::Usage(format!(
        "the remote {remote:?} {relation} the database {database:?}: choose a folder apart from it"
    )))
}

/// Whether one of the folders around this path is that one, also by way of another mount.
fn lies_inside(path: &Path, folder: &Path) -> bool {
    path.ancestors().skip(1).any(|around| is_same(around, folder))
}

/// Whether two paths are one folder. One that is not there is known by its path alone.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Whether the folder has the log of a storage, be it an empty one.
pub(crate) fn holds_storage(folder: &Path) -> bool {
    folder.join("changes").is_dir()
}

/// Whether the folder is a storage that was used: its files say so, not its names. One with state of
/// ours is a database, whatever else is in it.
pub(crate) fn looks_like_storage(folder: &Path) -> bool {
    db_to_cloud_folder::is_storage(folder) && !folder.join(crate::local::STATE_FOLDER).is_dir()
}

/// Refuses a folder with files of somebody's: a storage would be mixed with them. Hidden files are
/// those of file managers and drives.
pub(crate) fn check_free(folder: &Path) -> Result<(), Failure> {
    if holds_storage(folder) {
        return Ok(());
    }
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Failure::io(format!("list the remote folder {folder:?}")))?,
    };
    for entry in entries {
        let entry = entry.map_err(Failure::io(format!("list the remote folder {folder:?}")))?;
        let name = entry.file_name();
        let is_foreign = !name.as_encoded_bytes().starts_with(b".") && name != "lost+found";
        // Another device may have made the storage since the first look; it begins with the log.
        if is_foreign && !holds_storage(folder) {
            return Err(Failure::NotFree(folder.to_owned()));
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn all_ways_to_a_folder_have_one_end() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("cloud")).unwrap();
        std::os::unix::fs::symlink(root.join("cloud"), root.join("link")).unwrap();
        for way in ["cloud", "cloud/", "./cloud/.", "cloud/../cloud", "link", "link//"] {
            assert_eq!(resolve(&root.join(way)).unwrap(), root.join("cloud"), "{way}");
        }
        assert_eq!(resolve(&root.join("new/")).unwrap(), root.join("new"));
        assert!(!root.join("new").exists());
    }

    #[test]
    fn a_missing_drive_is_not_a_new_storage() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("file"), "").unwrap();
        std::os::unix::fs::symlink(root.join("drive/notes"), root.join("link")).unwrap();
        let resolve = |path| resolve(&root.join(path)).unwrap_err();
        assert!(matches!(resolve("drive/notes"), Failure::NoParent(_)));
        assert!(matches!(resolve("file"), Failure::NotAFolder(_)));
        assert!(matches!(resolve("link"), Failure::BrokenLink(_)));
    }

    #[test]
    fn a_new_storage_is_not_mixed_with_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(check_free(&root.join("missing")).is_ok());
        std::fs::create_dir(root.join("lost+found")).unwrap();
        std::fs::write(root.join(".DS_Store"), "").unwrap();
        assert!(check_free(root).is_ok());
        std::fs::write(root.join("photo.jpg"), "").unwrap();
        assert!(matches!(check_free(root), Err(Failure::NotFree(_))));
        std::fs::create_dir(root.join("changes")).unwrap();
        assert!(check_free(root).is_ok(), "it holds a storage");
    }

    #[test]
    fn a_folder_with_names_like_ours_is_no_storage() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("docs")).unwrap();
        std::fs::create_dir(root.join("changes")).unwrap();
        let first = root.join("changes/1.json");
        std::fs::write(&first, "what I changed").unwrap();
        assert!(!looks_like_storage(root));
        std::fs::write(&first, r#"{"format":1,"commit":"00"}"#).unwrap();
        assert!(looks_like_storage(root));
        std::fs::create_dir(root.join(crate::local::STATE_FOLDER)).unwrap();
        assert!(!looks_like_storage(root), "it is a database");
    }

    #[test]
    fn database_and_remote_must_lie_apart() {
        let folder = tempfile::tempdir().unwrap();
        let check = |database: &str, remote: &str| {
            check_apart(&folder.path().join(database), &folder.path().join(remote))
        };
        assert!(check("a", "ab").is_ok());
        for (database, remote) in [("a", "a"), ("a", "a/b"), ("a/b", "a")] {
            let error = check(database, remote).unwrap_err();
            assert!(matches!(error, Failure::Usage(_)), "{error}");
        }
        // The same folder by another way, as by a second mount.
        std::fs::create_dir_all(folder.path().join("real/inner")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), folder.path().join("way")).unwrap();
        for (database, remote) in
            [("real", "way"), ("real", "way/inner"), ("real", "way/new"), ("way/inner", "real")]
        {
            assert!(check(database, remote).is_err(), "{database} {remote}");
        }
        std::fs::create_dir_all(folder.path().join("c/.db-to-cloud")).unwrap();
        assert!(matches!(check("a", "c"), Err(Failure::Usage(_))));
    }
}
