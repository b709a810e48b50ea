//! Rows that are in the way of each other: all of them are written, or none of those that depend on
//! one that cannot be.

use std::collections::{HashMap, HashSet};

use db_to_cloud::DocumentId;

use crate::batch::{Failed, Job};
use crate::circle::Circle;
use crate::error::SqliteError;
use crate::read::place;
use crate::transaction::{Batch, Open};
use crate::write::Unwritten;

impl Batch<'_> {
    /// Writes what waits for each other at once. What proves to be impossible is set apart, and the
    /// others are tried again without it.
    pub(crate) fn together(&mut self, open: Vec<Open>) -> Result<(), Failed> {
        let (mut open, mut apart) = (open, HashSet::new());
        loop {
            open = self.possible(open)?;
            if open.is_empty() {
                return Ok(());
            }
            self.savepoint("SAVEPOINT db_to_cloud_together")?;
            let (answered, pending) = (self.answers.len(), self.pending.clone());
            let mut circle = Circle::new(open);
            let failed = self.attempt(&mut circle, &apart)?;
            if failed.is_empty() {
                return self.savepoint("RELEASE db_to_cloud_together");
            }
            self.savepoint("ROLLBACK TO db_to_cloud_together; RELEASE db_to_cloud_together")?;
            self.answers.truncate(answered);
            self.pending = pending;
            open = self.without(circle, failed, &mut apart)?;
        }
    }

    /// Sets the failed ones apart; gives the others.
    fn without(
        &mut self,
        circle: Circle,
        failed: HashMap<DocumentId, Unwritten>,
        apart: &mut HashSet<DocumentId>,
    ) -> Result<Vec<Open>, Failed> {
        let mut failed = failed;
        let mut open = Vec::new();
        for (job, why, is_awakened) in circle.into_open() {
            self.written.remove(&job.id);
            match (failed.remove(&job.id), is_awakened) {
                (None, false) => open.push((job, why)),
                // It is awakened again.
                (None, true) => {}
                (Some(reason), _) => {
                    apart.insert(job.id.clone());
                    // Also if it failed for another reason, it needs that room.
                    if let Unwritten::Taken(rows, _) = why {
                        self.needed.extend(rows.into_iter().map(|row| (row, job.id.clone())));
                    }
                    self.set_apart(&job, reason)?;
                }
            }
        }
        Ok(open)
    }

    /// Makes all of them and those that are awakened by them, and then looks which lack something.
    fn attempt(
        &mut self,
        circle: &mut Circle,
        apart: &HashSet<DocumentId>,
    ) -> Result<HashMap<DocumentId, Unwritten>, Failed> {
        let mut failed = HashMap::new();
        self.left.clear();
        self.rename(circle)?;
        let has_row = |job: &Job| {
            let place = place(self.shapes, &job.id);
            self.current(job, place.as_ref()).is_ok_and(|current| current.has_row)
        };
        for job in circle.order(has_row) {
            if let Err(why) = self.make_in(circle, &job)? {
                failed.insert(job.id.clone(), why);
                continue;
            }
            for held in self.awakened(&job)? {
                if !apart.contains(&held.id) {
                    circle.add(held);
                }
            }
        }
        while let Some(job) = circle.next_awakened() {
            if let Err(why) = self.make(&job, false)? {
                failed.insert(job.id.clone(), why);
                continue;
            }
            for held in self.awakened(&job)? {
                if !apart.contains(&held.id) {
                    circle.add(held);
                }
            }
        }
        match failed.is_empty() {
            true => self.unsound(circle),
            false => Ok(failed),
        }
    }

    /// Which of the written ones refer to what is not there, or left something that is referred to.
    fn unsound(&mut self, circle: &Circle) -> Result<HashMap<DocumentId, Unwritten>, Failed> {
        let left: HashMap<_, _> = std::mem::take(&mut self.left).into_iter().collect();
        let mut failed = HashMap::new();
        for job in circle.jobs() {
            let left = left.get(&job.id).map_or(&[][..], |left| left);
            match self.check(job, left) {
                Ok(()) => {}
                Err(Unwritten::Sqlite(error)) => return Err(error.into()),
                Err(why) => drop(failed.insert(job.id.clone(), why)),
            }
        }
        Ok(failed)
    }

    /// Writes one in place of rows that are yet to be written, and lets it come back to where others
    /// were written already.
    fn make_in(&mut self, circle: &mut Circle, job: &Job) -> Result<Result<(), Unwritten>, Failed> {
        if circle.is_done(&job.id) {
            return Ok(Ok(()));
        }
        let (connection, shapes) = (&self.transaction, self.shapes);
        let prepared = circle.make_room(connection, shapes, &job.id);
        let aside = match prepared {
            Ok(aside) => aside,
            Err(why) => return self.not_moved(job, why),
        };
        let made = self.make(job, false)?;
        if made.is_err() {
            return Ok(made);
        }
        circle.done(&job.id);
        match aside.iter().try_for_each(|row| crate::lift::put_back(&self.transaction, row)) {
            Err(why) => self.not_moved(job, why),
            Ok(()) => Ok(Ok(())),
        }
    }

    fn not_moved(&self, job: &Job, why: Unwritten) -> Result<Result<(), Unwritten>, Failed> {
        match why {
            Unwritten::Sqlite(error) => Err(self.failed(error, job)),
            Unwritten::Constraint(source) => {
                let error = SqliteError::Taken { id: job.id.clone(), source };
                Ok(Err(Unwritten::Document(error)))
            }
            why => Ok(Err(why)),
        }
    }
}
