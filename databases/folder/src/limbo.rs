//! `.db-to-cloud/tmp`: files that are not yet, or no longer, documents.
//!
//! - `new-…` is being written. It is renamed when it is whole and on the disk.
//! - `old-…` was a document, or is about to swap places with one. Its name says which contents it
//!   may have without being needed, and where it was. Any other content is an edit that no sync
//!   has seen: one that was made in the moment of the swap, or later by a program that still had
//!   the file open. [`crate::sweep`] brings such an edit back into the folder.
//! - `mid-…` was a document and is half-way through a swap, on a system that swaps in two steps. If the process is
//!   stopped then, nothing may have its name, so that its content is needed whatever it is.
//!
//! So nothing that was taken out of the folder is deleted before it lay still for a while and was
//! read once more.

use std::fs::File;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use crate::attributes::{Bits, Wanted};
use crate::content::{Hash, hash_of_file};
use crate::path::LONGEST_NAME;
use crate::stamp::{Look, Stamp};
use crate::sys::{self, Clock, Dir};

/// How many seconds an old file must have been left alone. A program that keeps a file open for longer
/// while it is replaced, and only then writes into it, writes into nowhere.
const GRACE: u64 = 60;
/// So many nanoseconds before it was written a new file's time is: more than a tick of any clock but FAT's.
const BEFORE: i64 = 20_000_000;
const CLOCK: &str = "clock";
pub(crate) const NEW: &str = "new-";
const OLD: &str = "old-";
/// In place of [`OLD`], as long as that.
const BETWEEN: &str = "mid-";
/// A swap in two steps takes less time.
const SWAP: Duration = Duration::from_secs(2);

/// The folder of files in between.
#[derive(Debug)]
pub(crate) struct Limbo {
    folder: Dir,
    clock: Clock,
    /// Whether the file system keeps permission bits.
    pub(crate) bits: Bits,
    /// Whether the file system can swap two files, as far as is known.
    pub(crate) swaps: AtomicBool,
    /// How many seconds an old file must have been left alone before it is swept.
    pub(crate) grace: AtomicU64,
}

/// What the name of an `old-…` file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Old {
    /// Halves of the hashes of the contents that are not needed any more.
    known: [String; 2],
    /// It was half-way through a swap: if nothing has its name it is needed, whatever its content.
    pub(crate) is_between: bool,
    /// Where it was; `None` if the path was too long for the name.
    pub(crate) path: Option<String>,
}

/// The permission bits of a new file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Permissions {
    /// These, less those of the umask, as for any file that a program makes.
    Usual(u32),
    /// These.
    Exactly(u32),
    /// Those that it has, as a version wants them: it is a file that was moved.
    Own(Wanted),
}

impl Permissions {
    /// Those of a version that replaces a file with these bits, or none.
    pub(crate) fn new(replaced: Option<u32>, wanted: Wanted) -> Self {
        let exactly = replaced.map(|mode| wanted.upon(mode)).or_else(|| wanted.private());
        exactly.map_or_else(|| Self::Usual(wanted.usual()), Self::Exactly)
    }
}

