//! Documents as files in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{content, name};

pub(crate) fn write(folder: &Path, documents: usize, text: &str) {
    for document in 0..documents {
        fs::write(folder.join(name(document)), content(document, text)).unwrap();
    }
}

/// All of them, but not what db-to-cloud keeps beside them.
fn read(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let files = files.filter(|file| file.file_type().unwrap().is_file());
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect()
}

/// Fails unless all folders hold the same documents.
pub(crate) fn check(folders: &[TempDir; 3]) {
    let [first, others @ ..] = folders.each_ref().map(|folder| read(folder.path()));
    assert!(others.iter().all(|other| *other == first));
}
