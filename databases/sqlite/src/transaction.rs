//! The writes of one transaction, each of them whole or not at all.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use db_to_cloud::{Document, DocumentId};
use rusqlite::Transaction;

use crate::attach::Shapes;
use crate::batch::{Answer, Applied, Failed, Job, job_of_held};
use crate::children::{Left, settle};
use crate::error::SqliteError;
use crate::key::RowKey;
use crate::parents::Awaited;
use crate::read::{Current, Unread, place, read_at};
use crate::referred::Referred;
use crate::shape::Shape;
use crate::waiting::Waiting;
use crate::write::{Row, Unwritten};
use crate::{extra, revive};

/// A transaction under way.
pub(crate) struct Batch<'a> {
    pub transaction: Transaction<'a>,
    pub shapes: &'a Shapes,
    pub foreign_keys: bool,
    /// Whether a held document may wait for a row of this batch.
    pub wakes: bool,
    /// Whether deletes are noted that were blocked.
    pub has_noted: bool,
    /// Whether anything is kept beside rows, or may be by now.
    pub has_extras: Cell<bool>,
    /// Whether each write has a savepoint, also one that is a single statement.
    pub is_careful: bool,
    /// Which sync it is.
    pub sync: i64,
    /// What was made of each document.
    pub written: HashMap<DocumentId, Option<Document>>,
    pub answers: Vec<(usize, Answer)>,
    /// Documents of which it is not decided yet what becomes of them.
    pub pending: HashSet<DocumentId>,
    /// Rows whose unique values are needed by documents that could not be written.
    pub needed: HashMap<DocumentId, DocumentId>,
    /// What rows that were changed without a check left behind.
    pub left: Vec<(DocumentId, Vec<Left>)>,
    /// Rows whose delete counts as made, and that stay as rows of this device.
    pub revived: Vec<RowKey>,
}

/// A write that did not come about, and why.
pub(crate) type Open = (Job, Unwritten);