impl Limbo {
    /// Opens or makes the folder `tmp` in the state folder.
    pub(crate) fn open(state: &Dir) -> io::Result<Self> {
        match state.make_folder("tmp", 0o700) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let folder = state.open_folder("tmp")?;
        let clock = Clock::open(&folder, CLOCK)?;
        let (bits, swaps) = (Bits::find(&folder), AtomicBool::new(true));
        Ok(Self { folder, clock, bits, swaps, grace: AtomicU64::new(GRACE) })
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Dir {
        &self.folder
    }

    /// Now, by the clock that stamps the files; `None` if it cannot be told. The machine's clock is
    /// another one on a network drive.
    pub(crate) fn clock(&self) -> Option<i64> {
        self.clock.now().ok()
    }

    /// Writes a file, which is not on the disk yet; its name in here, and by what it is recognised if nobody
    /// edits it.
    pub(crate) fn write(
        &self,
        bytes: &[u8],
        permissions: Permissions,
    ) -> io::Result<(String, Option<Stamp>)> {
        let name = format!("{NEW}{}", random()?);
        let mode = match permissions {
            Permissions::Usual(mode) => mode,
            Permissions::Exactly(_) | Permissions::Own(_) => 0o600,
        };
        let mut file = self.folder.create_new(&name, mode)?;
        match file.write_all(bytes) {
            Ok(()) => Ok((name, mark(&file, bytes.len()))),
            Err(error) => {
                self.remove(&name);
                Err(error)
            }
        }
    }

    /// Brings a file that was written to the disk, with its permission bits.
    ///
    /// It is opened anew, for a process may not have as many files open as a batch has. A failure of
    /// the disk since the write is told to this handle too: Linux keeps it until somebody has heard it.
    pub(crate) fn sync(&self, name: &str, permissions: Permissions) -> io::Result<()> {
        let file = self.folder.open_to_sync(name)?;
        let mode = match permissions {
            Permissions::Usual(_) => return file.sync_data(),
            Permissions::Exactly(mode) => mode,
            Permissions::Own(wanted) => {
                let mode = sys::facts_of(&file)?.mode & 0o777;
                if wanted.upon(mode) == mode {
                    return file.sync_data();
                }
                wanted.upon(mode)
            }
        };
        // A file system without permissions refuses; then there are none to keep.
        let _ = sys::set_mode(&file, mode);
        file.sync_all()
    }

    /// A free name for a file that was at `path` and has one of these contents.
    pub(crate) fn old_name(
        &self,
        path: &str,
        expected: &Hash,
        new: Option<&Hash>,
    ) -> io::Result<String> {
        let new = new.map_or_else(|| "none".to_owned(), half);
        let start = format!("{OLD}{}-{}-{new}-", random()?, half(expected));
        let escaped = path.replace('%', "%25").replace('/', "%2F");
        let fits = start.len() + escaped.len() <= LONGEST_NAME;
        Ok(if fits { start + &escaped } else { start })
    }

    /// Gives a written file its name as an old one, before it swaps places with a document.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.rename(from, &self.folder, to)
    }

    /// Swaps a file in here with a document; `Ok(false)` if this file system cannot.
    pub(crate) fn exchange(&self, old: &str, folder: &Dir, name: &str) -> io::Result<bool> {
        if !self.swaps.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let between = old.replacen(OLD, BETWEEN, 1);
        let swapped = self.folder.exchange(old, &between, folder, name)?;
        self.swaps.store(swapped, Ordering::Relaxed);
        Ok(swapped)
    }

    /// Gives a document a second name in here, if the file system has links.
    pub(crate) fn link(&self, folder: &Dir, name: &str, old: &str) -> bool {
        folder.link(name, &self.folder, old).is_ok()
    }

    /// The stamp and the hash of a file in here; `None` if it is no file or not at rest.
    pub(crate) fn hash(&self, name: &str) -> io::Result<Option<(Stamp, Hash)>> {
        let mut file = self.folder.open_file(name)?;
        let before = sys::facts_of(&file)?.look;
        let Look::File { stamp, .. } = before else { return Ok(None) };
        let hash = hash_of_file(&mut file, stamp.size)?;
        let after = sys::facts_of(&file)?.look;
        Ok(matches!(after, Look::File { stamp: now, .. } if now == stamp).then_some((stamp, hash)))
    }

    /// Whether a file in here has exactly this content.
    pub(crate) fn holds(&self, name: &str, hash: &Hash) -> bool {
        matches!(self.hash(name), Ok(Some((_, found))) if found == *hash)
    }

    /// Removes a file that nobody can miss.
    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = self.folder.remove_file(name) {
            tracing::debug!(name, %error, "a temporary file could not be removed");
        }
    }
}

