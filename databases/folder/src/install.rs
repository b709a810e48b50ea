//! One document written or deleted, if it is still what it is expected to be.
//!
//! No file system has a compare-and-set, so the order is: swap, look, and swap back if it was not
//! the expected file. Whatever was in the folder is then in [`crate::limbo`], not overwritten. For
//! some microseconds a reader may see the new content and then the edit again.

use std::io;
use std::os::fd::OwnedFd;

use db_to_cloud::Revision;
use rustix::io::Errno;

use crate::content::{Hash, hash_in};
use crate::database::Shared;
use crate::error::FolderError;
use crate::limbo::Permissions;
use crate::path::DocumentPath;
use crate::rename;
use crate::root::{Parent, look as look_at};
use crate::stamp::Look;
use crate::survey::{Candidate, look, survey};

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
    pub(crate) path: DocumentPath,
    /// The paths of the folders whose entries changed, which are not on the disk yet.
    pub(crate) touched: Vec<String>,
}

/// A put that is under way, or is over before anything was written.
#[derive(Debug)]
pub(crate) enum Stage<'a> {
    Staged(Staged<'a>),
    Over(Applied),
}

/// The new content of a document in the limbo.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    new: String,
    permissions: Permissions,
    /// `None` if the document must not exist.
    over: Option<Over<'a>>,
}

/// What a new content replaces.
#[derive(Debug)]
struct Over<'a> {
    expected: &'a Revision,
    old_hash: Hash,
    new_hash: Hash,
}

