//! Many writes in one transaction, each of them on its own all the same.

use std::collections::{HashMap, HashSet};

use db_to_cloud::{Document, DocumentId, Outcome, Revision, Write};
use rusqlite::{Connection, ffi};

use crate::attach;
use crate::connections::Open;
use crate::error::SqliteError;
use crate::extra;
use crate::guard;
use crate::joined::Along;
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
    /// A write had no savepoint and needs one: the same may succeed with a savepoint for each.
    pub needs_care: bool,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self { error, culprit: None, needs_care: false }
    }
}

/// Makes these writes, and what is to be written along with each that is done; the answers are in their
/// order. `None`: the records are not those that were read; nothing was written.
pub(crate) fn apply(
    open: &mut Open<'_>,
    foreign_keys: bool,
    writes: Vec<Write>,
    along: Option<&Along>,
) -> Option<Vec<Answer>> {
    let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
    let jobs = writes.into_iter().enumerate().map(|(i, write)| Job {
        id: write.id,
        document: write.document,
        expected: write.expected,
        answer: Some(i),
    });
    let mut batches = Batches::new(open, foreign_keys, along);
    batches.make(jobs.collect());
    if batches.is_turned {
        return None;
    }
    let mut answers = batches.answers;
    let lost = |id| Err(SqliteError::Transaction { id, why: "no answer".to_owned() });
    let answer = |(i, id)| answers.remove(&i).unwrap_or_else(|| lost(id));
    Some(ids.into_iter().enumerate().map(answer).collect())
}

/// Makes rows of held documents as far as that is possible now.
pub(crate) fn settle_held(open: &mut Open<'_>, foreign_keys: bool) -> rusqlite::Result<()> {
    let held = extra::held(open.connection)?;
    let held = held.into_iter().filter(|id| place(open.shapes, id).is_some());
    let mut jobs = Vec::new();
    for id in held {
        jobs.extend(job_of_held(open.connection, id)?);
    }
    let mut batches = Batches::new(open, foreign_keys, None);
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

fn schema_changed() -> rusqlite::Error {
    let why = "the schema changed meanwhile: it is tried again";
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_SCHEMA), Some(why.to_owned()))
}

struct Batches<'a, 'c> {
    open: &'a mut Open<'c>,
    foreign_keys: bool,
    along: Option<&'a Along>,
    answers: HashMap<usize, Answer>,
    /// The records are those of another remote.
    is_turned: bool,
}

impl<'a, 'c> Batches<'a, 'c> {
    fn new(open: &'a mut Open<'c>, foreign_keys: bool, along: Option<&'a Along>) -> Self {
        Self { open, foreign_keys, along, answers: HashMap::new(), is_turned: false }
    }

    /// One transaction; if a row rolls it back, another one without that row.
    fn make(&mut self, jobs: Vec<Job>) {
        let mut jobs = jobs;
        let mut is_careful = false;
        if self.open.is_lent
            && let Err(error) = guard::install_again(self.open.connection, self.open.shapes)
        {
            return self.fail(jobs, &error);
        }
        while let Err(failed) = self.attempt(jobs.clone(), is_careful) {
            let Failed { error, culprit, needs_care } = failed;
            if needs_care && !is_careful {
                is_careful = true;
                continue;
            }
            let Some(culprit) = culprit else {
                return self.fail(jobs, &error);
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

    /// Answers that none of these was made.
    fn fail(&mut self, jobs: Vec<Job>, error: &rusqlite::Error) {
        for Job { id, answer, .. } in jobs {
            let why = error.to_string();
            let failed = Err(SqliteError::Transaction { id, why });
            self.answers.extend(answer.map(|answer| (answer, failed)));
        }
    }

    fn attempt(&mut self, jobs: Vec<Job>, is_careful: bool) -> Result<(), Failed> {
        let Open { connection, shapes, sync, .. } = &mut *self.open;
        let (shapes, sync) = (&**shapes, **sync);
        let transaction = immediate(connection)?;
        if attach::version(&transaction)? != shapes.version {
            // The application has changed it since it was looked at: it is looked at again for the next batch.
            return Err(schema_changed().into());
        }
        let remote = self.along.map(|along| along.begin(&transaction)).transpose()?;
        if remote == Some(None) {
            self.is_turned = true;
            return Ok(());
        }
        let remote = remote.flatten();
        let queued = own::last(&transaction)?;
        let mut batch = Batch {
            wakes: extra::is_any_awaited(&transaction)?,
            has_extras: extra::is_any(&transaction)?.into(),
            is_careful,
            has_noted: revive::is_any(&transaction)?,
            sync,
            transaction,
            shapes,
            foreign_keys: self.foreign_keys,
            written: HashMap::new(),
            answers: Vec::new(),
            pending: HashSet::new(),
            needed: HashMap::new(),
            left: Vec::new(),
            revived: Vec::new(),
        };
        batch.run(ordered(jobs, shapes))?;
        let Batch { transaction, written, answers, revived, .. } = batch;
        own::forget(&transaction, queued, written.keys(), remote)?;
        if let Some((along, remote)) = self.along.zip(remote) {
            along.settle(&transaction, remote, &answers)?;
        }
        for key in revived {
            revive::queue(&transaction, &key)?;
        }
        transaction.commit()?;
        self.answers.extend(answers);
        Ok(())
    }
}
