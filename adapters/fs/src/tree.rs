//! The folders and files of the storage, opened one level at a time and never through a link.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use db_to_cloud::Key;

use crate::error::Failure;
use crate::seen::{Kind, Seen, is_no_file};
use crate::sys::{Folder, Modes, look_at};

/// The folder for files that do not have their name yet. It begins with a dot, so that no key can
/// name it. It also marks the storage: where it is missing, nothing is taken for absent. A copy that
/// cannot be written may lack it; there the folder of the log is the mark.
pub(crate) const SCRATCH: &str = ".tmp";

/// The root folder as one operation sees it. It is opened anew each time: a handle that is kept
/// would keep a drive from being unmounted, and would not see another one take its place.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Folder,
    /// The folder without which this is not the storage that was opened.
    mark: &'static str,
}

/// The folder for temporary files, open.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) folder: Folder,
    /// Of what is written there.
    pub(crate) modes: Modes,
}

impl Tree {
    /// Opens a storage that has this mark.
    pub(crate) fn open(root: &Path, mark: &'static str) -> Result<Self, Failure> {
        // The user named this path: links in it are the user's.
        match Folder::open(root) {
            Ok(root) => Ok(Self { root, mark }),
            Err(error) if is_gone(&error) || is_no_file(&error) => Err(Failure::RootGone),
            Err(error) => Err(Failure::io("open the folder")(error)),
        }
    }

    /// The folder for temporary files. Where it is not the mark, it is made.
    pub(crate) fn scratch(&self) -> Result<Scratch, Failure> {
        let folder = match self.mark {
            SCRATCH => open_folder(&self.root, SCRATCH)?.ok_or(Failure::RootReplaced),
            _ => self.make_folder(SCRATCH),
        };
        Ok(Scratch { folder: folder?, modes: Modes::of(&self.root)? })
    }

    /// Makes sure that this is the storage that was opened.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.root.look(self.mark) {
            Ok(seen) if seen.kind == Kind::Folder => Ok(()),
            Ok(_) => Err(Failure::NotAFolder),
            Err(error) if is_missing(&error) => Err(Failure::RootReplaced),
            Err(error) => Err(Failure::io("look at a folder")(error)),
        }
    }

    /// A folder of the storage; `None` if it does not exist, while the storage surely does.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<Folder>, Failure> {
        let folder = open_folder(&self.root, name)?;
        if folder.is_none() {
            self.check()?;
        }
        Ok(folder)
    }

    /// A folder of the storage, made if it does not exist.
    pub(crate) fn make_folder(&self, name: &str) -> Result<Folder, Failure> {
        if let Some(folder) = open_folder(&self.root, name)? {
            return Ok(folder);
        }
        if name != self.mark {
            // Nothing is made in the folder of somebody else.
            self.check()?;
        }
        match self.root.make_folder(name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::io("make a folder")(error)),
        }
        let folder = open_folder(&self.root, name)?.ok_or(Failure::RootReplaced)?;
        Modes::of(&self.root)?.share_folder(&folder);
        self.sync()?;
        Ok(folder)
    }

    /// Lets others use a folder of the storage, if they may (see [`Modes::share_folder`]).
    pub(crate) fn share(&self, folder: &Folder) -> Result<(), Failure> {
        Modes::of(&self.root).map(|modes| modes.share_folder(folder))
    }

    /// Makes the names in the root folder durable.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        sync_folder(&self.root)
    }

    /// Where an object is: an open folder and the name in it; `None` if there is no such folder.
    pub(crate) fn place<'a>(&self, key: &'a Key) -> Result<Option<(Folder, &'a str)>, Failure> {
        let Some((folder, name)) = key.split() else {
            return Ok(Some((self.same_root()?, key.as_str())));
        };
        Ok(self.folder(folder)?.map(|folder| (folder, name)))
    }

    /// Where an object will be; its folder is made.
    pub(crate) fn make_place<'a>(&self, key: &'a Key) -> Result<(Folder, &'a str), Failure> {
        match key.split() {
            Some((folder, name)) => Ok((self.make_folder(folder)?, name)),
            None => Ok((self.same_root()?, key.as_str())),
        }
    }

    pub(crate) fn same_root(&self) -> Result<Folder, Failure> {
        self.root.again().map_err(Failure::io("open the folder"))
    }

    pub(crate) fn get(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        let Some((folder, name)) = self.place(key)? else { return Ok(None) };
        self.open_file(&folder, name)?.map(read).transpose()
    }

    pub(crate) fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Failure> {
        let Some((folder, name)) = self.place(key)? else { return Ok(None) };
        self.open_file(&folder, name)?.map(|file| read_start(file, at_most)).transpose()
    }

    /// Opens what has this name in a folder of the storage; `None` if nothing has it.
    pub(crate) fn open_file(&self, folder: &Folder, name: &str) -> Result<Option<File>, Failure> {
        match folder.open_file(name) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_missing(&error) => self.check().map(|()| None),
            Err(error) if is_no_file(&error) => Err(Failure::NotAFile),
            Err(error) => Err(Failure::io("open the file")(error)),
        }
    }

    /// Takes the name away; gives back the folder to sync, if there was such an object.
    pub(crate) fn remove(&self, key: &Key) -> Result<Option<Folder>, Failure> {
        let Some((folder, name)) = self.place(key)? else { return Ok(None) };
        if !is_file(&folder, name)? {
            return self.check().map(|()| None);
        }
        match folder.remove_file(name) {
            Ok(()) => Ok(Some(folder)),
            // Another client deleted it just now; its name may not be gone from the disk yet.
            Err(error) if is_missing(&error) => Ok(Some(folder)),
            Err(error) => Err(Failure::io("delete the file")(error)),
        }
    }
}

