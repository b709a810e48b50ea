//! Both storages have files of the same names: one must not be in the other's place.

use crate::failure::Failure;
use crate::remote::Remote;

/// Refuses a new storage that is the old one, or would lie among its files.
pub(super) fn check(from: &Remote, to: &Remote) -> Result<(), Failure> {
    let (old, new) = (from.name(), to.name());
    let [old, new] = [&old, &new].map(|name| name.trim_end_matches('/'));
    let is_mixed = match (from, to) {
        // The place of the old files is a folder of its own, and is never written.
        (Remote::Folder(from, _), Remote::Folder(to, _)) => {
            from.starts_with(to) || to.starts_with(from)
        }
        // The old library uses the top of an app's folder, and the new storage may be a folder in it.
        _ => {
            let within = |folder: &str| {
                let folder = format!("{old}/{folder}");
                new == folder || new.starts_with(&format!("{folder}/"))
            };
            old == new || within("docs") || within("changes")
        }
    };
    match is_mixed {
        true => Err(Failure::Usage(format!(
            "the new storage {:?} is in the place of the old one {:?}: give it a folder of its own",
            to.name(),
            from.name()
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use db_to_cloud_fs::Sharing;

    use super::*;
    use crate::remote::RemoteUrl;

    #[test]
    fn the_old_files_are_not_mixed_with_new_ones() {
        let folder = |path: &str| Remote::Folder(PathBuf::from(path), Sharing::default());
        for (from, to) in [("/a", "/a"), ("/a", "/a/b"), ("/a/b", "/a")] {
            assert!(check(&folder(from), &folder(to)).is_err(), "{from} {to}");
        }
        assert!(check(&folder("/a"), &folder("/ab")).is_ok());
        let url = |url: &str| RemoteUrl::parse(url.into()).unwrap().resolve(None, None).unwrap();
        for (from, to, ok) in [
            ("dropbox:/", "dropbox:/", false),
            ("dropbox:/", "dropbox:/docs/new", false),
            ("dropbox:/", "dropbox:/new", true),
            ("gdrive-appdata:/", "gdrive-appdata:/changes", false),
            ("webdavs://ada@h/old", "webdavs://ada@h/old/", false),
            ("webdavs://ada@h/old", "webdavs://ada@h/old2", true),
        ] {
            assert_eq!(check(&url(from), &url(to)).is_ok(), ok, "{from} {to}");
        }
    }
}
