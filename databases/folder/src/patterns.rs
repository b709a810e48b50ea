//! Which files stay out: the files `.db-to-cloud-ignore`.
//!
//! What this device uploads is decided here alone (rule F2): an ignore file that came from the storage has no
//! effect until a person accepts it. One that cannot be understood ends the sync, as what it was meant
//! to keep out must not go out.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::content::{hash_of, revision};
use crate::error::FolderError;
use crate::path::parent;
use crate::record::Record;
use crate::root::{Root, prefixes};

/// The name of the files that say what to ignore.
pub(crate) const IGNORE_FILE: &str = ".db-to-cloud-ignore";
/// No ignore file is larger.
const LARGEST: u64 = 1 << 20;

/// Why something is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The path of the ignore file, relative to the folder.
    pub(crate) file: String,
    /// The pattern as it is written there.
    pub(crate) pattern: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pattern {:?} in {}", self.pattern, self.file)
    }
}

/// The patterns that concern a folder: its own and those of the folders above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    file: String,
    patterns: Gitignore,
    above: Chain,
}

impl Chain {
    /// With the text of an ignore file.
    fn with(&self, root: &Root, file: &str, text: Option<&str>) -> Result<Self, FolderError> {
        let Some(text) = text else { return Ok(self.clone()) };
        let mut builder = GitignoreBuilder::new(root.full(parent(file)));
        let failed = |line: usize, error: &ignore::Error| FolderError::Pattern {
            path: root.full(file),
            line,
            why: error.to_string(),
        };
        builder.case_insensitive(root.folds()).map_err(|e| failed(0, &e))?;
        for (i, line) in text.lines().enumerate() {
            if has_open_class(line) {
                let (path, why) = (root.full(file), "it has a [ without its ]".to_owned());
                return Err(FolderError::Pattern { path, line: i + 1, why });
            }
            builder.add_line(None, line).map_err(|e| failed(i + 1, &e))?;
        }
        let patterns = builder.build().map_err(|e| failed(0, &e))?;
        Ok(Self(Some(Arc::new(Link { file: file.to_owned(), patterns, above: self.clone() }))))
    }

    /// What ignores this entry, if anything does. Of the ignore files the nearest that says something about it
    /// decides. Whether a folder above is ignored is the caller's to find out.
    pub(crate) fn rule(&self, root: &Root, path: &Path, is_folder: bool) -> Option<Rule> {
        let mut link = self.0.as_ref()?;
        let full = root.path().join(path);
        loop {
            match link.patterns.matched(&full, is_folder) {
                Match::Ignore(glob) => {
                    let pattern = glob.original().to_owned();
                    return Some(Rule { file: link.file.clone(), pattern });
                }
                Match::Whitelist(_) => return None,
                Match::None => link = link.above.0.as_ref()?,
            }
        }
    }
}

/// The patterns of a folder that count, and those that would if what came from the storage were accepted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) accepted: Chain,
    /// `None` if there is no difference.
    pub(crate) offered: Option<Chain>,
}

impl Patterns {
    /// With the ignore file of this folder, if it has one; and whether that file waits to be accepted.
    pub(crate) fn enter(
        &self,
        root: &Root,
        record: &Record,
        folder: &str,
    ) -> Result<(Self, bool), FolderError> {
        let file = ignore_file(folder);
        let bytes = read(root, &file)?;
        let Some(accepted) = accepted(record, &file, bytes.as_deref()) else {
            let text = bytes.map(|bytes| text_of(root, &file, &bytes)).transpose()?;
            let with = |chain: &Chain| chain.with(root, &file, text.as_deref());
            let offered = self.offered.as_ref().map(with).transpose()?;
            return Ok((Self { accepted: with(&self.accepted)?, offered }, false));
        };
        // One that cannot be understood offers nothing.
        let text = bytes.and_then(|bytes| text_of(root, &file, &bytes).ok());
        let is_new = text != accepted;
        let above = self.offered.as_ref().unwrap_or(&self.accepted);
        let accepted = self.accepted.with(root, &file, accepted.as_deref())?;
        let offered = above.with(root, &file, text.as_deref()).unwrap_or_else(|_| accepted.clone());
        Ok((Self { accepted, offered: Some(offered) }, is_new))
    }
}

/// Whether a `[` has no `]`: git never matches such a pattern, and the builder takes the `[` as it is.
pub(crate) fn has_open_class(line: &str) -> bool {
    let (mut characters, mut is_open) = (line.chars().peekable(), false);
    if line.starts_with('#') {
        return false;
    }
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '[' if !is_open => {
                is_open = true;
                characters.next_if(|c| matches!(c, '!' | '^'));
                // As the first one it is part of the class.
                characters.next_if_eq(&']');
            }
            ']' => is_open = false,
            _ => {}
        }
    }
    is_open
}