impl Old {
    /// Reads the name of an old file; `None` if it is another kind of file.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let is_between = name.starts_with(BETWEEN);
        let rest = name.strip_prefix(if is_between { BETWEEN } else { OLD })?;
        let mut parts = rest.splitn(4, '-').skip(1);
        let known = [parts.next()?.to_owned(), parts.next()?.to_owned()];
        let path = parts.next()?.replace("%2F", "/").replace("%25", "%");
        Some(Self { known, is_between, path: Some(path).filter(|path| !path.is_empty()) })
    }

    /// How long it must have been left alone, if that is so long for others.
    pub(crate) fn grace(&self, usual: Duration) -> Duration {
        if self.is_between { SWAP.min(usual) } else { usual }
    }

    /// Whether this content is needed no more.
    pub(crate) fn knows(&self, hash: &Hash) -> bool {
        self.known.contains(&half(hash))
    }
}

/// Sets the time of a file that was just written back a little, so that each later edit changes it: also one in
/// the same tick of the file system's clock. `None` if the file system does not take such a time.
fn mark(file: &File, len: usize) -> Option<Stamp> {
    let found = sys::facts_of(file).ok()?;
    let mtime = found.mtime - BEFORE;
    let time = UNIX_EPOCH + Duration::from_nanos(u64::try_from(mtime).ok()?);
    file.set_modified(time).ok()?;
    Some(Stamp { size: len as u64, mtime, ctime: found.moved, inode: found.inode })
}

fn half(hash: &Hash) -> String {
    hex::encode(&hash[..16])
}

/// Sixteen hexadecimal digits: consecutive numbers from a random one on.
pub(crate) fn random() -> io::Result<String> {
    static NEXT: OnceLock<AtomicU64> = OnceLock::new();
    let next = match NEXT.get() {
        Some(next) => next,
        None => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            NEXT.get_or_init(|| AtomicU64::new(u64::from_ne_bytes(bytes)))
        }
    };
    Ok(format!("{:016x}", next.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_old_file_tells_where_it_was_and_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let state = Dir::open(folder.path()).unwrap();
        let limbo = Limbo::open(&state).unwrap();
        for path in ["a", "a-b/c%2F/d%.md", "日本/é", "%25"] {
            let name = limbo.old_name(path, &[1; 32], Some(&[2; 32])).unwrap();
            let old = Old::parse(&name).unwrap();
            assert_eq!(old.path.as_deref(), Some(path));
            assert!(old.knows(&[1; 32]) && old.knows(&[2; 32]) && !old.knows(&[3; 32]));
            let minute = Duration::from_secs(60);
            assert_eq!(old.grace(minute), minute);
            let between = Old::parse(&name.replacen(OLD, BETWEEN, 1)).unwrap();
            assert!(between.path == old.path && between.is_between && between.knows(&[1; 32]));
            assert_eq!(
                (between.grace(minute), between.grace(Duration::ZERO)),
                (SWAP, Duration::ZERO)
            );
            assert_ne!(limbo.old_name(path, &[1; 32], Some(&[2; 32])).unwrap(), name);
        }
        let name = limbo.old_name(&"x".repeat(300), &[1; 32], None).unwrap();
        assert_eq!(Old::parse(&name).unwrap().path, None);
        assert_eq!(Old::parse("new-123"), None);
    }

    /// Others must not be able to open it before it has its place, either. On Windows a file is as private as
    /// its folder.
    #[cfg(unix)]
    #[test]
    fn a_private_file_is_private_from_its_first_moment_on() {
        let folder = tempfile::tempdir().unwrap();
        let limbo = Limbo::open(&Dir::open(folder.path()).unwrap()).unwrap();
        let private = Wanted::of(&Bits::Kept.attributes(0o700));
        for (replaced, mode) in [(None, 0o700), (Some(0o664), 0o700)] {
            let permissions = Permissions::new(replaced, private);
            let (name, _) = limbo.write(b"secret", permissions).unwrap();
            assert_eq!(limbo.folder.facts(&name).unwrap().mode & 0o177, 0, "{replaced:?}");
            limbo.sync(&name, permissions).unwrap();
            assert_eq!(limbo.folder.facts(&name).unwrap().mode, mode);
        }
    }
}
