//! Any tree that one device can hold is reached from any other, by batches of any size, with the
//! writes that were blocked offered again as the core does.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use db_to_cloud::{Database, Outcome, Write};
use db_to_cloud_folder::FolderDatabase;
use support::{notes, notes_in_memory, write};

type Tree = BTreeMap<String, String>;

/// Random numbers of a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// A tree of few names, nested, so that what is a file in one is a folder in another.
fn tree(random: &mut Random, contents: usize) -> Tree {
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
fn writes(from: &Tree, to: &Tree, renames: bool) -> Vec<Write> {
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
fn files(folder: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let relative = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            match entry.file_type().unwrap().is_dir() {
                true if relative == ".db-to-cloud" => {}
                true => folders.push(path),
                false => drop(found.insert(relative, fs::read_to_string(path).unwrap())),
            }
        }
    }
    found
}

async fn reach(seed: u64, contents: usize, renames: bool) {
    for size in [1, 2, 3, usize::MAX] {
        for shuffled in [false, true] {
            let mut random = Random(seed);
            let (from, to) = (tree(&mut random, contents), tree(&mut random, contents));
            let notes = notes_in_memory();
            from.iter().for_each(|(path, content)| notes.save(path, content));
            notes.save(".db-to-cloud-ignore", "*.mine\n");
            let mut writes = writes(&from, &to, renames);
            // In the order in which they were committed: deletes and puts as they come.
            if shuffled {
                random.shuffle(&mut writes);
            }
            let what =
                format!("seed {seed}, {size} a batch, shuffled {shuffled}: {from:?} to {to:?}");
            let left = sync(&notes.database, writes, size).await;
            assert!(left.is_empty(), "{what}: {left:?}");
            let mut found = files(&notes.path);
            assert_eq!(found.remove(".db-to-cloud-ignore").unwrap(), "*.mine\n");
            assert_eq!(found, to, "{what}");
            let listed: BTreeMap<_, _> = notes.list().await;
            assert_eq!(listed.len(), to.len() + 1, "{what}");
            // Only what the sweep removes after its time.
            assert!(
                notes.left_over().iter().all(|file| {
                    file.file_name().unwrap().to_str().unwrap().starts_with("old-")
                })
            );
        }
    }
}

#[tokio::test]
async fn any_tree_is_reached_from_any_other() {
    for seed in 0..60 {
        reach(seed, 1000, false).await;
    }
}

#[tokio::test]
async fn any_tree_is_reached_from_any_other_by_renames() {
    for seed in 1000..1060 {
        // Few contents, so that most changes are renames and swaps.
        reach(seed, 4, true).await;
    }
}

#[tokio::test]
async fn files_and_folders_swap_their_names() {
    let cases: [(&[(&str, &str)], &[(&str, &str)]); 6] = [
        (&[("a", "1"), ("b", "2")], &[("a", "2"), ("b", "1")]),
        (&[("a/x", "1"), ("b/x", "2"), ("b/y", "3")], &[("b/x", "1"), ("a/x", "2"), ("a/y", "3")]),
        (&[("a", "1"), ("b/c", "2")], &[("a/c", "2"), ("b", "1")]),
        (&[("a", "1")], &[("a/a/a", "1")]),
        (&[("a/a/a", "1"), ("a/b", "2")], &[("a", "1"), ("b", "2")]),
        (&[("a", "1"), ("b", "2"), ("c", "3")], &[("b", "1"), ("c", "2"), ("d", "3")]),
    ];
    let tree = |files: &[(&str, &str)]| -> Tree {
        files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
    };
    for (from, to) in cases {
        for (renames, size) in [(true, 1), (true, 9), (false, 1), (false, 9)] {
            let (from, to, notes) = (tree(from), tree(to), notes());
            from.iter().for_each(|(path, content)| notes.save(path, content));
            let left = sync(&notes.database, writes(&from, &to, renames), size).await;
            assert!(left.is_empty(), "{from:?} to {to:?}: {left:?}");
            assert_eq!(files(&notes.path), to);
        }
    }
}
