//! File systems that are mounted inside the folder. The system tells of no file that appears or vanishes
//! with a mount, but that the list of all mounts changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::notices::{BLIND, Notices};
use super::shared;

/// One file system mounted on a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    /// The number of the mount: one that is made again has another.
    number: String,
    /// The file system that others write to.
    shared: Option<&'static str>,
}

/// What is mounted inside the folder, as of the last look.
#[derive(Debug)]
pub(super) struct Mounts {
    root: PathBuf,
    /// On the folder itself.
    root_shared: Option<&'static str>,
    inside: BTreeMap<PathBuf, Mount>,
    /// What went away and was told of.
    gone: BTreeSet<PathBuf>,
    /// Where others write, as far as it was told.
    told: BTreeSet<PathBuf>,
}

impl Mounts {
    /// Looks for the first time.
    pub(super) async fn of(root: PathBuf) -> Self {
        let (root_shared, inside) = look(root.clone()).await;
        Self { root, root_shared, inside, gone: BTreeSet::new(), told: BTreeSet::new() }
    }

    /// Looks again, and tells what went away or came back. Whether anything is different.
    pub(super) async fn look(&mut self, notices: &Notices) -> bool {
        let (root_shared, inside) = look(self.root.clone()).await;
        let before = std::mem::replace(&mut self.inside, inside);
        let is_new = before != self.inside || root_shared != self.root_shared;
        self.root_shared = root_shared;
        for path in before.keys().filter(|path| !self.inside.contains_key(*path)) {
            self.gone.insert(path.clone());
            notices.tell(format!(
                "{path:?} is not mounted any more: the other files are synced, and those on it when it is back"
            ));
        }
        for path in self.inside.keys().filter(|path| self.gone.remove(*path)) {
            notices.tell(format!("{path:?} is mounted again"));
        }
        is_new
    }

    /// Has the folder compared every so often if others write to a part of it, and tells it once.
    pub(super) fn tell_shared(&mut self, notices: &Notices) {
        let inside = self.inside.iter().map(|(path, mount)| (path, mount.shared));
        let all = [(&self.root, self.root_shared)].into_iter().chain(inside);
        let shared: Vec<_> = all.filter_map(|(path, name)| Some((path, name?))).collect();
        notices.set_shared(!shared.is_empty());
        for (path, name) in shared {
            if self.told.insert(path.clone()) {
                notices.tell(format!(
                    "{path:?} is on a file system ({name}) that does not tell of edits by other machines: \
                     the folder is compared every {} s",
                    BLIND.as_secs()
                ));
            }
        }
    }
}

type Found = (Option<&'static str>, BTreeMap<PathBuf, Mount>);

/// A file system that does not answer holds up nothing else.
async fn look(root: PathBuf) -> Found {
    let look = move || {
        let table = table();
        let is_local = |path: &Path| table.iter().rev().find(|line| path.starts_with(&line.on));
        // A disk of this machine that is read by a program (ntfs-3g, exfat-fuse).
        let is_local = |path: &Path| is_local(path).is_some_and(|line| line.kind == "fuseblk");
        let shared = |path: &Path| shared::name(path).filter(|_| !is_local(path));
        let inside = table.iter().filter(|line| line.on != root && line.on.starts_with(&root));
        let mount = |line: &Line| Mount { number: line.number.clone(), shared: shared(&line.on) };
        let inside = inside.map(|line| (line.on.clone(), mount(line))).collect();
        (shared(&root), inside)
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// A line of the table of mounts.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    number: String,
    /// The folder.
    on: PathBuf,
    /// The file system.
    kind: String,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const TABLE: &str = "/proc/self/mountinfo";

/// All mounts, the later ones above the earlier.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn table() -> Vec<Line> {
    let table = std::fs::read(TABLE).unwrap_or_default();
    table.split(|byte| *byte == b'\n').filter_map(line).collect()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn table() -> Vec<Line> {
    Vec::new()
}

/// Reads `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/sda1 rw`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn line(line: &[u8]) -> Option<Line> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let mut words = line.split(|byte| *byte == b' ');
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let number = text(words.next()?);
    let on = OsString::from_vec(unescaped(words.nth(3)?)).into();
    let kind = text(words.skip_while(|word| *word != b"-").nth(1)?);
    Some(Line { number, on, kind })
}

/// Blanks and backslashes of a path are written as `\040`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn unescaped(mut word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(word.len());
    while let Some((first, rest)) = word.split_first() {
        let code =
            rest.get(..3).filter(|_| *first == b'\\').and_then(|c| std::str::from_utf8(c).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                word = &rest[3..];
            }
            None => {
                bytes.push(*first);
                word = rest;
            }
        }
    }
    bytes
}

/// Notices each change of the table that concerns the folder, from now on until what it answers is dropped.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn notice(root: &Path, notices: Arc<Notices>) -> Option<PipeWriter> {
    // Without the table the comparison every ten minutes is left.
    let table = std::fs::File::open(TABLE).ok()?;
    let (end, keep) = std::io::pipe().ok()?;
    let (root, mut before) = (root.to_owned(), concerning(root));
    std::thread::spawn(move || {
        while changes(&table, &end) {
            let now = concerning(&root);
            if now != before {
                before = now;
                notices.mounts_changed();
            }
        }
    });
    Some(keep)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn notice(_: &Path, _: Arc<Notices>) -> Option<PipeWriter> {
    None
}

/// Waits for a change of the table; false at the end.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn changes(table: &std::fs::File, end: &std::io::PipeReader) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let change = PollFlags::PRI.union(PollFlags::ERR);
    let mut files = [PollFd::new(table, change), PollFd::new(end, PollFlags::IN)];
    let polled = poll(&mut files, None);
    // A signal interrupts it.
    matches!(polled, Ok(_) | Err(rustix::io::Errno::INTR)) && files[1].revents().is_empty()
}

/// What is mounted inside the folder, on it, or above it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn concerning(root: &Path) -> Vec<Line> {
    let concerns = |line: &Line| line.on.starts_with(root) || root.starts_with(&line.on);
    table().into_iter().filter(concerns).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mounts_is_read() {
        let text = br"36 35 98:0 /a /mnt/my\040disk\134 rw,noatime master:1 shared:2 - fuse.sshfs host:/a rw";
        let expected =
            Line { number: "36".into(), on: r"/mnt/my disk\".into(), kind: "fuse.sshfs".into() };
        assert_eq!(line(text), Some(expected));
        let plain = line(b"25 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw");
        assert_eq!(plain.map(|line| line.kind), Some("ext4".into()));
        assert_eq!(line(b""), None);
        assert!(table().iter().any(|line| line.on == Path::new("/proc") && line.kind == "proc"));
    }
}
