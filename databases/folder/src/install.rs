//! One document written or deleted, if it is still what it is expected to be.
//!
//! No file system has a compare-and-set, so the order is: swap, look, and swap back if it was not
//! the expected file. Whatever was in the folder is then in [`crate::limbo`], not overwritten. For
//! some microseconds a reader may see the new content and then the edit again.

use std::io;
use std::sync::Arc;

use db_to_cloud::Revision;

use crate::attributes::Wanted;
use crate::content::{Hash, hash_in};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::limbo::{Limbo, Permissions};
use crate::path::DocumentPath;
use crate::shared::Shared;
use crate::stamp::{Look, Stamp};
use crate::survey::{Candidate, look, survey};
use crate::sys::Dir;

/// What became of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is as the write says.
    Done,
    /// It was not what the write expected; nothing was written.
    Changed,
}

/// What to do with one document. A put is staged, brought to the disk and installed: three steps, so
/// that many puts may wait for the disk together.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) folders: &'a Folders<'a>,
    pub(crate) path: DocumentPath,
    /// On the file system of the document.
    pub(crate) limbo: Arc<Limbo>,
    /// What was put in its place, to be recognised by the next listing.
    pub(crate) written: Option<(Stamp, Hash)>,
    /// Whether it may be executed now and could not be before.
    pub(crate) made_executable: bool,
    /// The paths of the folders whose entries changed, which are not on the disk yet.
    pub(crate) touched: Vec<String>,
}

/// What a new content replaces.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub(crate) expected: Revision,
    pub(crate) old_hash: Hash,
    pub(crate) new_hash: Hash,
    /// The permission bits.
    pub(crate) mode: u32,
}

/// The content of a document in the limbo.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Its name there; `None` once it is out of it, or left to the sweep.
    pub(crate) name: Option<String>,
    pub(crate) permissions: Permissions,
    /// By what it is recognised, if it was written here.
    pub(crate) written: Option<Stamp>,
}

