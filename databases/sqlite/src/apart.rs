//! What becomes of a write that did not come about.

use db_to_cloud::DocumentId;

use crate::batch::{Answer, Applied, Failed, Job};
use crate::error::SqliteError;
use crate::parents::Awaited;
use crate::read::{place, read};
use crate::referred::Referred;
use crate::transaction::Batch;
use crate::write::{Row, Unwritten, is_unique};
use crate::{extra, revive};

impl Batch<'_> {
    /// Answers a write that is not made.
    pub(crate) fn set_apart(&mut self, job: &Job, why: Unwritten) -> Result<(), Failed> {
        match why {
            Unwritten::Awaits(awaited, parent) => return self.wait(job, &awaited, parent),
            Unwritten::Taken(rows, error) => {
                self.needed.extend(rows.into_iter().map(|row| (row, job.id.clone())));
                self.decide(job, Err(*error));
            }
            Unwritten::Referred(rows, error) => {
                let is_revived = !rows.is_empty() && self.revive(job, &rows)?;
                self.decide(job, if is_revived { Ok(Applied::Done) } else { Err(*error) });
            }
            Unwritten::Document(error) => self.decide(job, Err(error)),
            Unwritten::MakesRoom => {
                let place_of = self.needed.get(&job.id).unwrap_or(&job.id).clone();
                self.decide(job, Err(SqliteError::MakesRoom { id: job.id.clone(), place_of }));
            }
            Unwritten::Constraint(error) | Unwritten::Sqlite(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether a row that is to be deleted, and that these rows refer to, stays as one that was made anew
    /// here: at once if one of them is new, else in the next sync. A foreign key that forbids the
    /// delete keeps it blocked.
    fn revive(&mut self, job: &Job, rows: &[DocumentId]) -> Result<bool, Failed> {
        let connection = &*self.transaction;
        let Some((key, shape)) = place(self.shapes, &job.id).filter(|_| job.document.is_none())
        else {
            return Ok(false);
        };
        let row = Row { connection, shape, key: &key, id: &job.id };
        for left in Referred::new(&row, self.shapes, true).deleted()? {
            let is_forbidden = matches!(left.child.on_delete.as_str(), "NO ACTION" | "RESTRICT");
            if is_forbidden && !left.child.standing(connection, &left, 1)?.is_empty() {
                return Ok(false);
            }
        }
        let mut is_revived = false;
        for row in rows {
            is_revived = is_revived || revive::is_new(connection, row)?;
        }
        if !is_revived && !revive::note(connection, &job.id, self.sync)? {
            return Ok(false);
        }
        revive::forget(connection, &job.id)?;
        self.revived.push(key);
        Ok(true)
    }

    /// A new document whose parent is missing is held until it comes; an edit is not made.
    fn wait(&mut self, job: &Job, awaited: &Awaited, parent: String) -> Result<(), Failed> {
        let current = read(&self.transaction, self.shapes, &job.id);
        let has_row = current.is_ok_and(|current| current.has_row);
        match &job.document {
            Some(document) if !has_row => {
                self.has_extras.set(true);
                extra::hold(&self.transaction, &job.id, document, Some(awaited))?;
                self.written.insert(job.id.clone(), job.document.clone());
                self.decide(job, Ok(Applied::Done));
            }
            _ => self.decide(job, Err(SqliteError::NoParent { id: job.id.clone(), parent })),
        }
        Ok(())
    }

    /// A trigger or a constraint of the row may have rolled everything back.
    pub(crate) fn failed(&self, error: rusqlite::Error, job: &Job) -> Failed {
        use rusqlite::ErrorCode::ConstraintViolation;
        let is_its_own = error.sqlite_error_code() == Some(ConstraintViolation)
            && self.transaction.is_autocommit();
        Failed { culprit: is_its_own.then(|| job.id.clone()), ..error.into() }
    }

    /// What is behind a constraint: rows in the way, or the row itself.
    pub(crate) fn explain(&mut self, job: &Job, why: Unwritten) -> Result<Unwritten, Failed> {
        let Unwritten::Constraint(source) = why else { return Ok(why) };
        let id = job.id.clone();
        let (place, document) = (place(self.shapes, &id), &job.document);
        let rows = match (&place, document) {
            (Some((key, shape)), Some(document)) => {
                let row = Row { connection: &self.transaction, shape, key, id: &id };
                let current = read(&self.transaction, self.shapes, &id);
                let current = current.ok().and_then(|current| current.document);
                row.in_the_way(current.as_ref(), document)
            }
            _ => Ok(Vec::new()),
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(Unwritten::Sqlite(error)) => return Err(self.failed(error, job)),
            Err(_) => Vec::new(),
        };
        if is_unique(&source) && !rows.is_empty() {
            return Ok(Unwritten::Taken(rows, SqliteError::Taken { id, source }.into()));
        }
        self.needed.extend(rows.into_iter().map(|row| (row, id.clone())));
        Ok(Unwritten::Document(SqliteError::Refused { id, source }))
    }

    pub(crate) fn decide(&mut self, job: &Job, answer: Answer) {
        self.pending.remove(&job.id);
        self.answers.extend(job.answer.map(|i| (i, answer)));
    }
}
