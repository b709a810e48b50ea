//! Files that are written, durable, and still without their name.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use db_to_cloud::Created;

use crate::error::Failure;
use crate::seen::Seen;
use crate::sys::{Folder, force_opened, force_to_disk, look_at};
use crate::tree::{Scratch, is_file};

/// How a file gets a name that nobody else must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exclusive {
    /// `link` refuses a name in use, on every file system that has it, network ones included.
    Link,
    /// `rename` with the flag NOREPLACE, for local file systems without links, such as FAT.
    Rename,
    /// Neither works.
    Unsupported,
    /// Nothing could be written when the storage was opened: it is found out when something can.
    Unknown,
}

/// The name is in use, or the system or the file system has no rename that does not replace.
const LOOK: [io::ErrorKind; 3] =
    [io::ErrorKind::AlreadyExists, io::ErrorKind::InvalidInput, io::ErrorKind::Unsupported];

/// A durable file in the folder for temporary ones. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct TempFile {
    scratch: Arc<Scratch>,
    name: String,
    /// It is a second name of an object.
    is_link: bool,
    renamed: bool,
}

impl TempFile {
    /// Writes the bytes and forces them to the disk.
    pub(crate) fn write(scratch: &Arc<Scratch>, bytes: &[u8]) -> Result<Self, Failure> {
        Self::write_named(scratch, random_name()?, bytes)
    }

    /// As [`write`](Self::write), under a name that [`random_names`] made.
    pub(crate) fn write_named(
        scratch: &Arc<Scratch>,
        name: String,
        bytes: &[u8],
    ) -> Result<Self, Failure> {
        // Nobody else may read it before it is clear that they may.
        let file = scratch.folder.create_new(&name);
        let mut file = file.map_err(Failure::io("create a temporary file"))?;
        // From here on a failure deletes the file.
        let temp = Self { scratch: scratch.clone(), name, is_link: false, renamed: false };
        scratch.modes.share_file(&file);
        file.write_all(bytes).map_err(Failure::io("write the temporary file"))?;
        force_to_disk(&file).map_err(Failure::io("force the temporary file to the disk"))?;
        Ok(temp)
    }

    /// A second name for a file that is never written to again; `None` where there is no such thing,
    /// or no more of it for this file. Its bytes are forced to the disk, whoever wrote them.
    ///
    /// By its time, another client may take it for one of a client that died, and delete it before it
    /// has its name. Then the name is not given, and nothing is lost.
    pub(crate) fn link(
        scratch: &Arc<Scratch>,
        folder: &Folder,
        original: &str,
        file: &File,
    ) -> Result<Option<Self>, Failure> {
        let forced = force_opened(folder, original, file);
        forced.map_err(Failure::io("force the file to the disk"))?;
        let name = random_name()?;
        // Also deleted after an error: a network file system may have made it all the same.
        let temp = Self { scratch: scratch.clone(), name, is_link: true, renamed: false };
        if folder.link(original, &scratch.folder, &temp.name).is_err() {
            return Ok(None);
        }
        // What has the name may be another one by now.
        let (linked, opened) = (scratch.folder.look(&temp.name), look_at(file));
        let same = linked.ok().zip(opened.ok()).is_some_and(|(a, b)| a.identity == b.identity);
        Ok(same.then_some(temp))
    }

    /// What the file system says of it.
    pub(crate) fn look(&self) -> Result<Seen, Failure> {
        self.scratch.folder.look(&self.name).map_err(Failure::io("look at the temporary file"))
    }

    /// Gives the file this name, in place of one that has it.
    pub(crate) fn replace(mut self, folder: &Folder, name: &str) -> Result<(), Failure> {
        // Most names are new. One call gives the file such a name, and it replaces nothing: what is
        // there, or a system without this call, takes a look and a second call.
        match self.scratch.folder.rename_new(&self.name, folder, name) {
            Ok(()) => self.renamed = true,
            Err(error) if LOOK.contains(&error.kind()) => {
                is_file(folder, name)?;
                self.scratch.folder.rename(&self.name, folder, name).map_err(naming_failed)?;
                // A rename onto another name of the same file does nothing: ours must still be
                // deleted.
                self.renamed = !self.is_link;
            }
            Err(error) => return Err(naming_failed(error)),
        }
        Ok(())
    }

