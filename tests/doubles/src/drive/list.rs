//! `files.list` and `changes.list`.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use super::files::{File, Files, Space};
use super::parameters::Parameters;
use super::{answers, fields};
use crate::Answer;

/// One condition of `q`.
enum Condition {
    In(String),
    Named(String),
    OfKind(String, bool),
    Trashed(bool),
}

const OF_FILES: &[&str] = &["kind", "nextPageToken", "incompleteSearch", "files"];
const OF_CHANGES: &[&str] = &["kind", "nextPageToken", "newStartPageToken", "changes"];

/// `files.list`. `page_size` caps that of the request; with `sparse`, every second page is empty.
pub(super) fn files(
    files: &Files,
    parameters: &Parameters,
    spaces: &[Space],
    (page_size, sparse): (usize, bool),
) -> Result<Value, Answer> {
    let space = space(parameters, spaces)?;
    let conditions = conditions(parameters.get("q").unwrap_or_default())?;
    for condition in &conditions {
        condition.check(files, spaces)?;
    }
    let by_name = conditions.iter().any(|condition| matches!(condition, Condition::Named(_)));
    let lag = if by_name { files.name_lag.max(files.list_lag) } else { files.list_lag };
    let is_indexed = |file: &&File| {
        let now = Instant::now();
        now - file.born >= lag && file.died.is_none_or(|died| now - died < lag)
    };
    let fits = |file: &&File| conditions.iter().all(|condition| condition.holds(files, file));
    let all = files.all.values().filter(|file| file.space == space);
    let mut found: Vec<&File> = all.filter(is_indexed).filter(fits).collect();
    match parameters.get("orderBy") {
        None => {}
        Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("createdTime") => found.sort_by_key(|file| file.created),
        Some(_) => return Err(answers::bad("orderBy", "Invalid Value")),
    }
    let size = parameters.number("pageSize", 1..=1000)?.unwrap_or(100).min(page_size);
    let start = page(parameters.get("pageToken"), "F")?;
    // Half of a page is a step: an odd one is empty.
    let (place, is_empty) = (start / 2, sparse && start % 2 == 1);
    let page = found.iter().skip(place).take(if is_empty { 0 } else { size });
    let page: Vec<_> = page.map(|file| files.describe(file)).collect();
    let next = if is_empty { place * 2 } else { (place + size) * 2 + usize::from(sparse) };
    let mut list = json!({"kind": "drive#fileList", "incompleteSearch": false, "files": page});
    if next / 2 < found.len() || sparse && !is_empty {
        list["nextPageToken"] = format!("F{next}").into();
    }
    let default = format!("kind,incompleteSearch,nextPageToken,files({})", fields::DEFAULT_FILE);
    fields::of_list(list, parameters.get("fields"), &default, OF_FILES, &["files"])
}

/// `changes.list`: the last change of each file since the token, oldest first.
pub(super) fn changes(
    files: &Files,
    parameters: &Parameters,
    spaces: &[Space],
) -> Result<Value, Answer> {
    let space = space(parameters, spaces)?;
    let removed = parameters.get("includeRemoved") != Some("false");
    let size = parameters.number("pageSize", 1..=1000)?.unwrap_or(100);
    let token = parameters.get("pageToken").ok_or_else(|| answers::bad("pageToken", "Required"))?;
    let start = page(Some(token), "")?;
    let (mut seen, mut latest) = (BTreeSet::new(), Vec::new());
    for (place, (id, of)) in files.changes.iter().enumerate().skip(start).rev() {
        if *of == space && seen.insert(id) {
            latest.push((place, id));
        }
    }
    latest.reverse();
    let page: Vec<_> = latest.iter().take(size).collect();
    let described = page.iter().filter_map(|(_, id)| {
        let file = files.all.get(*id)?;
        let is_gone = file.died.is_some();
        let mut change = json!({"kind": "drive#change", "changeType": "file", "fileId": id,
            "removed": is_gone, "time": humantime::format_rfc3339_millis(file.modified).to_string()});
        if !is_gone {
            change["file"] = files.describe(file);
        }
        (!is_gone || removed).then_some(change)
    });
    let mut list = json!({"kind": "drive#changeList", "changes": described.collect::<Vec<_>>()});
    match (latest.len() > size, page.last()) {
        (true, Some((last, _))) => list["nextPageToken"] = (last + 1).to_string().into(),
        _ => list["newStartPageToken"] = files.changes.len().to_string().into(),
    }
    let default =
        "kind,nextPageToken,newStartPageToken,changes(kind,changeType,fileId,removed,time)";
    fields::of_list(list, parameters.get("fields"), default, OF_CHANGES, &["changes", "file"])
}

