//! Many writes in one transaction, each of them on its own all the same.

use std::collections::{BTreeSet, HashMap, HashSet};

use db_to_cloud::{Applied, Document, DocumentId, Revision, Write};
use rusqlite::{Connection, Transaction};

use crate::attach::Shapes;
use crate::error::SqliteError;
use crate::extra;
use crate::order::ordered;
use crate::own;
use crate::parents::Awaited;
use crate::read::{Unread, place, read};
use crate::schema::immediate;
use crate::write::{Row, Unwritten};

pub(crate) type Answer = Result<Applied, SqliteError>;

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
pub(crate) struct Failed(rusqlite::Error);

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

fn job_of_held(connection: &Connection, id: DocumentId) -> rusqlite::Result<Option<Job>> {
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

struct Batch<'a> {
    transaction: Transaction<'a>,
    shapes: &'a Shapes,
    foreign_keys: bool,
    /// Whether a held document may wait for a row of this batch.
    wakes: bool,
    /// What was made of each document.
    written: HashMap<DocumentId, Option<Document>>,
    answers: Vec<(usize, Answer)>,
}

/// A write that did not come about, and why.
type Open = (Job, Unwritten);

impl Batch<'_> {
    /// Pass after pass, as long as one document makes room or is the ground for another; what is
    /// left may be a circle of rows that refer to each other.
    fn passes(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
        let mut jobs = jobs;
        loop {
            let before = jobs.len();
            let mut open: Vec<Open> = Vec::new();
            while let Some(job) = jobs.pop() {
                if let Err(why) = self.make(&job, true)? {
                    open.push((job, why));
                    continue;
                }
                jobs.extend(self.awakened(&job)?);
            }
            open.reverse();
            if open.is_empty() || open.len() >= before {
                return self.circle(open);
            }
            jobs = open.into_iter().map(|(job, _)| job).rev().collect();
        }
    }

    /// Writes rows that refer to each other at once; those that refer to what is not there wait.
    fn circle(&mut self, open: Vec<Open>) -> Result<(), Failed> {
        let mut circle = Vec::new();
        for (job, why) in open {
            match why {
                Unwritten::Awaits(..) => circle.push(job),
                why => self.set_apart(&job, why)?,
            }
        }
        let mut apart = HashSet::new();
        while !circle.is_empty() {
            self.savepoint("SAVEPOINT db_to_cloud_circle")?;
            let answered = self.answers.len();
            let out = self.try_circle(&mut circle, &apart)?;
            if out.iter().all(Option::is_none) {
                return self.savepoint("RELEASE db_to_cloud_circle");
            }
            self.savepoint("ROLLBACK TO db_to_cloud_circle; RELEASE db_to_cloud_circle")?;
            self.answers.truncate(answered);
            let mut rest = Vec::new();
            for (job, out) in circle.into_iter().zip(out) {
                self.written.remove(&job.id);
                match out {
                    None => rest.push(job),
                    Some(why) => {
                        apart.insert(job.id.clone());
                        self.set_apart(&job, why)?;
                    }
                }
            }
            circle = rest;
        }
        Ok(())
    }

    /// Writes all of them and those that waited for them, and then looks which lack something.
    fn try_circle(
        &mut self,
        circle: &mut Vec<Job>,
        apart: &HashSet<DocumentId>,
    ) -> Result<Vec<Option<Unwritten>>, Failed> {
        let mut out: Vec<Option<Unwritten>> = Vec::new();
        while let Some(job) = circle.get(out.len()).cloned() {
            out.push(self.make(&job, false)?.err());
            for held in self.awakened(&job)? {
                if !apart.contains(&held.id) && circle.iter().all(|job| job.id != held.id) {
                    circle.push(held);
                }
            }
        }
        for (job, out) in circle.iter().zip(&mut out).filter(|(_, out)| out.is_none()) {
            *out = self.check_parents(job)?.err();
        }
        Ok(out)
    }

    fn set_apart(&mut self, job: &Job, why: Unwritten) -> Result<(), Failed> {
        match why {
            Unwritten::Awaits(awaited, parent) => self.wait(job, &awaited, parent),
            Unwritten::Document(error) => {
                self.answer(job, Err(error));
                Ok(())
            }
            Unwritten::Sqlite(error) => Err(error.into()),
        }
    }

    /// A new document whose parent is missing is held until it comes; an edit is not made.
    fn wait(&mut self, job: &Job, awaited: &Awaited, parent: String) -> Result<(), Failed> {
        let current = read(&self.transaction, self.shapes, &job.id);
        let has_row = current.is_ok_and(|current| current.has_row);
        match &job.document {
            Some(document) if !has_row => {
                extra::hold(&self.transaction, &job.id, document, Some(awaited))?;
                self.written.insert(job.id.clone(), job.document.clone());
                self.answer(job, Ok(Applied::Done));
            }
            _ => self.answer(job, Err(SqliteError::NoParent { id: job.id.clone(), parent })),
        }
        Ok(())
    }

    /// Makes one write, or leaves everything as it was.
    fn make(&mut self, job: &Job, with_parents: bool) -> Result<Result<(), Unwritten>, Failed> {
        self.savepoint("SAVEPOINT db_to_cloud_write")?;
        let made = self.write(job, with_parents);
        match made {
            Ok(applied) => {
                self.savepoint("RELEASE db_to_cloud_write")?;
                if applied == Applied::Done {
                    self.written.insert(job.id.clone(), job.document.clone());
                }
                self.answer(job, Ok(applied));
                Ok(Ok(()))
            }
            // The transaction may be gone.
            Err(Unwritten::Sqlite(error)) => Err(error.into()),
            Err(why) => {
                self.savepoint("ROLLBACK TO db_to_cloud_write")?;
                self.savepoint("RELEASE db_to_cloud_write")?;
                Ok(Err(why))
            }
        }
    }

    fn write(&self, job: &Job, with_parents: bool) -> Result<Applied, Unwritten> {
        let connection = &*self.transaction;
        let current = read(connection, self.shapes, &job.id).map_err(|unread| match unread {
            Unread::Document(error) => Unwritten::Document(error),
            Unread::Sqlite(error) => Unwritten::Sqlite(error),
        })?;
        if current.document.as_ref().map(|d| &d.revision) != job.expected.as_ref() {
            return Ok(Applied::Changed);
        }
        let id = &job.id;
        let Some((key, shape)) = place(self.shapes, id) else {
            match &job.document {
                // Its table does not exist on this device.
                Some(document) => extra::hold(connection, id, document, None)?,
                None => extra::forget(connection, id)?,
            }
            return Ok(Applied::Done);
        };
        let row = Row { connection, shape, key: &key, id };
        match &job.document {
            Some(document) => {
                row.put(&current, document)?;
                if with_parents && self.foreign_keys {
                    row.check_parents()?;
                }
            }
            None => {
                if current.has_row {
                    row.delete()?;
                }
                if current.has_extra {
                    extra::forget(connection, id)?;
                }
            }
        }
        Ok(Applied::Done)
    }

    fn check_parents(&self, job: &Job) -> Result<Result<(), Unwritten>, Failed> {
        let Some((key, shape)) = place(self.shapes, &job.id) else { return Ok(Ok(())) };
        let row = Row { connection: &self.transaction, shape, key: &key, id: &job.id };
        match row.check_parents() {
            Err(Unwritten::Sqlite(error)) => Err(error.into()),
            checked => Ok(checked),
        }
    }

    /// Held documents that waited for this row.
    fn awakened(&self, job: &Job) -> Result<Vec<Job>, Failed> {
        let place = place(self.shapes, &job.id).filter(|_| self.wakes && job.document.is_some());
        let Some((key, shape)) = place else { return Ok(Vec::new()) };
        let mut jobs = Vec::new();
        for columns in self.shapes.referred.get(&shape.name).into_iter().flatten() {
            let connection = &self.transaction;
            let by = Awaited::by(connection, columns, &shape.table, &shape.keys, &key)?;
            let Some(awaited) = by else { continue };
            for id in extra::awaiting(connection, &awaited)? {
                jobs.extend(job_of_held(connection, id)?);
            }
        }
        Ok(jobs)
    }

    fn answer(&mut self, job: &Job, answer: Answer) {
        self.answers.extend(job.answer.map(|i| (i, answer)));
    }

    fn savepoint(&self, sql: &str) -> Result<(), Failed> {
        for sql in sql.split("; ") {
            self.transaction.prepare_cached(sql)?.execute([])?;
        }
        Ok(())
    }
}
