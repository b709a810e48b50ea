//! Programs that carry copies of a folder between devices, recognised by what they leave at its top.

use std::path::Path;

/// What a mark is: some names are used by these programs for other things, too.
#[derive(Clone, Copy)]
enum Kind {
    File,
    Folder,
}

/// Syncthing, Dropbox, Google Drive for desktop, and the clients of ownCloud and Nextcloud.
const MARKS: [(&str, Kind); 9] = [
    (".stfolder", Kind::Folder),
    (".stfolder", Kind::File),
    (".stversions", Kind::Folder),
    // In the home folder it is a folder, with the settings of the client.
    (".dropbox", Kind::File),
    (".dropbox.cache", Kind::Folder),
    (".tmp.drivedownload", Kind::Folder),
    (".tmp.driveupload", Kind::Folder),
    (".owncloudsync.log", Kind::File),
    (".nextcloudsync.log", Kind::File),
];

/// Whether such a program carries this folder, or one that it is in. What cannot be looked at has no
/// mark.
pub(crate) fn is_carried(folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.ancestors().any(|around| is_named_so(around) || has_mark(around))
}

fn has_mark(folder: &Path) -> bool {
    MARKS.iter().any(|(name, kind)| {
        folder.join(name).symlink_metadata().is_ok_and(|found| match kind {
            Kind::File => found.is_file(),
            Kind::Folder => found.is_dir(),
        })
    })
}

/// OneDrive leaves no mark. Its folder has its name, and that of the organisation; macOS keeps the folders
/// of such programs in one place, and those of iCloud in another.
fn is_named_so(folder: &Path) -> bool {
    let name = |folder: &Path| folder.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let Some(own) = name(folder) else { return false };
    let is_in_library = || folder.parent().and_then(name).is_some_and(|name| name == "Library");
    own == "OneDrive"
        || own.starts_with("OneDrive - ")
        || ["CloudStorage", "Mobile Documents"].contains(&own.as_str()) && is_in_library()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_in_the_folder_or_around_it_counts() {
        for (mark, kind) in MARKS {
            let home = tempfile::tempdir().unwrap();
            let (carried, beside) = (home.path().join("carried"), home.path().join("beside"));
            let storage = carried.join("apps/notes");
            std::fs::create_dir_all(&storage).unwrap();
            std::fs::create_dir(&beside).unwrap();
            assert!(!is_carried(&storage), "{mark}");
            match kind {
                Kind::File => std::fs::write(carried.join(mark), "").unwrap(),
                Kind::Folder => std::fs::create_dir(carried.join(mark)).unwrap(),
            }
            assert!(is_carried(&storage) && is_carried(&carried), "{mark}");
            assert!(!is_carried(&beside), "{mark}");
        }
    }

    #[test]
    fn the_settings_of_dropbox_in_the_home_folder_are_no_mark() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".dropbox")).unwrap();
        assert!(!is_carried(home.path()));
    }

    #[test]
    fn folders_with_the_names_of_such_programs_count() {
        for path in ["OneDrive/notes", "OneDrive - Org/notes", "Library/CloudStorage/X/notes"] {
            let home = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(home.path().join(path)).unwrap();
            assert!(is_carried(&home.path().join(path)), "{path}");
        }
        let home = tempfile::tempdir().unwrap();
        assert!(!is_carried(&home.path().join("CloudStorage/notes")));
    }
}