impl<'a> Job<'a> {
    /// Writes the content of a document that must not exist.
    pub(crate) fn stage_new(&mut self, bytes: &[u8]) -> Result<Stage<'a>, FolderError> {
        let folder = self.shared.root.create_parent(&self.path, &mut self.touched)?;
        if let Some(found) = look_at(&folder, self.path.name()).map_err(self.failed())? {
            return self.occupied(&folder, found).map(Stage::Over);
        }
        self.stage(bytes, Permissions::Usual, None)
    }

    /// Writes the new content of a document that must have this revision.
    pub(crate) fn stage_over(
        &mut self,
        bytes: &[u8],
        new_hash: Hash,
        expected: &'a Revision,
    ) -> Result<Stage<'a>, FolderError> {
        match self.compare(expected)? {
            None => Ok(Stage::Over(Applied::Changed)),
            Some((_, hash, _)) if hash == new_hash => Ok(Stage::Over(Applied::Done)),
            Some((_, old_hash, mode)) => {
                let over = Over { expected, old_hash, new_hash };
                self.stage(bytes, Permissions::Like(mode), Some(over))
            }
        }
    }

    fn stage(
        &self,
        bytes: &[u8],
        permissions: Permissions,
        over: Option<Over<'a>>,
    ) -> Result<Stage<'a>, FolderError> {
        let new = self.shared.limbo.write(bytes, permissions).map_err(self.failed())?;
        Ok(Stage::Staged(Staged { new, permissions, over }))
    }

    /// Brings a staged content to the disk.
    pub(crate) fn sync(&self, staged: &Staged<'_>) -> Result<(), FolderError> {
        let limbo = &self.shared.limbo;
        limbo.sync(&staged.new, staged.permissions).map_err(|error| {
            limbo.remove(&staged.new);
            self.failed()(error)
        })
    }

    /// Puts a content that is on the disk in its place, if what is there is still what was compared.
    pub(crate) fn install(&mut self, staged: Staged<'_>) -> Result<Applied, FolderError> {
        match &staged.over {
            None => self.create(&staged.new),
            Some(over) => self.replace(&staged.new, over),
        }
    }

    fn create(&mut self, new: &str) -> Result<Applied, FolderError> {
        let limbo = &self.shared.limbo;
        // Once more: the folder may have been removed meanwhile, as it was empty.
        let made = self.shared.root.create_parent(&self.path, &mut self.touched);
        let folder = made.inspect_err(|_| limbo.remove(new))?;
        match rename::into_free(limbo, new, &folder, self.path.name()) {
            Ok(()) => {
                self.touch();
                Ok(Applied::Done)
            }
            Err(error) => {
                limbo.remove(new);
                match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(Applied::Changed),
                    _ => Err(self.failed()(error)),
                }
            }
        }
    }

    fn replace(&mut self, new: &str, over: &Over<'_>) -> Result<Applied, FolderError> {
        let limbo = &self.shared.limbo;
        let found = self.shared.root.parent("write", &self.path);
        let Parent::Found(folder) = found.inspect_err(|_| limbo.remove(new))? else {
            limbo.remove(new);
            return Ok(Applied::Changed);
        };
        let (hash, new_hash) = (&over.old_hash, &over.new_hash);
        let old = limbo.old_name(self.path.as_str(), hash, Some(new_hash));
        // From its new name on it is looked at before it is thrown away.
        let old = old.and_then(|old| limbo.rename(new, &old).map(|()| old)).map_err(|error| {
            limbo.remove(new);
            self.failed()(error)
        })?;
        match limbo.exchange(&old, &folder, self.path.name()) {
            Ok(true) => {
                self.touch();
                Ok(self.verify(&folder, &old, hash, new_hash))
            }
            Ok(false) => self.overwrite(&folder, &old, hash, over.expected),
            Err(errno) => {
                limbo.remove(&old);
                if errno == Errno::NOENT { Ok(Applied::Changed) } else { Err(self.failed()(errno)) }
            }
        }
    }

    /// Deletes a document that must have this revision.
    pub(crate) fn delete(&mut self, expected: &Revision) -> Result<Applied, FolderError> {
        let Some((folder, hash, _)) = self.compare(expected)? else {
            return Ok(Applied::Changed);
        };
        let limbo = &self.shared.limbo;
        let old = limbo.old_name(self.path.as_str(), &hash, None).map_err(self.failed())?;
        match rustix::fs::renameat(&folder, self.path.name(), limbo, &old) {
            Ok(()) => self.touch(),
            Err(Errno::NOENT) => return Ok(Applied::Changed),
            Err(errno) => return Err(self.failed()(errno)),
        }
        if limbo.holds(&old, &hash) {
            return Ok(Applied::Done);
        }
        self.put_back(&folder, &old);
        Ok(Applied::Changed)
    }

    /// The document's folder, its hash and its permission bits, if it has this revision.
    fn compare(&self, expected: &Revision) -> Result<Option<(OwnedFd, Hash, u32)>, FolderError> {
        let Some(expected) = hash_in(expected) else { return Ok(None) };
        let Some((stamp, mode)) = look(self.shared, "write", &self.path)? else { return Ok(None) };
        let candidate = Candidate { path: self.path.clone(), stamp };
        let found = survey(self.shared, &[candidate]).pop().transpose()?.flatten();
        let Parent::Found(folder) = self.shared.root.parent("write", &self.path)? else {
            return Ok(None);
        };
        Ok(found.filter(|hash| *hash == expected).map(|hash| (folder, hash, mode)))
    }

    /// After the swap: was it the expected file? If not, the edit goes back to its place.
    fn verify(&self, folder: &OwnedFd, old: &str, expected: &Hash, new: &Hash) -> Applied {
        let limbo = &self.shared.limbo;
        if limbo.holds(old, expected) {
            // It stays for the sweep: a program may have it open and write into it still.
            return Applied::Done;
        }
        match limbo.exchange(old, folder, self.path.name()) {
            // What came back is our file: as if nothing had been.
            Ok(true) if limbo.holds(old, new) => {}
            // It is a newer edit, made to our file. It goes where it was made. The one before it,
            // which its author has replaced, stays here and is kept as a copy by the sweep.
            Ok(true) => {
                if !matches!(limbo.exchange(old, folder, self.path.name()), Ok(true)) {
                    self.put_back(folder, old);
                }
            }
            // The document was deleted meanwhile, or the disk fails: then the sweep tries again.
            _ => self.put_back(folder, old),
        }
        Applied::Changed
    }

    /// Puts a file back where it was, if the place is free. Else the sweep keeps it as a copy.
    fn put_back(&self, folder: &OwnedFd, old: &str) {
        let limbo = &self.shared.limbo;
        if let Err(error) = rename::into_free(limbo, old, folder, self.path.name()) {
            let path = self.path.as_str();
            tracing::warn!(path, %error, "an edit made during a sync will be kept as a copy");
        }
    }

    /// Replaces a document on a file system that cannot swap. A file that another program renames
    /// into place between the comparison and the rename, some microseconds, is lost there. One that
    /// is written in place is not: it has a second name, for the sweep.
    fn overwrite(
        &mut self,
        folder: &OwnedFd,
        new: &str,
        hash: &Hash,
        expected: &Revision,
    ) -> Result<Applied, FolderError> {
        let limbo = &self.shared.limbo;
        let old = limbo.old_name(self.path.as_str(), hash, None).map_err(self.failed())?;
        // Before the comparison, as it changes a time of the file.
        let linked = limbo.link(folder, self.path.name(), &old);
        let same = self.compare(expected);
        if matches!(same, Ok(Some(_))) {
            match rustix::fs::renameat(limbo, new, folder, self.path.name()) {
                Ok(()) => {
                    self.touch();
                    return Ok(Applied::Done);
                }
                Err(errno) => return Err(self.failed()(errno)),
            }
        }
        limbo.remove(new);
        if linked {
            limbo.remove(&old);
        }
        same.map(|_| Applied::Changed)
    }

    /// What it means that something is where a new document must go.
    fn occupied(&self, folder: &OwnedFd, found: Look) -> Result<Applied, FolderError> {
        let path = self.shared.root.full(self.path.as_str());
        if !self.shared.root.is_exact(folder, self.path.name()).map_err(self.failed())? {
            return Err(FolderError::SameName { path });
        }
        let operation = "write";
        match found {
            Look::File { .. } => Ok(Applied::Changed),
            Look::Folder => Err(FolderError::InTheWay { path, what: "folder" }),
            Look::Link => Err(FolderError::Link { operation, path }),
            Look::Special => Err(FolderError::Special { operation, path }),
        }
    }

    fn touch(&mut self) {
        self.touched.push(self.path.parent().to_owned());
    }

    fn failed<E: Into<io::Error>>(&self) -> impl FnOnce(E) -> FolderError + use<E> {
        FolderError::io("write", self.shared.root.full(self.path.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::FolderDatabase;
    use crate::content::{hash_of, revision};

    fn job<'a>(database: &'a FolderDatabase, path: &str) -> Job<'a> {
        let path = DocumentPath::from_text(path).unwrap();
        Job { shared: database.shared(), path, touched: Vec::new() }
    }

    fn staged(stage: Result<Stage<'_>, FolderError>) -> Staged<'_> {
        match stage.unwrap() {
            Stage::Staged(staged) => staged,
            Stage::Over(applied) => panic!("{applied:?} before anything was written"),
        }
    }

    #[test]
    fn what_was_edited_after_the_new_content_was_staged_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        fs::write(folder.path().join("old"), "one").unwrap();
        let one = revision(&hash_of(b"one"));
        let (mut new, mut old) = (job(&database, "new"), job(&database, "old"));
        let of_new = staged(new.stage_new(b"remote"));
        let of_old = staged(old.stage_over(b"remote", hash_of(b"remote"), &one));
        for name in ["new", "old"] {
            fs::write(folder.path().join(name), "edit").unwrap();
        }
        for (mut job, staged) in [(new, of_new), (old, of_old)] {
            job.sync(&staged).unwrap();
            assert_eq!(job.install(staged).unwrap(), Applied::Changed);
            assert_eq!(fs::read(folder.path().join(job.path.as_str())).unwrap(), b"edit");
        }
    }

    #[test]
    fn a_folder_that_was_removed_after_the_content_was_staged_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let mut job = job(&database, "a/b");
        let staged = staged(job.stage_new(b"remote"));
        fs::remove_dir(folder.path().join("a")).unwrap();
        job.sync(&staged).unwrap();
        assert_eq!(job.install(staged).unwrap(), Applied::Done);
        assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"remote");
    }

    #[test]
    fn a_content_that_did_not_reach_the_disk_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let mut job = job(&database, "a");
        let staged = staged(job.stage_new(b"remote"));
        fs::remove_file(database.state_dir().join("tmp").join(&staged.new)).unwrap();
        assert!(matches!(job.sync(&staged), Err(FolderError::Io { .. })));
        assert!(!folder.path().join("a").exists());
    }
}
