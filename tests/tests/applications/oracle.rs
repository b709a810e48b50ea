//! What must be true when all devices have synced and nothing moves.

use std::collections::{HashMap, HashSet};

use db_to_cloud::Resolution;

use crate::application::{Application, Tree, id_text};
use crate::resolver::Question;

type Version = (String, String);

/// What the users did.
#[derive(Default)]
pub(crate) struct Oracle {
    /// So many operations were made.
    operations: usize,
    /// How often an operation gave a document this essence, and the last that did.
    made: HashMap<Version, (usize, usize)>,
    /// What an operation took away while its user saw it, and the last that did.
    replaced: HashMap<Version, usize>,
    /// By which device.
    made_on: HashSet<(usize, String, Option<String>)>,
}

impl Oracle {
    /// An operation on a device turned its documents into others.
    pub(crate) fn edited<A: Application>(
        &mut self,
        app: &A,
        on: usize,
        before: &Tree,
        after: &Tree,
    ) {
        self.operations += 1;
        let ids: HashSet<_> = before.keys().chain(after.keys()).collect();
        for id in ids {
            let [old, new] = [before, after].map(|tree| tree.get(id).map(|t| app.essence(t)));
            if before.get(id) == after.get(id) {
                continue;
            }
            let is_same = old == new;
            self.made_on.insert((on, id.clone(), new.clone()));
            // What a user would miss stayed.
            if is_same {
                continue;
            }
            if let Some(old) = old {
                self.replaced.insert((id.clone(), old), self.operations);
            }
            if let Some(new) = &new {
                let made = self.made.entry((id.clone(), new.clone())).or_default();
                *made = (made.0 + 1, self.operations);
            }
        }
    }

    /// No conflict is one of equal versions, or about a version that this device did not make.
    pub(crate) fn check_question<A: Application>(
        &self,
        app: &A,
        on: usize,
        question: &Question,
    ) -> Result<(), String> {
        if question.local == question.remote {
            return Err(format!("device {on} was asked about equal versions: {question:?}"));
        }
        let local = question.local.as_ref().map(|text| app.essence(text));
        let is_made = self.made_on.contains(&(on, question.id.clone(), local));
        if !is_made && !app.has_actions() {
            return Err(format!("device {on} was asked about what it did not edit: {question:?}"));
        }
        Ok(())
    }

    /// `places` are the documents of the storage and those of each device.
    ///
    /// Every version that an operation made is there, or was replaced by a user who saw it, or lost a
    /// conflict; and nothing is there that a user took away.
    pub(crate) fn check_versions<A: Application>(
        &self,
        app: &A,
        places: &[&Tree],
        questions: &[Question],
    ) -> Result<(), String> {
        let lost = discarded(app, questions);
        let essences = |tree: &&Tree| -> HashSet<Version> {
            tree.iter().map(|(id, text)| (id.clone(), app.essence(text))).collect()
        };
        let there: HashSet<Version> = places.iter().flat_map(essences).collect();
        let copies = copies(app, questions);
        for version in self.made.keys().chain(&copies) {
            let is_gone = self.replaced.contains_key(version) || lost.contains(version);
            if !there.contains(version) && !is_gone {
                return Err(format!("{} is lost: nobody replaced {:?}", version.0, version.1));
            }
        }
        let storage = places.first().map(essences).unwrap_or_default();
        let is_contested = |id: &str| questions.iter().any(|question| question.id == id);
        for version in storage {
            // Made once and taken away later; with more operations, such as a move away and back, the
            // order on several devices would count.
            let is_taken = match (self.made.get(&version), self.replaced.get(&version)) {
                (Some((1, made)), Some(replaced)) => made < replaced,
                _ => false,
            };
            // A row that others refer to comes back with them.
            let is_needed =
                places[0].iter().any(|(child, text)| app.needs((child, text), &version.0));
            if is_taken && !is_needed && !is_contested(&version.0) {
                return Err(format!("{} came back: it was {:?}", version.0, version.1));
            }
        }
        Ok(())
    }
}

/// Versions that lost a conflict, and are nowhere else.
fn discarded<A: Application>(app: &A, questions: &[Question]) -> HashSet<Version> {
    let mut lost = HashSet::new();
    for Question { id, local, remote, answer, .. } in questions {
        let versions = match answer {
            Resolution::KeepLocal => vec![(id, remote)],
            Resolution::TakeRemote => vec![(id, local)],
            // The copy is a version of its own.
            Resolution::KeepBoth { .. } => vec![(id, local)],
            Resolution::Merged(_) => vec![(id, local), (id, remote)],
            Resolution::Defer => vec![],
        };
        let texts = versions.into_iter().filter_map(|(id, text)| Some((id, text.as_ref()?)));
        lost.extend(texts.map(|(id, text)| (id.clone(), app.essence(text))));
    }
    lost
}

/// Versions that a resolver kept beside the one that won.
fn copies<A: Application>(app: &A, questions: &[Question]) -> HashSet<Version> {
    let kept = questions.iter().filter(|question| question.is_settled);
    let copy = |question: &Question| match &question.answer {
        Resolution::KeepBoth { copy } => {
            Some((id_text(copy), app.essence(question.local.as_ref()?)))
        }
        _ => None,
    };
    kept.filter_map(copy).collect()
}
