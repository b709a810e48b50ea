//! Unix: the family of `openat`.
#![allow(clippy::unnecessary_cast, reason = "the types differ by system")]

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, fsync, linkat, mkdirat, openat,
    renameat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::seen::{Entry, Kind, Seen, no_file};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder(File);

impl Folder {
    /// Opens the folder with this path, over links.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, FOLDER, Mode::empty())?.into()))
    }

    /// Another handle of it.
    pub(crate) fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Its handle.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Makes a folder that only its owner can use; `AlreadyExists` if there is something of this name.
    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        Ok(mkdirat(&self.0, name, Mode::RWXU)?)
    }

    pub(crate) fn open_folder(&self, name: &str) -> io::Result<Self> {
        match openat(&self.0, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(folder) => Ok(Self(folder.into())),
            // Systems differ in what they answer when NOFOLLOW meets a link.
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Err(no_file()),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        // Without NONBLOCK a pipe of this name would make us wait for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => Err(no_file()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes a file that must not exist, and that only its owner can read.
    pub(crate) fn create_new(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    pub(crate) fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Seen> {
        Ok(seen(&statat(&self.0, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The entries, without `.` and `..`.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
        let entry = |entry: rustix::io::Result<rustix::fs::DirEntry>| match entry {
            Ok(entry) => {
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                let is_self = name == "." || name == "..";
                (!is_self)
                    .then(|| Ok(Entry { name: name.to_owned(), kind: kind(entry.file_type()) }))
            }
            Err(errno) => Some(Err(errno.into())),
        };
        Ok(Dir::read_from(&self.0)?.filter_map(entry))
    }

    pub(crate) fn remove_file(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(unlinkat(&self.0, name.as_ref(), AtFlags::empty())?)
    }

    /// Gives a file a second name, which must be free.
    pub(crate) fn link(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(linkat(&self.0, name, &to.0, new, AtFlags::empty())?)
    }

    /// Moves a file to another name, in place of a file that has it.
    pub(crate) fn rename(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(renameat(&self.0, name, &to.0, new)?)
    }

    /// Moves a file to a name that must be free, if the system has such a call.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(crate) fn rename_new(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(
            &self.0,
            name,
            &to.0,
            new,
            rustix::fs::RenameFlags::NOREPLACE,
        )?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(crate) fn rename_new(&self, _: &str, _: &Self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether a rename without replacing is decided by this kernel alone. On a Windows share the client
    /// looks first and then asks the server to replace (`ReplaceIfExists = 1` in Linux's cifs): two
    /// machines may both win. FUSE file systems promise nothing.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn renames_locally(&self) -> bool {
        const FAT: i64 = 0x4d44;
        const EXFAT: i64 = 0x2011_bab0;
        rustix::fs::fstatfs(&self.0).is_ok_and(|stat| matches!(stat.f_type as i64, FAT | EXFAT))
    }

    /// On macOS a file system offers this only if it does it itself (`VOL_CAP_INT_RENAME_EXCL`).
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn renames_locally(&self) -> bool {
        cfg!(target_vendor = "apple")
    }

    /// Makes the names in it durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match synced(&self.0, self.0.sync_all()) {
            // Some network and FUSE file systems sync no folders; they leave nothing else to be done.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            synced => Ok(synced?),
        }
    }
}

/// What the file system says of an open file.
pub(crate) fn look_at(file: &File) -> io::Result<Seen> {
    Ok(seen(&fstat(file)?))
}

/// Forces the content of a file to the disk, as far as the file system is able to. Its times may
/// come later: nothing here depends on them after a crash.
pub(crate) fn force_to_disk(file: &File) -> io::Result<()> {
    Ok(synced(file, file.sync_data())?)
}

/// The same of a file that was opened for reading.
pub(crate) fn force_opened(_: &Folder, _: &str, file: &File) -> io::Result<()> {
    force_to_disk(file)
}

fn synced(file: &File, result: io::Result<()>) -> Result<(), Errno> {
    let Err(error) = result else { return Ok(()) };
    match Errno::from_io_error(&error).unwrap_or(Errno::IO) {
        // On macOS that was F_FULLFSYNC, which network shares do not have.
        Errno::INVAL | Errno::NOTSUP | Errno::NOTTY if cfg!(target_vendor = "apple") => fsync(file),
        errno => Err(errno),
    }
}

fn seen(stat: &Stat) -> Seen {
    Seen {
        kind: kind(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Other),
        size: stat.st_size as u64,
        identity: (stat.st_dev as u64, stat.st_ino as u64),
        seconds: stat.st_mtime as i64,
        mode: stat.st_mode as u32 & 0o7777,
    }
}

fn kind(found: FileType) -> Option<Kind> {
    match found {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Folder),
        FileType::Unknown => None,
        _ => Some(Kind::Other),
    }
}