impl Job<'_> {
    /// Writes the new content of a document into the limbo, not to the disk yet.
    pub(crate) fn stage(
        &self,
        bytes: &[u8],
        over: Option<&Over>,
        wanted: Wanted,
    ) -> Result<Staged, FolderError> {
        let permissions = Permissions::new(over.map(|over| over.mode), wanted);
        let (name, written) = self.limbo.write(bytes, permissions).map_err(self.failed())?;
        Ok(Staged { name: Some(name), permissions, written })
    }

    /// Brings a staged content to the disk.
    pub(crate) fn sync(&self, staged: &Staged) -> Result<(), FolderError> {
        let Some(name) = &staged.name else { return Ok(()) };
        self.limbo.sync(name, staged.permissions).map_err(self.failed())
    }

    /// Puts a content that is on the disk in its place, if what is there is still what was compared.
    /// What is not installed keeps its name in the limbo.
    pub(crate) fn install(
        &mut self,
        staged: &mut Staged,
        over: Option<&Over>,
    ) -> Result<Applied, FolderError> {
        match over {
            None => self.create(staged),
            Some(over) => self.replace(staged, over),
        }
    }

    fn create(&mut self, staged: &mut Staged) -> Result<Applied, FolderError> {
        let Some(name) = staged.name.as_deref() else { return Ok(Applied::Changed) };
        let limbo = &*self.limbo;
        let folder = self.folders.make(&self.path, &mut self.touched)?;
        let mut done = limbo.folder().rename_new(name, &folder, self.path.name());
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Another program removed the folder meanwhile, as it was empty.
            self.folders.forget();
            let folder = self.folders.make(&self.path, &mut self.touched)?;
            done = limbo.folder().rename_new(name, &folder, self.path.name());
        }
        match done {
            Ok(()) => {
                staged.name = None;
                self.touch();
                Ok(Applied::Done)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.occupied(&folder),
            Err(error) => Err(self.failed()(error)),
        }
    }

    fn replace(&mut self, staged: &mut Staged, over: &Over) -> Result<Applied, FolderError> {
        let Some(name) = staged.name.clone() else { return Ok(Applied::Changed) };
        let limbo = &*self.limbo;
        let Some(folder) = self.folders.get("write", self.path.parent())? else {
            return Ok(Applied::Changed);
        };
        let (hash, new_hash) = (&over.old_hash, &over.new_hash);
        let old = limbo.old_name(self.path.as_str(), hash, Some(new_hash));
        // From its new name on it is looked at before it is thrown away.
        let old = old.and_then(|old| limbo.rename(&name, &old).map(|()| old));
        let old = old.map_err(self.failed())?;
        staged.name = Some(old.clone());
        match limbo.exchange(&old, &folder, self.path.name()) {
            Ok(true) => {
                self.touch();
                let (applied, is_back) = self.verify(&folder, &old, hash, new_hash);
                staged.name = staged.name.take().filter(|_| is_back);
                Ok(applied)
            }
            Ok(false) => self.overwrite(&folder, staged, &old, over),
            // It was deleted, or a swap in two steps met a file that came in between.
            Err(error) if is_change(&error) => Ok(Applied::Changed),
            Err(error) => Err(self.failed()(error)),
        }
    }

    /// Deletes a document that must have this content. It stays in the limbo, under the name that is
    /// given back, as a program may have it open and write into it still; `None` if it has another
    /// content.
    pub(crate) fn take(&mut self, hash: &Hash) -> Result<Option<String>, FolderError> {
        let Some(folder) = self.folders.get("delete", self.path.parent())? else { return Ok(None) };
        let limbo = self.limbo.clone();
        let old = limbo.old_name(self.path.as_str(), hash, None).map_err(self.failed())?;
        if !self.shared.root.is_exact(&folder, self.path.name()).map_err(self.failed())? {
            return Ok(None);
        }
        match folder.rename(self.path.name(), limbo.folder(), &old) {
            Ok(()) => self.touch(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed()(error)),
        }
        if limbo.holds(&old, hash) {
            return Ok(Some(old));
        }
        self.put_back(&folder, &old);
        Ok(None)
    }

    /// Brings a document back that was [taken](Self::take); whether it is back.
    pub(crate) fn bring_back(&mut self, old: &str) -> bool {
        self.folders.forget();
        let Ok(folder) = self.folders.make(&self.path, &mut self.touched) else { return false };
        self.touch();
        self.put_back(&folder, old)
    }

    /// The document's hash and permission bits, if it has this revision.
    pub(crate) fn compare(&self, expected: &Revision) -> Result<Option<(Hash, u32)>, FolderError> {
        let Some(expected) = hash_in(expected) else { return Ok(None) };
        let Some((stamp, mode)) = look(self.folders, "write", &self.path)? else { return Ok(None) };
        let candidate = Candidate { path: self.path.clone(), stamp };
        let found = survey(self.shared, &[candidate]).pop().transpose()?.flatten();
        Ok(found.filter(|hash| *hash == expected).map(|hash| (hash, mode)))
    }

    /// After the swap: was it the expected file? If not, the edit goes back to its place. The second
    /// answer is whether our content is in the limbo again.
    fn verify(&self, folder: &Dir, old: &str, expected: &Hash, new: &Hash) -> (Applied, bool) {
        let limbo = &*self.limbo;
        if limbo.holds(old, expected) {
            // It stays for the sweep: a program may have it open and write into it still.
            return (Applied::Done, false);
        }
        match limbo.exchange(old, folder, self.path.name()) {
            // What came back is our file: as if nothing had been.
            Ok(true) if limbo.holds(old, new) => return (Applied::Changed, true),
            // It is a newer edit, made to our file. It goes where it was made. The one before it,
            // which its author has replaced, stays here and is kept as a copy by the sweep.
            Ok(true) => {
                if !matches!(limbo.exchange(old, folder, self.path.name()), Ok(true)) {
                    self.put_back(folder, old);
                }
            }
            // The document was deleted meanwhile, or the disk fails: then the sweep tries again.
            _ => drop(self.put_back(folder, old)),
        }
        (Applied::Changed, false)
    }

    /// Puts a file back where it was, if the place is free; whether it was. Else the sweep keeps it as
    /// a copy if it is an edit.
    fn put_back(&self, folder: &Dir, old: &str) -> bool {
        let limbo = &*self.limbo;
        let back = limbo.folder().rename_new(old, folder, self.path.name());
        if let Err(error) = &back {
            let path = self.path.as_str();
            tracing::warn!(path, %error, "a file of before the sync could not be put back");
        }
        back.is_ok()
    }

    /// Replaces a document on a file system that cannot swap. A file that another program renames
    /// into place between the comparison and the rename, some microseconds, is lost there. One that
    /// is written in place is not: it has a second name, for the sweep.
    fn overwrite(
        &mut self,
        folder: &Dir,
        staged: &mut Staged,
        new: &str,
        over: &Over,
    ) -> Result<Applied, FolderError> {
        let limbo = &*self.limbo;
        let old =
            limbo.old_name(self.path.as_str(), &over.old_hash, None).map_err(self.failed())?;
        // Before the comparison, as it changes a time of the file.
        let linked = limbo.link(folder, self.path.name(), &old);
        let same = self.compare(&over.expected);
        if matches!(same, Ok(Some(_))) {
            match limbo.folder().rename(new, folder, self.path.name()) {
                Ok(()) => {
                    staged.name = None;
                    self.touch();
                    return Ok(Applied::Done);
                }
                Err(error) => return Err(self.failed()(error)),
            }
        }
        if linked {
            limbo.remove(&old);
        }
        same.map(|_| Applied::Changed)
    }

    /// What it means that something is where a new document must go.
    fn occupied(&self, folder: &Dir) -> Result<Applied, FolderError> {
        let path = self.shared.root.full(self.path.as_str());
        if !self.shared.root.is_exact(folder, self.path.name()).map_err(self.failed())? {
            return Err(FolderError::SameName { path });
        }
        let operation = "write";
        match folder.look(self.path.name()).map_err(self.failed())? {
            Some(Look::File { .. }) | None => Ok(Applied::Changed),
            Some(Look::Folder) => Err(FolderError::InTheWay { path, what: "folder" }),
            Some(Look::Link) => Err(FolderError::Link { operation, path }),
            Some(Look::Special) => Err(FolderError::Special { operation, path }),
        }
    }

    fn touch(&mut self) {
        self.touched.push(self.path.parent().to_owned());
    }

    fn failed<E: Into<io::Error>>(&self) -> impl FnOnce(E) -> FolderError + use<E> {
        FolderError::io("write", self.shared.root.full(self.path.as_str()))
    }
}

