//! What lies in a folder and is no document, for people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use db_to_cloud_folder::{SkipReason, Skipped, path_text};

use super::tell;
use crate::output::note;

/// Tells what is no document and why; without `-v` only what may surprise.
pub(crate) fn explain_skipped(skipped: &[Skipped], verbose: bool) {
    let is_odd = |skipped: &&Skipped| skipped.reason == SkipReason::NotUtf8;
    let surprise = |s: &&Skipped| {
        verbose
            || s.reason.needs_look()
            || matches!(s.reason, SkipReason::NotAccepted | SkipReason::Storage)
    };
    let others = skipped.iter().filter(|s| !is_odd(s) && surprise(s));
    tell(others.map(|s| format!("skipped: {s}")), verbose);
    if skipped.iter().any(|s| s.reason == SkipReason::NotAccepted) {
        note(
            "hint: look at the patterns; --accept-ignore lets them decide what goes out from here",
        );
    }
    let odd = by_name(skipped.iter().filter(is_odd));
    if odd.is_empty() {
        return;
    }
    tell(odd.iter().map(|(name, below)| line(name, *below)), verbose);
    note(
        r"hint: rename them: a name must be UTF-8 (each byte that is not is shown as \x and two digits)",
    );
}

/// The files and folders whose own name is not UTF-8. Of a folder, how many files below it are left out.
fn by_name<'a>(skipped: impl Iterator<Item = &'a Skipped>) -> BTreeMap<PathBuf, Option<usize>> {
    skipped.fold(BTreeMap::new(), |mut names, skipped| {
        let name = odd_part(&skipped.path);
        let below = names.entry(name.to_owned()).or_default();
        if name != skipped.path {
            *below = Some(below.unwrap_or(0) + 1);
        }
        names
    })
}

/// The path as far as the first name that is not UTF-8.
fn odd_part(path: &Path) -> &Path {
    path.ancestors().filter(|part| part.to_str().is_none()).last().unwrap_or(path)
}

fn line(name: &Path, below: Option<usize>) -> String {
    let name = path_text(name);
    match below {
        None => format!("skipped: {name}: {}", SkipReason::NotUtf8),
        Some(1) => format!("skipped: {name}: {}: 1 file in this folder", SkipReason::NotUtf8),
        Some(count) => {
            format!("skipped: {name}: {}: {count} files in this folder", SkipReason::NotUtf8)
        }
    }
}
