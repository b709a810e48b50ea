//! Which files this device syncs: `.db-to-cloud/selection.json` (rule C8).
//!
//! A file that is missing stands for all files. One that cannot be understood ends each sync: it never stands for
//! all files, as there may be no room for them here.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use db_to_cloud::{DocumentId, Selects};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

use crate::error::FolderError;
use crate::path::is_below;
use crate::patterns::has_open_class;
use crate::root::prefixes;
use crate::state_folder::write_whole;

const FORMAT: u32 = 1;
const FILE: &str = "selection.json";
/// Characters with a meaning in a pattern.
const SPECIAL: [char; 6] = ['*', '?', '[', ']', '\\', '!'];

/// Which files of a folder are synced on this device, by patterns in the syntax of `.gitignore`, relative to the
/// folder. The default is all of them.
///
/// A file is selected if it matches a pattern of `only` or lies below what does, or if there are none; and if
/// neither it nor a folder above it matches a pattern of `exclude`. As with git the last pattern that
/// matches decides, and one that begins with `!` takes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<String>,
    exclude: Vec<String>,
}

impl Selection {
    /// A selection by these patterns. A `./` at the start of a pattern stands for the folder.
    ///
    /// # Errors
    /// [`FolderError::SelectionPattern`] if one cannot be understood or never matches.
    pub fn new(
        only: impl IntoIterator<Item = String>,
        exclude: impl IntoIterator<Item = String>,
    ) -> Result<Self, FolderError> {
        let spelled = |pattern: String| match pattern.strip_prefix("./") {
            Some(rest) => format!("/{rest}"),
            None => pattern,
        };
        let selection = Self {
            only: only.into_iter().map(spelled).collect(),
            exclude: exclude.into_iter().map(spelled).collect(),
        };
        Compiled::new(selection.clone(), false)?;
        Ok(selection)
    }

    /// Whether all files are selected.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.exclude.is_empty()
    }

    /// The patterns of what is selected; if there are none, all files are.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// The patterns of what is not selected.
    pub fn exclude(&self) -> &[String] {
        &self.exclude
    }
}

/// A selection that can be asked.
#[derive(Debug)]
pub(crate) struct Compiled {
    selection: Selection,
    only: Gitignore,
    exclude: Gitignore,
    /// The paths that `only` names, if all its patterns are such: then no other folder need be entered.
    named: Option<Vec<String>>,
}

impl Compiled {
    fn new(selection: Selection, folds: bool) -> Result<Self, FolderError> {
        let (only, exclude) = (build(&selection.only, folds)?, build(&selection.exclude, folds)?);
        let named = selection.only.iter().map(|pattern| named(pattern)).collect();
        let named = if folds { None } else { named };
        Ok(Self { selection, only, exclude, named })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.selection.is_everything()
    }

    /// Whether a file with this path is selected.
    pub(crate) fn has(&self, path: &str) -> bool {
        let is_only = self.only.is_empty() || matches_any(&self.only, path, false);
        is_only && !matches_any(&self.exclude, path, false)
    }

    /// Whether something below this folder may be selected. It errs on this side.
    pub(crate) fn may_hold(&self, folder: &str) -> bool {
        let is_on_the_way =
            |named: &String| named == folder || is_below(named, folder) || is_below(folder, named);
        let is_only = match &self.named {
            Some(named) if !named.is_empty() => named.iter().any(is_on_the_way),
            _ => true,
        };
        is_only && !matches_any(&self.exclude, folder, true)
    }
}

impl Selects for Compiled {
    fn mark(&self) -> String {
        let Selection { only, exclude } = &self.selection;
        serde_json::to_string(&(only, exclude)).unwrap_or_default()
    }

    /// What is no path of a file is excluded only by what is.
    fn has(&self, id: &DocumentId) -> bool {
        id.as_str().is_none_or(|path| Compiled::has(self, path))
    }
}

/// Whether a pattern matches the path or a folder above it.
fn matches_any(patterns: &Gitignore, path: &str, is_folder: bool) -> bool {
    prefixes(path).any(|(prefix, _)| {
        let is_folder = is_folder || prefix.len() < path.len();
        matches!(patterns.matched(prefix, is_folder), Match::Ignore(_))
    })
}