fn is_change(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::FolderDatabase;
    use crate::content::{hash_of, revision};

    fn job<'a>(database: &'a FolderDatabase, folders: &'a Folders<'a>, path: &str) -> Job<'a> {
        let path = DocumentPath::from_text(path).unwrap();
        let limbo = database.shared().limbos.root().clone();
        Job {
            shared: database.shared(),
            folders,
            path,
            limbo,
            written: None,
            made_executable: false,
            touched: Vec::new(),
        }
    }

    #[test]
    fn what_was_edited_after_the_new_content_was_staged_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let folders = Folders::new(&database.shared().root);
        fs::write(folder.path().join("old"), "one").unwrap();
        let (old_hash, new_hash) = (hash_of(b"one"), hash_of(b"remote"));
        let over = Over { expected: revision(&old_hash), old_hash, new_hash, mode: 0o600 };
        for (name, over) in [("new", None), ("old", Some(&over))] {
            let mut job = job(&database, &folders, name);
            let mut staged = job.stage(b"remote", over, Wanted::default()).unwrap();
            fs::write(folder.path().join(name), "edit").unwrap();
            job.sync(&staged).unwrap();
            assert_eq!(job.install(&mut staged, over).unwrap(), Applied::Changed);
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"edit");
            let limbo = database.state_dir().join("tmp");
            assert_eq!(fs::read(limbo.join(staged.name.unwrap())).unwrap(), b"remote");
        }
    }

    /// Windows does not let it be removed.
    #[cfg(not(windows))]
    #[test]
    fn a_folder_that_was_removed_after_it_was_opened_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let folders = Folders::new(&database.shared().root);
        let mut job = job(&database, &folders, "a/b");
        let mut staged = job.stage(b"remote", None, Wanted::default()).unwrap();
        folders.make(&job.path, &mut Vec::new()).unwrap();
        fs::remove_dir(folder.path().join("a")).unwrap();
        job.sync(&staged).unwrap();
        assert_eq!(job.install(&mut staged, None).unwrap(), Applied::Done);
        assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"remote");
    }

    #[test]
    fn a_content_that_did_not_reach_the_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let folders = Folders::new(&database.shared().root);
        let job = job(&database, &folders, "a");
        let staged = job.stage(b"remote", None, Wanted::default()).unwrap();
        let name = staged.name.clone().unwrap();
        fs::remove_file(database.state_dir().join("tmp").join(name)).unwrap();
        assert!(matches!(job.sync(&staged), Err(FolderError::Io { .. })));
        assert!(!folder.path().join("a").exists());
    }
}
