//! The newest record of each document, compared with the files that are there.

use std::collections::BTreeMap;

use db_to_cloud::DocumentId;

use super::files::Patient;
use super::log::{OldDocument, Problem};
use super::record::Record;

/// The newest records, by the files that they are about.
#[derive(Debug, Default)]
pub(super) struct Newest(BTreeMap<String, File>);

/// Different ids may have one file: `1` and `"1"`, or `A` and `a` at Dropbox.
#[derive(Debug)]
struct File {
    record: Record,
    others: BTreeMap<DocumentId, Record>,
}

impl Newest {
    /// Takes a record that is newer than all before.
    pub(super) fn add(&mut self, record: Record, files: &Patient, problems: &mut Vec<Problem>) {
        let Some(place) = files.files().place(&record.path) else {
            let why = "its file would lie outside of the storage".into();
            return problems.push(Problem { what: record.id.to_string(), why });
        };
        match self.0.get_mut(&place) {
            None => {
                self.0.insert(place, File { record, others: BTreeMap::new() });
            }
            Some(file) => {
                file.others.remove(&record.id);
                let before = std::mem::replace(&mut file.record, record);
                if before.id != file.record.id {
                    file.others.insert(before.id.clone(), before);
                }
            }
        }
    }

    /// The documents, by the log and by the files that are there. A list decides nothing by absence: a file
    /// that it leaves out is looked for when it is read.
    pub(super) fn compare(
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
                (Some(file), _) if file.record.is_delete => {
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
        for File { record, others } in std::mem::take(&mut self.0).into_values() {
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