fn build(patterns: &[String], folds: bool) -> Result<Gitignore, FolderError> {
    let mut builder = GitignoreBuilder::new("");
    let failed = |pattern: &str, why: String| FolderError::SelectionPattern {
        pattern: pattern.to_owned(),
        why,
    };
    builder.case_insensitive(folds).map_err(|e| failed("", e.to_string()))?;
    for pattern in patterns {
        let why = match pattern.as_str() {
            text if text.trim().is_empty() || text.trim_matches('/').is_empty() => "it is empty",
            text if text.starts_with('#') => "it is a comment: write \\# for a name that begins so",
            text if text.contains(['\n', '\r', '\0']) => "it has more than one line, or a NUL",
            text if has_open_class(text) => "it has a [ without its ]",
            text if is_outside(text) => "it leads out of the folder: patterns are relative to it",
            _ => "",
        };
        if !why.is_empty() {
            return Err(failed(pattern, why.to_owned()));
        }
        builder.add_line(None, pattern).map_err(|e| failed(pattern, e.to_string()))?;
    }
    let all = || patterns.join(" ");
    builder.build().map_err(|e| failed(&all(), e.to_string()))
}

/// Whether a segment of the pattern is `..`, which never matches.
fn is_outside(pattern: &str) -> bool {
    pattern.trim_start_matches('!').split('/').any(|segment| segment == "..")
}

/// The path that a pattern names, if it names one.
fn named(pattern: &str) -> Option<String> {
    let path = pattern.trim_end_matches('/');
    let is_anchored = path.contains('/');
    let is_plain = !path.contains(SPECIAL) && !path.ends_with(' ');
    (is_anchored && is_plain).then(|| path.trim_start_matches('/').to_owned())
}

/// The file, and the selection that counts.
#[derive(Debug)]
pub(crate) struct Selections {
    folder: PathBuf,
    /// Whether the file system ignores case.
    folds: bool,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    /// The one that is not saved.
    tried: Option<Selection>,
    /// The one that the last sync was given.
    given: Option<Arc<Compiled>>,
}

/// The content of the file.
#[derive(Debug, Deserialize, Serialize)]
struct Saved {
    format: u32,
    only: Vec<String>,
    exclude: Vec<String>,
}

impl Selections {
    pub(crate) fn new(folder: PathBuf, folds: bool) -> Self {
        Self { folder, folds, now: Mutex::default() }
    }

