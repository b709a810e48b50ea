//! What people do with files and folders.

use std::fs;
use std::io;
use std::path::Path;

use fastrand::Rng;

/// An operation on paths within the folder. Whatever is impossible is not done.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// A file is made or edited; so are the folders that it is in.
    Write { path: String, text: String },
    /// A file, or a folder with all in it, gets another name or place that is free.
    Move { from: String, to: String },
    /// Two files or folders exchange their names.
    Swap { one: String, other: String },
    /// The name changes its case.
    ChangeCase { path: String },
    /// A file is replaced by a folder of its name, with a file in it.
    FileToFolder { path: String, name: String, text: String },
    /// A folder is replaced by a file of its name.
    FolderToFile { path: String, text: String },
    /// A file, or a folder with all in it, goes.
    Delete { path: String },
    /// A file, or a folder with all in it, is copied.
    Copy { from: String, to: String },
}

/// Few names: so operations meet.
const NAMES: [&str; 3] = ["a", "Notes", "b.md"];

fn path(dice: &mut Rng) -> String {
    let depth = [1, 1, 1, 1, 1, 1, 2, 2, 3][dice.usize(..9)];
    let names: Vec<_> = (0..depth).map(|_| NAMES[dice.usize(..NAMES.len())]).collect();
    names.join("/")
}

impl Operation {
    pub(super) fn any(dice: &mut Rng, is_first: bool) -> Self {
        let text = format!("text {:08x}", dice.u32(..));
        let (one, other) = (path(dice), path(dice));
        match if is_first { 0 } else { dice.u8(..20) } {
            0..=7 => Self::Write { path: one, text },
            8..=10 => Self::Move { from: one, to: other },
            11 | 12 => Self::Swap { one, other },
            13 => Self::ChangeCase { path: one },
            14 | 15 => {
                let name = NAMES[dice.usize(..NAMES.len())].to_owned();
                Self::FileToFolder { path: one, name, text }
            }
            16 => Self::FolderToFile { path: one, text },
            17 | 18 => Self::Delete { path: one },
            _ => Self::Copy { from: one, to: other },
        }
    }

    /// Does it. An error is an operation that the file system does not allow.
    pub(super) fn make(&self, home: &Path, is_blind: bool) {
        let _ = self.try_to_make(home, is_blind);
    }

    fn try_to_make(&self, home: &Path, is_blind: bool) -> io::Result<()> {
        let at = |path: &str| home.join(path);
        match self {
            Self::Write { path, text } => write(home, path, text, is_blind),
            Self::Move { from, to } => move_to(home, from, to, is_blind),
            Self::Swap { one, other } => swap(home, one, other),
            Self::ChangeCase { path } => {
                let from = at(path);
                let name = from.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let to = match name.to_lowercase() == name {
                    true => name.to_uppercase(),
                    false => name.to_lowercase(),
                };
                let to = from.with_file_name(to);
                if !is_blind && to.exists() {
                    return Ok(());
                }
                fs::rename(&from, to)
            }
            Self::FileToFolder { path, name, text } => {
                if !at(path).is_file() {
                    return Ok(());
                }
                fs::remove_file(at(path))?;
                write(home, &format!("{path}/{name}"), text, is_blind)
            }
            Self::FolderToFile { path, text } => {
                if !at(path).is_dir() {
                    return Ok(());
                }
                fs::remove_dir_all(at(path))?;
                write(home, path, text, is_blind)
            }
            Self::Delete { path } => remove(&at(path)),
            Self::Copy { from, to } if is_free(home, to, is_blind) && !is_within(to, from) => {
                fs::create_dir_all(at(to).parent().unwrap_or(home))?;
                copy(&at(from), &at(to))
            }
            Self::Copy { .. } => Ok(()),
        }
    }
}

fn write(home: &Path, path: &str, text: &str, is_blind: bool) -> io::Result<()> {
    let target = home.join(path);
    if !target.is_file() && !is_free(home, path, is_blind) {
        return Ok(());
    }
    fs::create_dir_all(target.parent().unwrap_or(home))?;
    fs::write(target, text)
}

fn move_to(home: &Path, from: &str, to: &str, is_blind: bool) -> io::Result<()> {
    if !home.join(from).exists() || !is_free(home, to, is_blind) || is_within(to, from) {
        return Ok(());
    }
    fs::create_dir_all(home.join(to).parent().unwrap_or(home))?;
    fs::rename(home.join(from), home.join(to))
}

fn swap(home: &Path, one: &str, other: &str) -> io::Result<()> {
    let (first, second, aside) = (home.join(one), home.join(other), home.join("aside"));
    if !first.exists() || !second.exists() || is_within(one, other) || is_within(other, one) {
        return Ok(());
    }
    fs::rename(&first, &aside)?;
    fs::rename(&second, &first)?;
    fs::rename(&aside, &second)
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(|_| ());
    }
    let entries = fs::read_dir(from)?;
    fs::create_dir(to)?;
    for entry in entries {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether nothing is at this path, and where case is ignored nothing that differs in case only.
fn is_free(home: &Path, path: &str, is_blind: bool) -> bool {
    let mut folder = home.to_owned();
    for name in path.split('/') {
        let same = |entry: fs::DirEntry| {
            let there = entry.file_name().into_string().unwrap_or_default();
            is_blind && there != name && there.to_lowercase() == name.to_lowercase()
        };
        if fs::read_dir(&folder).is_ok_and(|entries| entries.flatten().any(same)) {
            return false;
        }
        folder.push(name);
    }
    !folder.exists()
}
