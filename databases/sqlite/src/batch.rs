//! Many writes in one transaction, each of them on its own all the same.

use std::collections::{HashMap, HashSet};

use db_to_cloud::{Document, DocumentId, Outcome, Revision, Write};
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::error::SqliteError;
use crate::extra;
use crate::order::ordered;
use crate::own;
use crate::read::place;
use crate::revive;
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

/// The answer in the words of the core. What another row, this device or the disk is in the way of
/// may go at the next try; the rest is as it is until the schema or the document changes.
pub(crate) fn outcome(answer: Answer) -> Outcome {
    use SqliteError::{Ignored, Malformed, NotOpened, NullKey, Refused, SetAside, Unprepared};
    match answer {
        Ok(Applied::Done) => Outcome::Done,
        Ok(Applied::Changed) => Outcome::Changed,
        Err(error) => match &error {
            Refused { .. } | Ignored { .. } | Malformed { .. } => Outcome::Refused(error.into()),
            NotOpened { .. } | NullKey { .. } | SetAside { .. } | Unprepared { .. } => {
                Outcome::Refused(error.into())
            }
            _ => Outcome::Blocked(error.into()),
        },
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
pub(crate) struct Failed {
    pub error: rusqlite::Error,
    /// The document that is to blame for it alone, if that is known.
    pub culprit: Option<DocumentId>,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self { error, culprit: None }
    }
}

/// Makes these writes; the answers are in their order.
pub(crate) fn apply(
    connection: &mut Connection,
    shapes: &Shapes,
    foreign_keys: bool,
    sync: i64,
    writes: Vec<Write>,
) -> Vec<Answer> {
    let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
    let jobs = writes.into_iter().enumerate().map(|(i, write)| Job {
        id: write.id,
        document: write.document,
        expected: write.expected,
        answer: Some(i),
    });
    let mut batches = Batches { connection, shapes, foreign_keys, sync, answers: HashMap::new() };
    batches.make(jobs.collect());
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
    // There are no deletes among them.
    let sync = 0;
    let mut batches = Batches { connection, shapes, foreign_keys, sync, answers: HashMap::new() };
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
    sync: i64,
    answers: HashMap<usize, Answer>,
}

impl Batches<'_> {
    /// One transaction; if a row rolls it back, another one without that row.
    fn make(&mut self, jobs: Vec<Job>) {
        let mut jobs = jobs;
        while let Err(Failed { error, culprit }) = self.attempt(jobs.clone()) {
            let Some(culprit) = culprit else {
                for Job { id, answer, .. } in jobs {
                    let why = error.to_string();
                    let failed = Err(SqliteError::Transaction { id, why });
                    self.answers.extend(answer.map(|answer| (answer, failed)));
                }
                return;
            };
            let (mut rolled_back, others) =
                jobs.into_iter().partition::<Vec<_>, _>(|job| job.id == culprit);
            if let Some(answer) = rolled_back.pop().and_then(|job| job.answer) {
                let refused = SqliteError::Refused { id: culprit, source: error };
                self.answers.insert(answer, Err(refused));
            }
            jobs = others;
        }
    }

    fn attempt(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
        let transaction = immediate(self.connection)?;
        let queued = own::last(&transaction)?;
        let mut batch = Batch {
            wakes: extra::is_any_awaited(&transaction)?,
            has_noted: revive::is_any(&transaction)?,
            sync: self.sync,
            transaction,
            shapes: self.shapes,
            foreign_keys: self.foreign_keys,
            written: HashMap::new(),
            answers: Vec::new(),
            pending: HashSet::new(),
            needed: HashMap::new(),
            left: Vec::new(),
            revived: Vec::new(),
        };
        batch.run(ordered(jobs, self.shapes))?;
        let Batch { transaction, written, answers, revived, .. } = batch;
        own::forget(&transaction, queued, &written)?;
        for key in revived {
            revive::queue(&transaction, &key)?;
        }
        transaction.commit()?;
        self.answers.extend(answers);
        Ok(())
    }
}
