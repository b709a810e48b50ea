//! Which documents an old storage holds: its log, compared with the files that are there.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use db_to_cloud::{DocumentId, Revision};
use futures::StreamExt;

use super::files::Patient;
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
    let mut problems = Vec::new();
    let count = count(metadata.as_deref(), name, &mut problems)?;
    let records = records(files, numbers, count, &mut problems).await?;
    let mut log = Log::default();
    for record in records {
        log.add(record, files, &mut problems);
    }
    let documents = log.finish(listed, files, &mut problems);
    Ok(Old { documents, problems, metadata })
}

fn number(name: &str) -> Option<usize> {
    let digits = name.strip_suffix(".json")?;
    digits.parse().ok().filter(|n: &usize| n.to_string() == digits)
}

/// How many records count; all of them, if it is not known.
fn count(
    metadata: Option<&[u8]>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<usize>, Failure> {
    let Some(bytes) = metadata else { return Ok(Some(0)) };
    match serde_json::from_slice::<Metadata>(bytes) {
        Ok(Metadata { format: Some(_), .. }) => Err(Failure::Usage(format!(
            "{name:?} is a storage of this program, not of the JavaScript db-to-cloud: sync with it"
        ))),
        Ok(metadata) => Ok(Some(metadata.last_change.unwrap_or(0))),
        Err(error) => {
            let why = format!("{}; the log is read to its end", damage(&error));
            problems.push(Problem { what: "meta.json".into(), why });
            Ok(None)
        }
    }
}

/// All records, the last one decides. Those of a push that was stopped before it wrote `meta.json` do not
/// count, and come first: but for the kind of an id, each other one overrules them.
async fn records(
    files: &Patient,
    mut numbers: BTreeSet<usize>,
    count: Option<usize>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Record>, Failure> {
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
    Ok(stopped)
}

/// The newest records, by the files that they are about.
#[derive(Debug, Default)]
struct Log(BTreeMap<String, Newest>);

/// Different ids may have one file: `1` and `"1"`, or `A` and `a` at Dropbox.
#[derive(Debug)]
struct Newest {
    record: Record,
    others: BTreeMap<DocumentId, Record>,
}

impl Log {
    fn add(&mut self, record: Record, files: &Patient, problems: &mut Vec<Problem>) {
        let Some(place) = files.files().place(&record.path) else {
            let why = "its file would lie outside of the storage".into();
            return problems.push(Problem { what: record.id.to_string(), why });
        };
        match self.0.get_mut(&place) {
            None => {
                self.0.insert(place, Newest { record, others: BTreeMap::new() });
            }
            Some(newest) => {
                newest.others.remove(&record.id);
                let before = std::mem::replace(&mut newest.record, record);
                if before.id != newest.record.id {
                    newest.others.insert(before.id.clone(), before);
                }
            }
        }
    }

    /// Compares with the files that are there.
    fn finish(
        mut self,
        listed: Vec<String>,
        files: &Patient,
        problems: &mut Vec<Problem>,
    ) -> Vec<OldDocument> {
        let mut documents = Vec::new();
        for name in listed {
            let path = format!("docs/{name}");
            let why = match (
                self.0.get(&files.files().listed_place(&path)),
                name.strip_suffix(".json"),
            ) {
                (Some(newest), _) if newest.record.is_delete => {
                    "the log says that it was deleted, but its file is there again: a device was stopped \
                     while it pushed it; not imported"
                }
                (Some(_), _) => continue,
                (None, Some(id)) => {
                    let path = files.files().listed_path(&path);
                    documents.push(OldDocument { id: id.into(), path, revision: None });
                    "the log does not name this file: imported, with its file name as its id"
                }
                (None, None) if name.starts_with('.') => continue,
                (None, None) => "this is no document's file; not imported",
            };
            problems.push(Problem { what: path, why: why.into() });
        }
        for Newest { record, others } in std::mem::take(&mut self.0).into_values() {
            for other in others.into_values().filter(|other| !other.is_delete) {
                let why = format!(
                    "its file {} was overwritten or deleted for another id, {:?}",
                    other.path, record.id
                );
                problems.push(Problem { what: format!("{:?}", other.id), why });
            }
            if !record.is_delete {
                let Record { id, path, revision, .. } = record;
                documents.push(OldDocument { id, path, revision });
            }
        }
        documents
    }
}