    /// Gives the file this name if nobody has it.
    pub(crate) fn place_new(
        mut self,
        folder: &Folder,
        name: &str,
        exclusive: Exclusive,
    ) -> Result<Created, Failure> {
        let ours = identity_at(&self.scratch.folder, &self.name);
        let result = match exclusive {
            Exclusive::Link => self.scratch.folder.link(&self.name, folder, name),
            Exclusive::Rename => {
                let result = self.scratch.folder.rename_new(&self.name, folder, name);
                self.renamed = result.is_ok();
                result
            }
            Exclusive::Unsupported | Exclusive::Unknown => return Err(Failure::NoExclusiveCreate),
        };
        match result {
            Ok(()) => Ok(Created::New),
            // A network file system repeats a request whose answer was lost, and the second says
            // that the name is taken: by ourselves.
            Err(_) if ours.is_some() && identity_at(folder, name) == ours => Ok(Created::New),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                is_file(folder, name).map(|_| Created::Occupied)
            }
            Err(error) => Err(naming_failed(error)),
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.renamed {
            // What stays behind is deleted by a later `open`.
            let _ = self.scratch.folder.remove_file(&self.name);
        }
    }
}

/// These say for sure that the name was not given; others may come from a server that did it.
fn naming_failed(error: io::Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::io("give the file its name")(error);
    match kind {
        io::ErrorKind::NotFound
        | io::ErrorKind::StorageFull
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::CrossesDevices => failure,
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => Failure::NotAFile,
        _ => failure.with_unknown_effect(),
    }
}

/// Device and inode of what has this name: they differ for another file of the same name.
fn identity_at(folder: &Folder, name: &str) -> Option<(u64, u64)> {
    folder.look(name).ok().map(|seen| seen.identity)
}

/// The length of the name of a temporary file.
const NAME: usize = 32;

/// 128 random bits in hexadecimal.
pub(crate) fn random_name() -> Result<String, Failure> {
    random_names().map(|mut names| names.next().unwrap_or_default())
}

/// As many names as are wanted: consecutive numbers from a random one on.
pub(crate) fn random_names() -> Result<impl Iterator<Item = String>, Failure> {
    let mut bytes = [0; NAME / 2];
    let failed = |error| Failure::io("find a random name")(io::Error::other(error));
    getrandom::fill(&mut bytes).map_err(failed)?;
    let first = u128::from_ne_bytes(bytes);
    Ok((0..).map(move |n| format!("{:032x}", first.wrapping_add(n))))
}

/// Whether [`random_name`] may have made this name.
pub(crate) fn is_random_name(name: &str) -> bool {
    name.len() == NAME && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sys::Modes;

    fn open(path: &Path) -> Arc<Scratch> {
        Arc::new(Scratch { folder: Folder::open(path).unwrap(), modes: Modes::PRIVATE })
    }

    #[test]
    fn each_way_gives_the_name_to_one_of_many() {
        for exclusive in [Exclusive::Link, Exclusive::Rename] {
            let folder = tempfile::tempdir().unwrap();
            let handle = open(folder.path());
            let results: Vec<_> = std::thread::scope(|scope| {
                let one = |i: u8| {
                    let handle = handle.clone();
                    scope.spawn(move || {
                        let file = TempFile::write(&handle, &[i]).unwrap();
                        file.place_new(&handle.folder, "slot", exclusive).unwrap()
                    })
                };
                let threads: Vec<_> = (0..16).map(one).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let winners: Vec<_> =
                (0..16u8).filter(|i| results[*i as usize] == Created::New).collect();
            assert_eq!(
                std::fs::read(folder.path().join("slot")).unwrap(),
                winners,
                "{exclusive:?}"
            );
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                1,
                "temporary files stay"
            );
        }
    }

    #[test]
    fn a_link_whose_answer_was_lost_is_known_as_our_own() {
        let folder = tempfile::tempdir().unwrap();
        let handle = open(folder.path());
        let file = TempFile::write(&handle, b"ours").unwrap();
        std::fs::hard_link(folder.path().join(&file.name), folder.path().join("slot")).unwrap();
        assert_eq!(file.place_new(&handle.folder, "slot", Exclusive::Link), Ok(Created::New));
        let late = TempFile::write(&handle, b"ours").unwrap();
        assert_eq!(late.place_new(&handle.folder, "slot", Exclusive::Link), Ok(Created::Occupied));
    }

    #[test]
    fn a_file_system_without_an_exclusive_create_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let handle = open(folder.path());
        let file = TempFile::write(&handle, b"x").unwrap();
        let result = file.place_new(&handle.folder, "slot", Exclusive::Unsupported);
        assert_eq!(result, Err(Failure::NoExclusiveCreate));
    }
}