/// Opens a folder that is no link; `None` if there is none.
fn open_folder(parent: &Folder, name: &str) -> Result<Option<Folder>, Failure> {
    match parent.open_folder(name) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) if is_no_file(&error) => Err(Failure::NotAFolder),
        Err(error) => Err(Failure::io("open a folder")(error)),
    }
}

/// Whether there is a file of this name; an error if it is something else.
pub(crate) fn is_file(folder: &Folder, name: &str) -> Result<bool, Failure> {
    match folder.look(name) {
        Ok(seen) if seen.kind == Kind::File => Ok(true),
        Ok(_) => Err(Failure::NotAFile),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(Failure::io("look at the file")(error)),
    }
}

/// What the file system says of an open file.
pub(crate) fn look(file: &File) -> Result<Seen, Failure> {
    look_at(file).map_err(Failure::io("look at the file"))
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads a file to its end, and makes sure that this is where it ended when it was opened.
pub(crate) fn read(file: File) -> Result<Bytes, Failure> {
    read_start(file, usize::MAX)
}

/// Reads so many bytes of a file, or all of a shorter one.
fn read_start(file: File, at_most: usize) -> Result<Bytes, Failure> {
    let seen = look(&file)?;
    if seen.kind != Kind::File {
        return Err(Failure::NotAFile);
    }
    let size = usize::try_from(seen.size).unwrap_or(usize::MAX).min(at_most);
    let mut bytes = Vec::new();
    // An absurd size is an error, not the end of the process.
    let too_large = |_| Failure::io("hold the file")(io::ErrorKind::FileTooLarge.into());
    bytes.try_reserve_exact(size).map_err(too_large)?;
    file.take(at_most as u64).read_to_end(&mut bytes).map_err(Failure::io("read the file"))?;
    if bytes.len() == size { Ok(bytes.into()) } else { Err(Failure::Changing) }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Folder) -> Result<(), Failure> {
    folder.sync().map_err(|error| Failure::io("sync the folder")(error).with_unknown_effect())
}
