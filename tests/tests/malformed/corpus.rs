//! The corpus of `fuzz/`, through the very functions that the fuzzers call.

use std::fs;
use std::path::PathBuf;

use db_to_cloud_tests::fuzz::{TARGETS, seeds};

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

#[test]
fn the_corpus_of_each_fuzz_target_keeps_its_promise() {
    for (name, target) in TARGETS {
        let files: Vec<_> = fs::read_dir(corpus(name)).unwrap().map(Result::unwrap).collect();
        assert!(files.len() >= 5, "the corpus of {name} has only {} inputs", files.len());
        for file in files {
            let bytes = fs::read(file.path()).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                panic!("{name} breaks its promise on {}", file.path().display());
            }
        }
    }
}

#[test]
fn healthy_inputs_keep_every_promise() {
    let seeds = seeds();
    for (name, target) in TARGETS {
        let own: Vec<_> = seeds.iter().filter(|(of, _)| *of == name).collect();
        assert!(!own.is_empty(), "{name} has no healthy input");
        own.iter().for_each(|(_, bytes)| target(bytes));
    }
}

/// `cargo test -p db-to-cloud-tests --test malformed write_seeds -- --ignored`
#[test]
#[ignore = "writes the healthy inputs into fuzz/corpus, to begin a corpus with"]
fn write_seeds() {
    for (i, (target, bytes)) in seeds().into_iter().enumerate() {
        fs::create_dir_all(corpus(target)).unwrap();
        fs::write(corpus(target).join(format!("seed-{i}")), bytes).unwrap();
    }
}
