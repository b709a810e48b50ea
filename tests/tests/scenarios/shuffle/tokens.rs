//! Documents whose text is a set of tokens, and the judge that merges them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use db_to_cloud::{Conflict, Document, Resolution};
use db_to_cloud_tests::Judge;

use super::dice::Dice;

pub(super) type Tokens = BTreeSet<String>;

/// Joins both sides; an edit wins over a delete. Now and then the decision is put off.
pub(super) fn merging(seed: u64, resting: Arc<AtomicBool>) -> Judge {
    let dice = Mutex::new(Dice(seed ^ 0xd1ce));
    Judge::new(move |conflict| match dice.lock().expect("nobody panicked").below(4) {
        0 if !resting.load(SeqCst) => Resolution::Defer,
        _ => merge(conflict),
    })
}

fn merge(conflict: &Conflict) -> Resolution {
    let all = |d: &Document| tokens(&String::from_utf8_lossy(&d.bytes));
    match (&conflict.local, &conflict.remote) {
        (Some(local), Some(remote)) => {
            let both = all(local).union(&all(remote)).cloned().collect();
            Resolution::Merged(Document::of_content(text(&both)))
        }
        (Some(_), None) => Resolution::KeepLocal,
        (None, _) => Resolution::TakeRemote,
    }
}

pub(super) fn tokens(text: &str) -> Tokens {
    text.split_whitespace().map(str::to_owned).filter(|token| !token.starts_with('~')).collect()
}

/// Every third document is too large for its entry.
pub(super) fn text(tokens: &Tokens) -> String {
    let mut words: Vec<_> = tokens.iter().map(String::as_str).collect();
    let padding = format!("~{}", "x".repeat(5000));
    if tokens.len() % 3 == 2 {
        words.push(&padding);
    }
    words.join(" ")
}
