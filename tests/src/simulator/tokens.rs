//! Documents whose text is a set of tokens: an edit adds a new one, a merge keeps both sides'. So
//! each edit can be found again in the end.

use std::collections::BTreeSet;

use db_to_cloud::Document;

/// What an edit adds; no two edits add the same.
pub(super) type Tokens = BTreeSet<String>;

/// Bytes that make a document too large for the body of an entry.
const PADDING: usize = 150;

pub(super) fn of(document: &Document) -> Tokens {
    of_text(&document.bytes)
}

pub(super) fn of_text(bytes: &[u8]) -> Tokens {
    let text = String::from_utf8_lossy(bytes);
    text.split_whitespace().map(str::to_owned).filter(|word| !word.starts_with('~')).collect()
}

/// The same set gives the same text. Every third document is too large for its entry.
pub(super) fn text(tokens: &Tokens) -> String {
    let mut words: Vec<_> = tokens.iter().map(String::as_str).collect();
    let padding = format!("~{}", "x".repeat(PADDING));
    if tokens.len() % 3 == 2 {
        words.push(&padding);
    }
    words.join(" ")
}
