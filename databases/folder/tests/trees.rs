//! Any tree that one device can hold is reached from any other, by batches of any size, with the
//! writes that were blocked offered again as the core does.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

mod support;

use std::collections::BTreeMap;

use support::trees::{Random, Tree, files, sync, tree, writes};
use support::{notes, notes_in_memory};

type Files<'a> = &'a [(&'a str, &'a str)];

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
    let cases: [(Files<'_>, Files<'_>); 6] = [
        (&[("a", "1"), ("b", "2")], &[("a", "2"), ("b", "1")]),
        (&[("a/x", "1"), ("b/x", "2"), ("b/y", "3")], &[("b/x", "1"), ("a/x", "2"), ("a/y", "3")]),
        (&[("a", "1"), ("b/c", "2")], &[("a/c", "2"), ("b", "1")]),
        (&[("a", "1")], &[("a/a/a", "1")]),
        (&[("a/a/a", "1"), ("a/b", "2")], &[("a", "1"), ("b", "2")]),
        (&[("a", "1"), ("b", "2"), ("c", "3")], &[("b", "1"), ("c", "2"), ("d", "3")]),
    ];
    let tree = |files: Files<'_>| -> Tree {
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
