//! Files that are written, durable, and still without their name.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use db_to_cloud::Created;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, linkat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::Failure;
use crate::tree::{Scratch, force_to_disk, is_file};

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
const LOOK: [Errno; 5] =
    [Errno::EXIST, Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP];

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
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Nobody else may read it before it is clear that they may.
        let file = openat(&scratch.folder, &name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(Failure::system("create a temporary file"))?;
        let mut file = File::from(file);
        // From here on a failure deletes the file.
        let temp = Self { scratch: scratch.clone(), name, is_link: false, renamed: false };
        scratch.modes.share_file(&file);
        file.write_all(bytes).map_err(Failure::io("write the temporary file"))?;
        force_to_disk(&file).map_err(Failure::system("force the temporary file to the disk"))?;
        Ok(temp)
    }

    /// A second name for a file that is never written to again; `None` where there is no such thing,
    /// or no more of it for this file. Its bytes are forced to the disk, whoever wrote them.
    ///
    /// By its time, another client may take it for one of a client that died, and delete it before it
    /// has its name. Then the name is not given, and nothing is lost.
    pub(crate) fn link(
        scratch: &Arc<Scratch>,
        folder: &File,
        original: &str,
        file: &File,
    ) -> Result<Option<Self>, Failure> {
        force_to_disk(file).map_err(Failure::system("force the file to the disk"))?;
        let name = random_name()?;
        // Also deleted after an error: a network file system may have made it all the same.
        let temp = Self { scratch: scratch.clone(), name, is_link: true, renamed: false };
        if linkat(folder, original, &scratch.folder, &temp.name, AtFlags::empty()).is_err() {
            return Ok(None);
        }
        // What has the name may be another one by now.
        let linked = statat(&scratch.folder, &temp.name, AtFlags::SYMLINK_NOFOLLOW);
        let opened = fstat(file);
        let same = linked.ok().zip(opened.ok()).is_some_and(|(a, b)| identity(&a) == identity(&b));
        Ok(same.then_some(temp))
    }

    /// What the file system says of it.
    pub(crate) fn look(&self) -> Result<Stat, Failure> {
        let stat = statat(&self.scratch.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        stat.map_err(Failure::system("look at the temporary file"))
    }

    /// Gives the file this name, in place of one that has it.
    pub(crate) fn replace(mut self, folder: &File, name: &str) -> Result<(), Failure> {
        // Most names are new. One call gives the file such a name, and it replaces nothing: what is
        // there, or a system without this call, takes a look and a second call.
        match rename_no_replace(&self.scratch.folder, &self.name, folder, name) {
            Ok(()) => self.renamed = true,
            Err(errno) if LOOK.contains(&errno) => {
                is_file(folder, name)?;
                renameat(&self.scratch.folder, &self.name, folder, name).map_err(naming_failed)?;
                // A rename onto another name of the same file does nothing: ours must still be
                // deleted.
                self.renamed = !self.is_link;
            }
            Err(errno) => return Err(naming_failed(errno)),
        }
        Ok(())
    }

    /// Gives the file this name if nobody has it.
    pub(crate) fn place_new(
        mut self,
        folder: &File,
        name: &str,
        exclusive: Exclusive,
    ) -> Result<Created, Failure> {
        let ours = identity_at(&self.scratch.folder, &self.name);
        let result = match exclusive {
            Exclusive::Link => {
                linkat(&self.scratch.folder, &self.name, folder, name, AtFlags::empty())
            }
            Exclusive::Rename => {
                let result = rename_no_replace(&self.scratch.folder, &self.name, folder, name);
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
            Err(Errno::EXIST) => is_file(folder, name).map(|_| Created::Occupied),
            Err(errno) => Err(naming_failed(errno)),
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.renamed {
            // What stays behind is deleted by a later `open`.
            let _ = unlinkat(&self.scratch.folder, &self.name, AtFlags::empty());
        }
    }
}

/// These say for sure that the name was not given; others may come from a server that did it.
fn naming_failed(errno: Errno) -> Failure {
    let failure = Failure::system("give the file its name")(errno);
    match errno {
        Errno::NOENT | Errno::NOSPC | Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::XDEV => {
            failure
        }
        Errno::ISDIR | Errno::NOTDIR => Failure::NotAFile,
        _ => failure.with_unknown_effect(),
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_no_replace(from: &File, name: &str, to: &File, new: &str) -> Result<(), Errno> {
    rustix::fs::renameat_with(from, name, to, new, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_no_replace(_: &File, _: &str, _: &File, _: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

/// Device and inode of what has this name: they differ for another file of the same name.
fn identity_at(folder: &File, name: &str) -> Option<(u64, u64)> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok().map(|stat| identity(&stat))
}

#[allow(clippy::unnecessary_cast, reason = "the types differ by system")]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// When the file was written last, in seconds.
#[allow(clippy::unnecessary_cast, reason = "the types differ by system")]
pub(crate) fn seconds(stat: &Stat) -> i64 {
    stat.st_mtime as i64
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
    getrandom::fill(&mut bytes).map_err(|_| Failure::system("find a random name")(Errno::IO))?;
    let first = u128::from_ne_bytes(bytes);
    Ok((0..).map(move |n| format!("{:032x}", first.wrapping_add(n))))
}

/// Whether [`random_name`] may have made this name.
pub(crate) fn is_random_name(name: &[u8]) -> bool {
    name.len() == NAME && name.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::modes::Modes;

    fn open(path: &Path) -> Arc<Scratch> {
        Arc::new(Scratch { folder: File::open(path).unwrap(), modes: Modes::PRIVATE })
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
