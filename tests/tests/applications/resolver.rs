//! Who decides conflicts, and remembers which.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use db_to_cloud::{BoxError, Conflict, Report, Resolution, Resolver, Revision};

use crate::application::{Application, id_text};

/// One conflict that a resolver was asked about.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) local: Option<String>,
    pub(crate) remote: Option<String>,
    pub(crate) revisions: [Option<Revision>; 2],
    pub(crate) answer: Resolution,
    /// Whether the answer was carried out.
    pub(crate) is_settled: bool,
    /// Whether it was asked about once more after that.
    pub(crate) is_repeated: bool,
}

/// The questions of one device, shared by its clones.
#[derive(Clone, Default)]
pub(crate) struct Questions(Arc<Mutex<Vec<Question>>>);

impl Questions {
    pub(crate) fn all(&self) -> MutexGuard<'_, Vec<Question>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sync came to its end: its answers were carried out, but for those of deferred documents.
    pub(crate) fn settle(&self, report: &Report) {
        let deferred: HashSet<_> = report.deferred.iter().map(|d| id_text(&d.id)).collect();
        for question in self.all().iter_mut() {
            question.is_settled |= !deferred.contains(&question.id);
        }
    }

    /// How many different conflicts there were.
    pub(crate) fn different(&self) -> usize {
        let all = self.all();
        all.iter().map(|q| (&q.id, &q.revisions)).collect::<HashSet<_>>().len()
    }

    /// A conflict that was asked about again though it was settled.
    pub(crate) fn repeated(&self) -> Option<Question> {
        self.all().iter().find(|question| question.is_repeated).cloned()
    }

    fn add(&self, question: Question) {
        let mut all = self.all();
        let is_same = |earlier: &&Question| {
            earlier.id == question.id && earlier.revisions == question.revisions
        };
        let is_repeated = all.iter().filter(is_same).any(|earlier| earlier.is_settled);
        all.push(Question { is_repeated, ..question });
    }
}

/// Decides as the application does, and writes it down.
pub(crate) struct Recording<A>(pub A, pub Questions);

#[async_trait]
impl<A: Application> Resolver for Recording<A> {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        let answer = self.0.decide(conflict);
        let text = |document: &Option<_>| document.as_ref().map(|d| self.0.text(d));
        let revision = |document: &Option<db_to_cloud::Document>| {
            document.as_ref().map(|d| d.revision.clone())
        };
        self.1.add(Question {
            id: id_text(&conflict.id),
            local: text(&conflict.local),
            remote: text(&conflict.remote),
            revisions: [revision(&conflict.local), revision(&conflict.remote)],
            answer: answer.clone(),
            is_settled: false,
            is_repeated: false,
        });
        Ok(answer)
    }
}