/// Whether this path is that of an ignore file.
pub(crate) fn is_ignore_file(root: &Root, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == IGNORE_FILE || root.folds() && name.eq_ignore_ascii_case(IGNORE_FILE)
}

/// The path of the ignore file of a folder.
pub(crate) fn ignore_file(folder: &str) -> String {
    if folder.is_empty() { IGNORE_FILE.to_owned() } else { format!("{folder}/{IGNORE_FILE}") }
}

/// The text that counts instead of what lies there, if that came from the storage and was not accepted.
fn accepted(record: &Record, file: &str, bytes: Option<&[u8]>) -> Option<Option<String>> {
    let arrived = record.arrived.get(file)?;
    let found = bytes.map(|bytes| revision(&hash_of(bytes)).to_string());
    arrived.contents.contains(&found).then(|| arrived.accepted.clone())
}

/// The ignore files that wait to be accepted and differ from what counts.
pub(crate) fn waiting(root: &Root, record: &Record) -> Vec<PathBuf> {
    let waits = |file: &&String| {
        let Ok(bytes) = read(root, file) else { return false };
        let text = || bytes.as_deref().and_then(|bytes| text_of(root, file, bytes).ok());
        accepted(record, file, bytes.as_deref()).is_some_and(|accepted| accepted != text())
    };
    record.arrived.keys().filter(waits).map(PathBuf::from).collect()
}

/// The text that counts at this moment for a file that something from the storage is about to replace.
pub(crate) fn text_that_counts(
    root: &Root,
    record: &Record,
    file: &str,
) -> Result<Option<String>, FolderError> {
    let bytes = read(root, file)?;
    match accepted(record, file, bytes.as_deref()) {
        Some(text) => Ok(text),
        None => bytes.map(|bytes| text_of(root, file, &bytes)).transpose(),
    }
}

/// Whether a file with this path is ignored: by a rule of its own, or as a folder above it is. What cannot be
/// understood ignores nothing here: then the file counts as a document, and what is in its way waits.
pub(crate) fn is_ignored(root: &Root, record: &Record, path: &str) -> bool {
    let mut patterns = Patterns::default();
    prefixes(path).any(|(prefix, _)| {
        if let Ok((here, _)) = patterns.enter(root, record, parent(prefix)) {
            patterns = here;
        }
        let is_folder = prefix.len() < path.len();
        patterns.accepted.rule(root, Path::new(prefix), is_folder).is_some()
    })
}

/// The bytes of an ignore file; `None` if there is none. A link is followed, since none comes from a storage.
fn read(root: &Root, file: &str) -> Result<Option<Vec<u8>>, FolderError> {
    let path = root.full(file);
    let failed = |source| FolderError::IgnoreFile { path: path.clone(), source };
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // The folder cannot be entered, or it is a file: then nothing in it is listed either.
        Err(_) => return Ok(None),
    }
    let found = path.metadata().map_err(failed)?;
    // A pipe would make us wait for ever.
    let why = match found.is_file() {
        false => "it is no file",
        true if found.len() > LARGEST => "it is larger than 1 MiB",
        true => "",
    };
    if !why.is_empty() {
        return Err(failed(std::io::Error::other(why)));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).map_err(failed)?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// The text in these bytes: UTF-8, or UTF-16 with its mark at the start, as some editors write it.
pub(crate) fn text_of(root: &Root, file: &str, bytes: &[u8]) -> Result<String, FolderError> {
    let unfit = |line: usize, why: &str| FolderError::Pattern {
        path: root.full(file),
        line,
        why: why.to_owned(),
    };
    let line = |end: usize| bytes[..end].split(|byte| *byte == b'\n').count();
    let units = |of: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect()
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes)),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes);
            Ok(text.map_err(|e| unfit(line(e.valid_up_to()), "it is not UTF-8"))?.to_owned())
        }
    };
    let text = text.map_err(|_| unfit(1, "it is not whole UTF-16"))?;
    match text.lines().position(|line| line.contains('\0')) {
        Some(line) => Err(unfit(line + 1, "it has a NUL character: save it as UTF-8")),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_is_not_closed_is_found() {
        for open in ["[", "a[", "a[]", "a[!]", "**private[/", "[a]b[", "\\[[a"] {
            assert!(has_open_class(open), "{open}");
        }
        for closed in ["", "a", "[a]", "[]]", "[!]]", "\\[", "]", "# [", "[[]", "[a-z]/[b]"] {
            assert!(!has_open_class(closed), "{closed}");
        }
    }
}
