//! Writes that are a single statement, which SQLite undoes by itself if it fails.

use std::sync::Arc;

use crate::batch::{Failed, Job};
use crate::key::RowKey;
use crate::shape::Shape;
use crate::transaction::Batch;
use crate::write::Unwritten;

impl Batch<'_> {
    /// Whether a write needs no savepoint: nothing is looked at after its statement that might undo it, and
    /// neither the schema nor a trigger of the application decides what a failure leaves behind.
    pub(crate) fn is_plain(&self, job: &Job, place: Option<&(RowKey, &Arc<Shape>)>) -> bool {
        let Some((key, shape)) = place else { return false };
        let is_free = !shape.is_guarded && !shape.has_conflict_clause;
        let is_alone = !self.foreign_keys
            || shape.parents.is_empty() && !self.shapes.children.contains_key(&shape.name);
        !self.is_careful && job.document.is_some() && is_free && is_alone && !key.has_null()
    }

    /// Why such a write did not come about. What fails after its statement, such as an id that the table
    /// stores as another one, is not undone: then all is tried again with savepoints.
    pub(crate) fn explain_plain(
        &mut self,
        job: &Job,
        why: Unwritten,
    ) -> Result<Result<(), Unwritten>, Failed> {
        if matches!(why, Unwritten::Constraint(_)) {
            return self.explain(job, why).map(Err);
        }
        // The error is not shown: all is tried again.
        Err(Failed { needs_care: true, ..rusqlite::Error::InvalidQuery.into() })
    }
}
