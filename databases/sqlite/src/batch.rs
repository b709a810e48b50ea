//! Many writes in one transaction, each of them on its own all the same.

use std::collections::{BTreeSet, HashMap};

use db_to_cloud::{Document, DocumentId, Outcome, Revision, Write};
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::error::SqliteError;
use crate::extra;
use crate::order::ordered;
use crate::own;
use crate::read::place;
use crate::schema::immediate;
use crate::transaction::Batch;

pub(crate) type Answer = Result<Applied, SqliteError>;

/// What became of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The document is as the write says.
    Done,
    /// It was not what the write expected; nothing was written.
    Changed,
}

/// The answer in the words of the core.
pub(crate) fn outcome(answer: Answer) -> Outcome {
    match answer {
        Ok(Applied::Done) => Outcome::Done,
        Ok(Applied::Changed) => Outcome::Changed,
        Err(error) => Outcome::Refused(error.into()),
    }
}

/// A document that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub id: DocumentId,
    pub document: Option<Document>,
    pub expected: Option<Revision>,
    /// Where its answer goes; `None` for a held document that gets its row.
    pub answer: Option<usize>,
}

/// A transaction that failed as a whole. Nothing of it was written.
pub(crate) struct Failed(pub rusqlite::Error);

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self(error)
    }
}

/// Makes these writes; the answers are in their order.
pub(crate) fn apply(
    connection: &mut Connection,
    shapes: &Shapes,
    foreign_keys: bool,
    writes: Vec<Write>,
) -> Vec<Answer> {
    let distinct: BTreeSet<_> = writes.iter().map(|write| &write.id).collect();
    let is_distinct = distinct.len() == writes.len();
    let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
    let jobs = writes.into_iter().enumerate().map(|(i, write)| Job {
        id: write.id,
        document: write.document,
        expected: write.expected,
        answer: Some(i),
    });
    let mut batches = Batches { connection, shapes, foreign_keys, answers: HashMap::new() };
    match is_distinct {
        true => batches.make(jobs.collect()),
        // Several writes of one document are made in their order.
        false => jobs.for_each(|job| batches.make(vec![job])),
    }
    let mut answers = batches.answers;
    let lost = |id| Err(SqliteError::Transaction { id, why: "no answer".to_owned() });
    let answer = |(i, id)| answers.remove(&i).unwrap_or_else(|| lost(id));
    ids.into_iter().enumerate().map(answer).collect()
}

/// Makes rows of held documents as far as that is possible now.
pub(crate) fn settle_held(
    connection: &mut Connection,
    shapes: &Shapes,
    foreign_keys: bool,
) -> rusqlite::Result<()> {
    let held = extra::held(connection)?;
    let held = held.into_iter().filter(|id| place(shapes, id).is_some());
    let mut jobs = Vec::new();
    for id in held {
        jobs.extend(job_of_held(connection, id)?);
    }
    let mut batches = Batches { connection, shapes, foreign_keys, answers: HashMap::new() };
    while !jobs.is_empty() {
        let rest = jobs.split_off(jobs.len().min(500));
        batches.make(std::mem::replace(&mut jobs, rest));
    }
    Ok(())
}

/// A held document that is to get its row.
pub(crate) fn job_of_held(
    connection: &Connection,
    id: DocumentId,
) -> rusqlite::Result<Option<Job>> {
    let held = extra::get(connection, &id)?.filter(|extra| extra.row.is_none());
    Ok(held.map(|held| Job {
        id,
        expected: Some(held.document.revision.clone()),
        document: Some(held.document),
        answer: None,
    }))
}

struct Batches<'a> {
    connection: &'a mut Connection,
    shapes: &'a Shapes,
    foreign_keys: bool,
    answers: HashMap<usize, Answer>,
}

impl Batches<'_> {
    /// One transaction if possible; if that fails, smaller ones until it is known what is to blame.
    fn make(&mut self, jobs: Vec<Job>) {
        let Err(Failed(error)) = self.attempt(jobs.clone()) else { return };
        use rusqlite::ErrorCode::{ConstraintViolation, OperationAborted};
        let code = error.sqlite_error_code();
        let is_some_rows = matches!(code, Some(ConstraintViolation | OperationAborted));
        let (deletes, puts): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.document.is_none());
        match (is_some_rows, deletes.len() + puts.len()) {
            (true, 2..) if !deletes.is_empty() && !puts.is_empty() => {
                self.make(puts);
                self.make(deletes);
            }
            (true, 2..) => deletes.into_iter().chain(puts).for_each(|job| self.make(vec![job])),
            _ => {
                for Job { id, answer, .. } in deletes.into_iter().chain(puts) {
                    let why = error.to_string();
                    let failed = Err(SqliteError::Transaction { id, why });
                    self.answers.extend(answer.map(|answer| (answer, failed)));
                }
            }
        }
    }

    fn attempt(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
        let transaction = immediate(self.connection)?;
        if self.foreign_keys {
            transaction.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        }
        let queued = own::last(&transaction)?;
        let mut batch = Batch {
            wakes: extra::is_any_awaited(&transaction)?,
            transaction,
            shapes: self.shapes,
            foreign_keys: self.foreign_keys,
            written: HashMap::new(),
            answers: Vec::new(),
        };
        batch.passes(ordered(jobs, self.shapes))?;
        let Batch { transaction, written, answers, .. } = batch;
        own::forget(&transaction, self.shapes, queued, &written)?;
        transaction.commit()?;
        self.answers.extend(answers);
        Ok(())
    }
}
