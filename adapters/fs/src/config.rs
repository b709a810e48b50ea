//! Who else writes to the folder.

/// How the devices share the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// All devices use one file system: the folder is on a local disk, a drive that is carried
    /// around, or a network share. `create` is atomic if the file system is able to; opening the
    /// folder finds out.
    #[default]
    SameFileSystem,
    /// Each device has a copy of the folder, and another program, such as Syncthing, Dropbox or
    /// OneDrive, carries the files between them. Two devices can then create the same file, so that
    /// the storage is [weak](db_to_cloud::Atomicity::Weak): commits are protected by the lock only,
    /// and only as far as that program is quick. A folder with the marks of such a program in it or around
    /// it (`.stfolder`, `.dropbox.cache` and others) is taken for one whatever is said. Prefer the program's own server, where there is an
    /// adapter for it.
    SyncedByOtherProgram,
}
