//! The writes of one transaction: pass after pass, each in a savepoint of its own.

use std::collections::{HashMap, HashSet};

use db_to_cloud::{Document, DocumentId};
use rusqlite::Transaction;

use crate::attach::Shapes;
use crate::batch::{Answer, Applied, Failed, Job, job_of_held};
use crate::error::SqliteError;
use crate::extra;
use crate::parents::Awaited;
use crate::read::{Unread, place, read, read_at};
use crate::write::{Row, Unwritten};

/// A transaction under way.
pub(crate) struct Batch<'a> {
    pub transaction: Transaction<'a>,
    pub shapes: &'a Shapes,
    pub foreign_keys: bool,
    /// Whether a held document may wait for a row of this batch.
    pub wakes: bool,
    /// What was made of each document.
    pub written: HashMap<DocumentId, Option<Document>>,
    pub answers: Vec<(usize, Answer)>,
}

/// A write that did not come about, and why.
type Open = (Job, Unwritten);

impl Batch<'_> {
    /// Pass after pass, as long as one document makes room or is the ground for another; what is
    /// left may be a circle of rows that refer to each other.
    pub(crate) fn passes(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
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
        let place = place(self.shapes, &job.id);
        let current =
            read_at(connection, &job.id, place.as_ref()).map_err(|unread| match unread {
                Unread::Document(error) => Unwritten::Document(error),
                Unread::Sqlite(error) => Unwritten::Sqlite(error),
            })?;
        if current.document.as_ref().map(|d| &d.revision) != job.expected.as_ref() {
            return Ok(Applied::Changed);
        }
        let id = &job.id;
        let Some((key, shape)) = place else {
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