    /// The selection in the file.
    pub(crate) fn saved(&self) -> Result<Selection, FolderError> {
        let path = self.folder.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Selection::default());
            }
            Err(error) => return Err(FolderError::io("read", path)(error)),
        };
        let damaged = |source: io::Error| FolderError::Selection { path: path.clone(), source };
        let Saved { format, only, exclude } =
            serde_json::from_slice(&bytes).map_err(|e| damaged(e.into()))?;
        if format != FORMAT {
            return Err(damaged(io::Error::other(format!("its format is {format}"))));
        }
        Selection::new(only, exclude).map_err(|e| damaged(io::Error::other(e)))
    }

    /// Writes the file. Readers see the old or the new content.
    pub(crate) fn save(&self, selection: Selection) -> Result<(), FolderError> {
        let path = self.folder.join(FILE);
        let Selection { only, exclude } = selection;
        let saved = Saved { format: FORMAT, only, exclude };
        write_whole(&self.folder, &path, &saved).map_err(FolderError::io("write", path.clone()))?;
        self.lock().tried = None;
        Ok(())
    }

    /// From now on this one counts here, and is not saved.
    pub(crate) fn try_out(&self, selection: Selection) {
        self.lock().tried = Some(selection);
    }

    /// The selection that counts from now on.
    pub(crate) fn give(&self) -> Result<Arc<Compiled>, FolderError> {
        let tried = self.lock().tried.clone();
        let selection = tried.map_or_else(|| self.saved(), Ok)?;
        let mut now = self.lock();
        if let Some(given) = now.given.as_ref().filter(|given| given.selection == selection) {
            return Ok(given.clone());
        }
        let compiled = Arc::new(Compiled::new(selection, self.folds)?);
        now.given = Some(compiled.clone());
        Ok(compiled)
    }

    /// The selection that the last sync was given; the one that counts now, if there was none.
    pub(crate) fn given(&self) -> Result<Arc<Compiled>, FolderError> {
        let given = self.lock().given.clone();
        given.map_or_else(|| self.give(), Ok)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(only: &[&str], exclude: &[&str]) -> Compiled {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let selection = Selection::new(owned(only), owned(exclude)).unwrap();
        Compiled::new(selection, false).unwrap()
    }

    fn selected(only: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let compiled = compiled(only, exclude);
        let files = ["a", "docs/a", "docs/b/c.txt", "photos/2024/x.jpg", "x/docs/a", "x/c.txt"];
        let is_found = |path: &&str| {
            let folders = prefixes(path).filter(|(prefix, _)| prefix.len() < path.len());
            folders.map(|(prefix, _)| prefix).all(|folder| compiled.may_hold(folder))
        };
        let has: Vec<_> = files.into_iter().filter(|path| compiled.has(path)).collect();
        let listed: Vec<_> = has.iter().filter(|path| is_found(path)).copied().collect();
        assert_eq!(has, listed, "what is selected is in a folder that is entered");
        has
    }

    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        assert_eq!(selected(&[], &[]).len(), 6);
        assert_eq!(selected(&["/docs"], &[]), ["docs/a", "docs/b/c.txt"]);
        assert_eq!(selected(&["./docs/"], &[]), ["docs/a", "docs/b/c.txt"]);
        assert_eq!(selected(&["docs"], &[]), ["docs/a", "docs/b/c.txt", "x/docs/a"]);
        assert_eq!(selected(&["docs/b", "/a"], &[]), ["a", "docs/b/c.txt"]);
        assert_eq!(selected(&["*.txt"], &[]), ["docs/b/c.txt", "x/c.txt"]);
        assert_eq!(selected(&["*.txt"], &["/x"]), ["docs/b/c.txt"]);
        assert_eq!(selected(&[], &["docs", "a"]), ["photos/2024/x.jpg", "x/c.txt"]);
        assert_eq!(selected(&[], &["/*", "!/docs"]), ["docs/a", "docs/b/c.txt"]);
        assert_eq!(selected(&["/docs", "/photos"], &["20*"]), ["docs/a", "docs/b/c.txt"]);
    }

    #[test]
    fn folders_without_anything_selected_are_not_entered() {
        let only = compiled(&["photos/2024"], &[]);
        assert!(only.may_hold("photos") && only.may_hold("photos/2024/x"));
        assert!(!only.may_hold("docs") && !only.may_hold("photos/2023"));
        assert!(!compiled(&[], &["docs"]).may_hold("x/docs"));
        assert!(compiled(&["*.txt"], &[]).may_hold("docs"));
    }

    #[test]
    fn a_pattern_that_cannot_be_understood_is_named() {
        for pattern in ["", " ", "/", "# a", "a[", "a\nb", "../a", "!a/../b", "{a"] {
            let error = Selection::new([], ["fine".to_owned(), pattern.to_owned()]).unwrap_err();
            let is_it =
                matches!(&error, FolderError::SelectionPattern { pattern: p, .. } if p == pattern);
            assert!(is_it, "{pattern:?}: {error}");
        }
    }

    #[test]
    fn a_selection_is_kept_and_a_damaged_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let selections = || Selections::new(folder.path().to_owned(), false);
        assert!(selections().saved().unwrap().is_everything());
        let docs = Selection::new(["/docs".to_owned()], []).unwrap();
        selections().save(docs.clone()).unwrap();
        assert_eq!(selections().saved().unwrap(), docs);
        for text in [
            "",
            "{",
            "{}",
            r#"{"format":2,"only":[],"exclude":[]}"#,
            r#"{"format":1,"only":["["],"exclude":[]}"#,
        ] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let error = selections().give().unwrap_err();
            assert!(matches!(error, FolderError::Selection { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_tried_out_is_not_saved_and_a_sync_sees_what_another_process_saved() {
        let folder = tempfile::tempdir().unwrap();
        let selections = Selections::new(folder.path().to_owned(), false);
        let docs = Selection::new(["/docs".to_owned()], []).unwrap();
        selections.try_out(docs.clone());
        assert!(!selections.given().unwrap().has("a"));
        assert!(selections.saved().unwrap().is_everything());
        let other = Selections::new(folder.path().to_owned(), false);
        assert!(other.given().unwrap().has("a"));
        selections.save(docs).unwrap();
        assert!(other.given().unwrap().has("a"), "as the last sync was given it");
        assert!(!other.give().unwrap().has("a"));
    }
}
