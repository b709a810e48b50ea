//! Which documents an old storage holds: its log, compared with the files that are there.

use std::collections::BTreeSet;

use bytes::Bytes;
use db_to_cloud::{DocumentId, Revision};
use futures::StreamExt;

use super::files::Patient;
use super::newest::Newest;
use super::record::{self, Metadata, Record, damage};
use crate::failure::Failure;

/// An old storage.
#[derive(Debug)]
pub(super) struct Old {
    pub documents: Vec<OldDocument>,
    pub problems: Vec<Problem>,
    /// `meta.json` as it was: the package writes it last.
    pub metadata: Option<Bytes>,
}

/// A document that is there, and in which file.
#[derive(Clone, Debug)]
pub(super) struct OldDocument {
    pub id: DocumentId,
    pub path: String,
    /// The revision that the log names.
    pub revision: Option<Revision>,
}

/// What is not imported as it should be, and why.
#[derive(Debug)]
pub(super) struct Problem {
    pub what: String,
    pub why: String,
}

/// Files of changes that are read at once.
const AT_ONCE: usize = 8;
/// The package writes so many records into a file.
const RECORDS: usize = 100;

/// Reads the log and the names of all files.
pub(super) async fn read(files: &Patient, name: &str) -> Result<Old, Failure> {
    let metadata = files.get("meta.json").await?;
    let (changes, listed) = (files.names("changes").await?, files.names("docs").await?);
    let numbers: BTreeSet<usize> = changes.iter().filter_map(|name| number(name)).collect();
    let is_document = |name: &String| name.ends_with(".json");
    if metadata.is_none() && numbers.is_empty() && !listed.iter().any(is_document) {
        return Err(Failure::NoStorage(name.to_owned()));
    }
    if metadata.as_deref().is_some_and(record::is_ours) {
        return Err(ours(name));
    }
    let mut problems = Vec::new();
    let count = count(metadata.as_deref(), &mut problems);
    let mut newest = Newest::default();
    for record in records(files, numbers, count, &mut problems).await?.ok_or_else(|| ours(name))? {
        newest.add(record, files, &mut problems);
    }
    let documents = newest.compare(listed, files, &mut problems);
    Ok(Old { documents, problems, metadata })
}

fn ours(name: &str) -> Failure {
    Failure::Usage(format!(
        "{name:?} is a storage of this program, not of the JavaScript db-to-cloud: sync with it"
    ))
}

fn number(name: &str) -> Option<usize> {
    let digits = name.strip_suffix(".json")?;
    digits.parse().ok().filter(|n: &usize| n.to_string() == digits)
}

/// How many records count; `None` if it is not known: then all of them.
fn count(metadata: Option<&[u8]>, problems: &mut Vec<Problem>) -> Option<usize> {
    let why = match metadata.map(serde_json::from_slice::<Metadata>) {
        Some(Ok(metadata)) => return Some(metadata.last_change.unwrap_or(0)),
        Some(Err(error)) => damage(&error),
        None => "it is missing: a device was stopped in the first sync, or it was deleted".into(),
    };
    problems
        .push(Problem { what: "meta.json".into(), why: format!("{why}; all of the log counts") });
    None
}

/// All records, the last one decides; `None` if the log is one of this program. Those of a push that was stopped before it wrote `meta.json` do not
/// count, and come first: but for the kind of an id, each other one overrules them.
async fn records(
    files: &Patient,
    mut numbers: BTreeSet<usize>,
    count: Option<usize>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Vec<Record>>, Failure> {
    let expected = count.unwrap_or(0).div_ceil(RECORDS);
    // What a list leaves out may be there all the same. A false number must not make this endless.
    let unlisted: Vec<_> = (0..expected).filter(|n| !numbers.contains(n)).take(RECORDS).collect();
    numbers.extend(unlisted);
    let read = async |n: usize| (n, files.get(&format!("changes/{n}.json")).await);
    let mut read = futures::stream::iter(numbers).map(read).buffered(AT_ONCE);
    let (mut log, mut stopped) = (Vec::new(), Vec::new());
    while let Some((n, bytes)) = read.next().await {
        let what = || format!("changes/{n}.json");
        let lost = |why: String| Problem {
            what: what(),
            why: format!(
                "{why}; documents that no other change names are imported by their file names"
            ),
        };
        let parsed = match bytes? {
            Some(bytes) if record::is_ours(&bytes) => return Ok(None),
            Some(bytes) => record::changes(&bytes).map_err(lost),
            None => Err(lost("it is missing".into())),
        };
        let parsed = parsed.unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        for (i, record) in parsed.into_iter().enumerate() {
            match record {
                Ok(record) if count.is_none_or(|count| n * RECORDS + i < count) => log.push(record),
                Ok(record) => stopped.push(record),
                Err(why) => problems.push(Problem { what: format!("{}, record {i}", what()), why }),
            }
        }
    }
    stopped.append(&mut log);
    Ok(Some(stopped))
}