impl Batch<'_> {
    /// Makes each write as soon as what is in its way is gone; what is left may be rows that are in the
    /// way of each other.
    pub(crate) fn run(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
        self.pending.extend(jobs.iter().map(|job| job.id.clone()));
        let (mut jobs, mut waiting) = (jobs, Waiting::default());
        while let Some(job) = jobs.pop() {
            if job.document.is_none() && self.keep_for_others(&job, &mut waiting)? {
                continue;
            }
            match self.make(&job, true)? {
                Ok(()) => {
                    jobs.extend(self.awakened(&job)?);
                    jobs.extend(waiting.freed(&job.id));
                }
                Err(why) => match self.first_pending(&why) {
                    Some(first) => waiting.keep(job, why, first),
                    None => {
                        self.set_apart(&job, why)?;
                        // They see that it stays where it is.
                        jobs.extend(waiting.freed(&job.id));
                    }
                },
            }
        }
        self.together(waiting.open())
    }

    /// Whether a delete must wait, as others need the room that it makes; it is not made if one of
    /// them failed.
    fn keep_for_others(&mut self, job: &Job, waiting: &mut Waiting) -> Result<bool, Failed> {
        let has_failed = self.needed.contains_key(&job.id);
        if !has_failed && !waiting.is_room(&job.id) {
            return Ok(false);
        }
        let place = place(self.shapes, &job.id);
        match self.current(job, place.as_ref()) {
            // It is not as expected: then it is not made in any case.
            Ok(current)
                if current.document.as_ref().map(|d| &d.revision) != job.expected.as_ref() =>
            {
                return Ok(false);
            }
            Ok(_) => {}
            Err(Unwritten::Sqlite(error)) => return Err(error.into()),
            Err(_) => return Ok(false),
        }
        match has_failed {
            true => self.set_apart(job, Unwritten::MakesRoom)?,
            false => waiting.keep(job.clone(), Unwritten::MakesRoom, None),
        }
        Ok(true)
    }

    /// For what a write can wait: a document of this batch, or nothing in particular. `None` if there
    /// is no use in waiting.
    fn first_pending(&self, why: &Unwritten) -> Option<Option<DocumentId>> {
        match why {
            Unwritten::Awaits(..) => Some(None),
            // Another row may get the value that is referred to.
            Unwritten::Referred(rows, _) => {
                Some(rows.iter().find(|id| self.pending.contains(id)).cloned())
            }
            Unwritten::Taken(rows, _) => {
                let is_possible = rows.iter().all(|id| self.pending.contains(id));
                rows.first().filter(|_| is_possible).map(|id| Some(id.clone()))
            }
            _ => None,
        }
    }

    /// Makes one write, or leaves everything as it was. `checked` is whether what refers to what is
    /// looked at now, and not later.
    pub(crate) fn make(
        &mut self,
        job: &Job,
        checked: bool,
    ) -> Result<Result<(), Unwritten>, Failed> {
        let place = place(self.shapes, &job.id);
        let is_plain = self.is_plain(job, place.as_ref());
        if !is_plain {
            self.savepoint("SAVEPOINT db_to_cloud_write")?;
        }
        let made = self.write(job, place, checked).and_then(|(applied, left)| match checked {
            true if !is_plain => self.check(job, &left).map(|()| (applied, Vec::new())),
            _ => Ok((applied, left)),
        });
        match made {
            Ok((applied, left)) => {
                if !is_plain {
                    self.savepoint("RELEASE db_to_cloud_write")?;
                }
                if applied == Applied::Done {
                    self.written.insert(job.id.clone(), job.document.clone());
                }
                if !checked {
                    self.left.push((job.id.clone(), left));
                }
                self.decide(job, Ok(applied));
                Ok(Ok(()))
            }
            // The transaction may be gone.
            Err(Unwritten::Sqlite(error)) => Err(self.failed(error, job)),
            Err(why) if is_plain => self.explain_plain(job, why),
            Err(why) => {
                self.savepoint("ROLLBACK TO db_to_cloud_write; RELEASE db_to_cloud_write")?;
                self.explain(job, why).map(Err)
            }
        }
    }

    fn write(
        &self,
        job: &Job,
        place: Option<(RowKey, &Arc<Shape>)>,
        checked: bool,
    ) -> Result<(Applied, Vec<Left>), Unwritten> {
        let current = self.current(job, place.as_ref())?;
        if current.document.as_ref().map(|d| &d.revision) != job.expected.as_ref() {
            return Ok((Applied::Changed, Vec::new()));
        }
        Ok((Applied::Done, self.change(job, place, &current, checked)?))
    }

    pub(crate) fn current(
        &self,
        job: &Job,
        place: Option<&(RowKey, &Arc<Shape>)>,
    ) -> Result<Current, Unwritten> {
        let has_extras = self.has_extras.get();
        let read = read_at(&self.transaction, self.shapes, &job.id, place, has_extras);
        read.map_err(|unread| match unread {
            Unread::Document(error) => Unwritten::Document(error),
            Unread::Sqlite(error) => Unwritten::Sqlite(error),
        })
    }

    /// Writes a document that is as expected; the values that others may refer to and that are gone.
    pub(crate) fn change(
        &self,
        job: &Job,
        place: Option<(RowKey, &Arc<Shape>)>,
        current: &Current,
        checked: bool,
    ) -> Result<Vec<Left>, Unwritten> {
        let (connection, id) = (&*self.transaction, &job.id);
        let Some((key, shape)) = place else {
            match &job.document {
                // Its table does not exist on this device.
                Some(document) => {
                    self.has_extras.set(true);
                    extra::hold(connection, id, document, None)?;
                }
                None => extra::forget(connection, id)?,
            }
            return Ok(Vec::new());
        };
        let row = Row { connection, shape, key: &key, id };
        let referred = Referred::new(&row, self.shapes, self.foreign_keys && current.has_row);
        match &job.document {
            Some(document) => {
                let before = referred.changing()?;
                if row.put(current, document)? {
                    self.has_extras.set(true);
                }
                Ok(referred.changed(before)?)
            }
            None => {
                let mut left = referred.deleted()?;
                if checked {
                    self.check_before(job, &left)?;
                    left.retain(|left| !left.child.is_synced());
                }
                if current.has_row {
                    row.delete()?;
                }
                if current.has_extra {
                    extra::forget(connection, id)?;
                }
                if self.has_noted {
                    revive::forget(connection, id)?;
                }
                Ok(left)
            }
        }
    }

    /// Whether rows of synced tables refer to one that is to be deleted. It is looked at before: a
    /// trigger of the application might delete them along.
    fn check_before(&self, job: &Job, left: &[Left]) -> Result<(), Unwritten> {
        for left in left {
            let mut ids = left.child.standing(&self.transaction, left, self.pending.len() + 2)?;
            ids.retain(|id| *id != job.id);
            if !ids.is_empty() {
                let child = left.child.table.clone();
                let error = SqliteError::Referred { id: job.id.clone(), child };
                return Err(Unwritten::Referred(ids, error.into()));
            }
        }
        Ok(())
    }

    /// Whether the row refers to what is there, and nothing to what it left.
    pub(crate) fn check(&self, job: &Job, left: &[Left]) -> Result<(), Unwritten> {
        let connection = &*self.transaction;
        for left in left {
            let most = self.pending.len() + 1;
            let Some(found) = settle(connection, &self.shapes.children, left, most)? else {
                continue;
            };
            let error = SqliteError::Referred { id: job.id.clone(), child: found.table };
            return Err(Unwritten::Referred(found.ids, error.into()));
        }
        if !self.foreign_keys || job.document.is_none() {
            return Ok(());
        }
        let Some((key, shape)) = place(self.shapes, &job.id) else { return Ok(()) };
        Row { connection, shape, key: &key, id: &job.id }.check_parents()
    }

    /// Held documents that waited for this row.
    pub(crate) fn awakened(&self, job: &Job) -> Result<Vec<Job>, Failed> {
        if !self.wakes || job.document.is_none() {
            return Ok(Vec::new());
        }
        let Some((key, shape)) = place(self.shapes, &job.id) else { return Ok(Vec::new()) };
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

    pub(crate) fn savepoint(&self, sql: &str) -> Result<(), Failed> {
        for sql in sql.split("; ") {
            self.transaction.prepare_cached(sql)?.execute([])?;
        }
        Ok(())
    }
}
