//! The folders and files of the storage, opened one level at a time and never through a link.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use db_to_cloud::Key;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, fsync, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::error::Failure;
use crate::modes::Modes;

/// The folder for files that do not have their name yet. It begins with a dot, so that no key can
/// name it. It also marks the storage: where it is missing, nothing is taken for absent. A copy that
/// cannot be written may lack it; there the folder of the log is the mark.
pub(crate) const SCRATCH: &str = ".tmp";

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The root folder as one operation sees it. It is opened anew each time: a handle that is kept
/// would keep a drive from being unmounted, and would not see another one take its place.
#[derive(Debug)]
pub(crate) struct Tree {
    root: File,
    /// The folder without which this is not the storage that was opened.
    mark: &'static str,
}

/// The folder for temporary files, open.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) folder: File,
    /// Of what is written there.
    pub(crate) modes: Modes,
}

impl Tree {
    /// Opens a storage that has this mark.
    pub(crate) fn open(root: &Path, mark: &'static str) -> Result<Self, Failure> {
        // The user named this path: links in it are the user's.
        match openat(CWD, root, FOLDER, Mode::empty()) {
            Ok(root) => Ok(Self { root: root.into(), mark }),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(Failure::RootGone),
            Err(errno) => Err(Failure::system("open the folder")(errno)),
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
        match statat(&self.root, self.mark, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => Ok(()),
            Ok(_) => Err(Failure::NotAFolder),
            Err(Errno::NOENT) => Err(Failure::RootReplaced),
            Err(errno) => Err(Failure::system("look at a folder")(errno)),
        }
    }

    /// A folder of the storage; `None` if it does not exist, while the storage surely does.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<File>, Failure> {
        let folder = open_folder(&self.root, name)?;
        if folder.is_none() {
            self.check()?;
        }
        Ok(folder)
    }

    /// A folder of the storage, made if it does not exist.
    pub(crate) fn make_folder(&self, name: &str) -> Result<File, Failure> {
        if let Some(folder) = open_folder(&self.root, name)? {
            return Ok(folder);
        }
        if name != self.mark {
            // Nothing is made in the folder of somebody else.
            self.check()?;
        }
        match mkdirat(&self.root, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Failure::system("make a folder")(errno)),
        }
        let folder = open_folder(&self.root, name)?.ok_or(Failure::RootReplaced)?;
        Modes::of(&self.root)?.share_folder(&folder);
        self.sync()?;
        Ok(folder)
    }

    /// Lets others use a folder of the storage, if they may (see [`Modes::share_folder`]).
    pub(crate) fn share(&self, folder: &File) -> Result<(), Failure> {
        Modes::of(&self.root).map(|modes| modes.share_folder(folder))
    }

    /// Makes the names in the root folder durable.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        sync_folder(&self.root)
    }

    /// Where an object is: an open folder and the name in it; `None` if there is no such folder.
    pub(crate) fn place<'a>(&self, key: &'a Key) -> Result<Option<(File, &'a str)>, Failure> {
        let Some((folder, name)) = key.split() else {
            return Ok(Some((self.same_root()?, key.as_str())));
        };
        Ok(self.folder(folder)?.map(|folder| (folder, name)))
    }

    /// Where an object will be; its folder is made.
    pub(crate) fn make_place<'a>(&self, key: &'a Key) -> Result<(File, &'a str), Failure> {
        match key.split() {
            Some((folder, name)) => Ok((self.make_folder(folder)?, name)),
            None => Ok((self.same_root()?, key.as_str())),
        }
    }

    pub(crate) fn same_root(&self) -> Result<File, Failure> {
        self.root.try_clone().map_err(Failure::io("open the folder"))
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
    pub(crate) fn open_file(&self, folder: &File, name: &str) -> Result<Option<File>, Failure> {
        // Without NONBLOCK a pipe of this name would make us wait for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(folder, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => self.check().map(|()| None),
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => Err(Failure::NotAFile),
            Err(errno) => Err(Failure::system("open the file")(errno)),
        }
    }

    /// Takes the name away; gives back the folder to sync, if there was such an object.
    pub(crate) fn remove(&self, key: &Key) -> Result<Option<File>, Failure> {
        let Some((folder, name)) = self.place(key)? else { return Ok(None) };
        if !is_file(&folder, name)? {
            return self.check().map(|()| None);
        }
        match unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) => Ok(Some(folder)),
            // Another client deleted it just now; its name may not be gone from the disk yet.
            Err(Errno::NOENT) => Ok(Some(folder)),
            Err(errno) => Err(Failure::system("delete the file")(errno)),
        }
    }
}

/// Opens a folder that is no link; `None` if there is none.
fn open_folder(parent: &File, name: &str) -> Result<Option<File>, Failure> {
    match openat(parent, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(folder) => Ok(Some(folder.into())),
        Err(Errno::NOENT) => Ok(None),
        // Systems differ in what they answer when NOFOLLOW meets a link.
        Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Err(Failure::NotAFolder),
        Err(errno) => Err(Failure::system("open a folder")(errno)),
    }
}

/// Whether there is a file of this name; an error if it is something else.
pub(crate) fn is_file(folder: &File, name: &str) -> Result<bool, Failure> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => Ok(true),
        Ok(_) => Err(Failure::NotAFile),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(Failure::system("look at the file")(errno)),
    }
}

/// What the file system says of an open file.
pub(crate) fn look(file: &File) -> Result<Stat, Failure> {
    fstat(file).map_err(Failure::system("look at the file"))
}

/// Reads a file to its end, and makes sure that this is where it ended when it was opened.
pub(crate) fn read(file: File) -> Result<Bytes, Failure> {
    read_start(file, usize::MAX)
}

/// Reads so many bytes of a file, or all of a shorter one.
fn read_start(file: File, at_most: usize) -> Result<Bytes, Failure> {
    let stat = look(&file)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(Failure::NotAFile);
    }
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX).min(at_most);
    let mut bytes = Vec::new();
    // An absurd size is an error, not the end of the process.
    bytes.try_reserve_exact(size).map_err(|_| Failure::system("hold the file")(Errno::FBIG))?;
    file.take(at_most as u64).read_to_end(&mut bytes).map_err(Failure::io("read the file"))?;
    if bytes.len() == size { Ok(bytes.into()) } else { Err(Failure::Changing) }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &File) -> Result<(), Failure> {
    match synced(folder, folder.sync_all()) {
        // Some network and FUSE file systems sync no folders; they leave nothing else to be done.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        Err(errno) => Err(Failure::system("sync the folder")(errno).with_unknown_effect()),
    }
}

/// Forces the content of a file to the disk, as far as the file system is able to. Its times may
/// come later: nothing here depends on them after a crash.
pub(crate) fn force_to_disk(file: &File) -> Result<(), Errno> {
    synced(file, file.sync_data())
}

fn synced(file: &File, result: std::io::Result<()>) -> Result<(), Errno> {
    let Err(error) = result else { return Ok(()) };
    match Errno::from_io_error(&error).unwrap_or(Errno::IO) {
        // On macOS that was F_FULLFSYNC, which network shares do not have.
        Errno::INVAL | Errno::NOTSUP | Errno::NOTTY if cfg!(target_vendor = "apple") => fsync(file),
        errno => Err(errno),
    }
}