fn space(parameters: &Parameters, spaces: &[Space]) -> Result<Space, Answer> {
    let space = Space::of(parameters.get("spaces").unwrap_or("drive"));
    let space = space.ok_or_else(|| answers::bad("spaces", "Invalid Value"))?;
    let covered = spaces.contains(&space);
    covered.then_some(space).ok_or_else(answers::insufficient_scopes)
}

fn page(token: Option<&str>, prefix: &str) -> Result<usize, Answer> {
    let Some(token) = token else { return Ok(0) };
    let number = token.strip_prefix(prefix).and_then(|number| number.parse().ok());
    number.ok_or_else(|| answers::bad("pageToken", "Invalid Value"))
}

/// The part of the query language that is used; anything else is 400, never all files.
fn conditions(q: &str) -> Result<Vec<Condition>, Answer> {
    if q.is_empty() {
        return Ok(Vec::new());
    }
    let bad = || answers::bad("q", "Invalid Value");
    q.split(" and ").map(|text| condition(text.trim()).ok_or_else(bad)).collect()
}

fn condition(text: &str) -> Option<Condition> {
    let quoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
    let plain = |text: String| {
        let plain = !text.contains(['\'', '\\']);
        plain.then_some(text)
    };
    if let Some(id) = text.strip_suffix(" in parents") {
        return Some(Condition::In(plain(quoted(id)?)?));
    }
    if let Some(name) = text.strip_prefix("name = ") {
        let name = quoted(name)?.replace("\\'", "\u{0}");
        return Some(Condition::Named(plain(name)?.replace('\u{0}', "'")));
    }
    if let Some(kind) = text.strip_prefix("mimeType = ") {
        return Some(Condition::OfKind(plain(quoted(kind)?)?, true));
    }
    if let Some(kind) = text.strip_prefix("mimeType != ") {
        return Some(Condition::OfKind(plain(quoted(kind)?)?, false));
    }
    match text {
        "trashed = false" => Some(Condition::Trashed(false)),
        "trashed = true" => Some(Condition::Trashed(true)),
        _ => None,
    }
}

impl Condition {
    /// A folder that is not there is 404, and not an empty one.
    fn check(&self, files: &Files, spaces: &[Space]) -> Result<(), Answer> {
        match self {
            Self::In(id) if !["root", "appDataFolder"].contains(&id.as_str()) => {
                let is_top = [Space::Drive, Space::AppData].iter().any(|space| space.top() == id);
                if is_top { Ok(()) } else { files.get(id, spaces).map(drop) }
            }
            _ => Ok(()),
        }
    }

    fn holds(&self, files: &Files, file: &File) -> bool {
        match self {
            Self::In(id) => match id.as_str() {
                "root" => file.parent == Space::Drive.top(),
                "appDataFolder" => file.parent == Space::AppData.top(),
                id => file.parent == id,
            },
            Self::Named(name) => file.name == *name,
            Self::OfKind(kind, is) => (file.mime_type == *kind) == *is,
            Self::Trashed(is) => files.is_trashed(file) == *is,
        }
    }
}
