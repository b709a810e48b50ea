//! A row whose id is spelled anew.

use crate::batch::{Applied, Failed, Job};
use crate::circle::Circle;
use crate::extra;
use crate::read::{Current, place};
use crate::transaction::Batch;
use crate::write::{Row, Unwritten};

impl Batch<'_> {
    /// Where a row is deleted and another one written that the table takes for the same, such as a
    /// key that was spelled in another way, it is one row that gets another id: what is not synced of
    /// it stays.
    pub(crate) fn rename(&mut self, circle: &mut Circle) -> Result<(), Failed> {
        for (put, delete) in circle.pairs() {
            let (old, new) = (place(self.shapes, &delete.id), place(self.shapes, &put.id));
            let (Some((old, _)), Some((new, shape))) = (old, new) else { continue };
            let row = Row { connection: &self.transaction, shape, key: &new, id: &put.id };
            if row.alike()?.as_ref() != Some(&old) {
                continue;
            }
            self.savepoint("SAVEPOINT db_to_cloud_write")?;
            match self.rename_row(&put, &delete) {
                Ok(true) => {
                    self.savepoint("RELEASE db_to_cloud_write")?;
                    for job in [&put, &delete] {
                        self.written.insert(job.id.clone(), job.document.clone());
                        self.decide(job, Ok(Applied::Done));
                        circle.done(&job.id);
                    }
                }
                Err(Unwritten::Sqlite(error)) => return Err(self.failed(error, &put)),
                // Each of them finds out for itself what is wrong.
                Ok(false) | Err(_) => {
                    self.savepoint("ROLLBACK TO db_to_cloud_write; RELEASE db_to_cloud_write")?;
                }
            }
        }
        Ok(())
    }

    /// Whether both were as expected.
    fn rename_row(&self, put: &Job, delete: &Job) -> Result<bool, Unwritten> {
        for job in [put, delete] {
            let place = place(self.shapes, &job.id);
            let current = self.current(job, place.as_ref())?;
            if current.document.map(|d| d.revision) != job.expected {
                return Ok(false);
            }
        }
        let Some((old, _)) = place(self.shapes, &delete.id) else { return Ok(false) };
        let Some((new, shape)) = place(self.shapes, &put.id) else { return Ok(false) };
        let row = Row { connection: &self.transaction, shape, key: &new, id: &put.id };
        row.rename_from(&old)?;
        extra::forget(&self.transaction, &delete.id)?;
        let current = Current { has_row: true, has_extra: true, document: None };
        self.change(put, Some((new.clone(), shape)), &current, false)?;
        Ok(true)
    }
}
