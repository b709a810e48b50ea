//! What became of every edit, as somebody who sees all devices at once knows it.
//!
//! An edit adds a token, and a token may go only if
//! - somebody deleted the document that had it, or put an older text in its place; or
//! - no copy of it is left: the only device that had it was lost or rolled back, or the storage that
//!   held it went back to a backup ([`Oracle::excuse_what_has_no_copy`]).
//!
//! A token that somebody deleted may live only if
//! - the application decided so in a conflict; or
//! - the delete was not committed when its device forgot it, or its device did not know the document
//!   as a synced one, or the log, which had gone back, did not have it, or had a delete of it already,
//!   which stands or falls for both; or
//! - somebody restored an older text that has it; or
//! - the storage went back to a backup since: it has forgotten deletes.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::Tokens;

#[derive(Debug, Default)]
pub(super) struct Oracle {
    tokens: BTreeMap<String, Fact>,
}

#[derive(Debug, Default)]
struct Fact {
    /// The document it was added to.
    document: String,
    /// Devices whose delete of it still stands.
    deleted_by: BTreeSet<usize>,
    /// It need not be there in the end.
    may_go: bool,
    /// The application kept it against a delete, and the others have not heard of that yet.
    kept: bool,
}

impl Oracle {
    pub(super) fn added(&mut self, document: &str, token: String) {
        self.tokens.insert(token, Fact { document: document.to_owned(), ..Fact::default() });
    }

    /// A user deleted a document with these tokens. For those that its device did not know to be in
    /// the log there is no delete to commit.
    pub(super) fn deleted(&mut self, device: usize, tokens: &Tokens, known: &Tokens) {
        self.each(tokens, |fact| fact.may_go = true);
        self.each(known, |fact| {
            // A second delete of what is kept against the first is the same delete.
            if !fact.kept {
                fact.deleted_by.insert(device);
            }
        });
    }

    /// A user put an older text in the place of one with these tokens.
    pub(super) fn took_back(&mut self, tokens: &Tokens) {
        self.each(tokens, |fact| fact.may_go = true);
    }

    /// Somebody wants these to be there, whoever deleted them before.
    pub(super) fn wanted(&mut self, tokens: &Tokens) {
        self.each(tokens, |fact| fact.deleted_by.clear());
    }

    /// In a conflict the application let the edit of another win over the delete on its device: that
    /// is not committed, also as to what the device saw of the document and the winner does not have.
    pub(super) fn gave_up_delete(&mut self, device: usize, document: &str) {
        for fact in self.tokens.values_mut().filter(|fact| fact.document == document) {
            fact.deleted_by.remove(&device);
        }
    }

    /// The application let its edit win over the delete of another.
    pub(super) fn kept_against_delete(&mut self, tokens: &Tokens) {
        self.each(tokens, |fact| fact.kept = true);
    }

    /// The same of what somebody deleted and then put something else in its place.
    pub(super) fn kept_against_former_deletes(&mut self, tokens: &Tokens) {
        self.each(tokens, |fact| fact.kept |= !fact.deleted_by.is_empty());
    }

    /// These are in a commit: who deletes them from now on knows them, or is asked.
    pub(super) fn committed(&mut self, tokens: &Tokens) {
        self.each(tokens, |fact| fact.kept = false);
    }

    /// A device forgot deletes that it had not committed: those of what the head still has, and of
    /// what never was in the log.
    pub(super) fn forgot_deletes(&mut self, device: usize, head: &Tokens, published: &Tokens) {
        for (token, fact) in &mut self.tokens {
            if head.contains(token) || !published.contains(token) {
                fact.deleted_by.remove(&device);
            }
        }
    }

    /// The storage forgot deletes.
    pub(super) fn all_deletes_forgotten(&mut self) {
        self.tokens.values_mut().for_each(|fact| fact.deleted_by.clear());
    }

    /// Copies were destroyed; these are all that are left.
    pub(super) fn excuse_what_has_no_copy(&mut self, left: &Tokens) {
        for (_, fact) in self.tokens.iter_mut().filter(|(token, _)| !left.contains(*token)) {
            fact.may_go = true;
        }
    }

    pub(super) fn may_go(&self, token: &str) -> bool {
        self.tokens.get(token).is_none_or(|fact| fact.may_go)
    }

    /// Tokens that must be there and are not among these.
    pub(super) fn lost(&self, found: &Tokens) -> Vec<String> {
        let lost = self.tokens.iter().filter(|(token, f)| !f.may_go && !found.contains(*token));
        lost.map(|(token, fact)| format!("{token} of {}", fact.document)).collect()
    }

    /// Tokens among these that were deleted for good.
    pub(super) fn risen(&self, found: &Tokens) -> Vec<String> {
        let dead = |token: &&String| {
            self.tokens.get(*token).is_some_and(|fact| !fact.deleted_by.is_empty())
        };
        found.iter().filter(dead).cloned().collect()
    }

    fn each(&mut self, tokens: &Tokens, mut act: impl FnMut(&mut Fact)) {
        for token in tokens {
            if let Some(fact) = self.tokens.get_mut(token) {
                act(fact);
            }
        }
    }
}
