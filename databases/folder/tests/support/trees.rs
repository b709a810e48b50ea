//! Random trees, the writes that lead from one to another, and the core's way of offering them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use db_to_cloud::{Database, Outcome, Write};
use db_to_cloud_folder::FolderDatabase;

use super::write;

pub type Tree = BTreeMap<String, String>;

/// Random numbers of a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// A tree of few names, nested, so that what is a file in one is a folder in another.
pub fn tree(random: &mut Random, contents: usize) -> Tree {
    let mut tree = Tree::new();
    for _ in 0..random.below(9) {
        let depth = 1 + random.below(3);
        let names: Vec<_> = (0..depth).map(|_| ["a", "b", "c"][random.below(3)]).collect();
        let path = names.join("/");
        let clashes = |other: &String| {
            other.starts_with(&format!("{path}/")) || path.starts_with(&format!("{other}/"))
        };
        if !tree.keys().any(clashes) {
            let _ = tree.insert(path, format!("content {}", random.below(contents)));
        }
    }
    tree
}

/// The writes that lead from one tree to the other. A document that goes and one that comes with the
/// same content are a rename, if `renames`.
pub fn writes(from: &Tree, to: &Tree, renames: bool) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut gone: Vec<_> = from.iter().filter(|(path, _)| !to.contains_key(*path)).collect();
    for (path, content) in &gone {
        writes.push(write(path, None, Some(content)));
    }
    for (path, content) in to {
        let before = from.get(path);
        if before == Some(content) {
            continue;
        }
        let mut put = write(path, Some(content), before.map(String::as_str));
        if let Some(i) = gone.iter().position(|(_, c)| *c == content).filter(|_| renames) {
            put.moved_from = Some(gone.remove(i).0.as_str().into());
        }
        writes.push(put);
    }
    writes
}

/// Offers the writes in batches; those that are not done come again with the next, and at the end as
/// long as one of them is done. What is left.
pub async fn sync(
    database: &FolderDatabase,
    writes: Vec<Write>,
    size: usize,
) -> Vec<(Write, Outcome)> {
    let mut left: Vec<Write> = Vec::new();
    let mut batches: Vec<Vec<Write>> = writes.chunks(size).map(<[_]>::to_vec).collect();
    batches.reverse();
    loop {
        let next = batches.pop();
        let is_last = next.is_none();
        let mut batch = std::mem::take(&mut left);
        batch.extend(next.into_iter().flatten());
        // As the core has it: a source is named only together with its delete.
        let deletes: BTreeSet<_> =
            batch.iter().filter(|w| w.document.is_none()).map(|w| w.id.clone()).collect();
        let offered = batch.iter().cloned().map(|mut write| {
            write.moved_from = write.moved_from.filter(|from| deletes.contains(from));
            write
        });
        let outcomes = database.apply(offered.collect()).await;
        assert_eq!(outcomes.len(), batch.len());
        let is_progress = outcomes.iter().any(Outcome::is_done);
        let open = batch.into_iter().zip(outcomes).filter(|(_, outcome)| !outcome.is_done());
        let open: Vec<_> = open.collect();
        if is_last && (!is_progress || open.is_empty()) {
            return open;
        }
        left = open.into_iter().map(|(write, _)| write).collect();
    }
}

/// All files below, without the state.
pub fn files(folder: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let relative = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .replace(std::path::MAIN_SEPARATOR, "/");
            match entry.file_type().unwrap().is_dir() {
                true if relative == ".db-to-cloud" => {}
                true => folders.push(path),
                false => drop(found.insert(relative, fs::read_to_string(path).unwrap())),
            }
        }
    }
    found
}
