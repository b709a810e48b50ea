//! Which of the writes that wait can still be made: those that wait for each other alone.

use std::collections::HashMap;

use db_to_cloud::DocumentId;

use crate::batch::Failed;
use crate::circle::rows;
use crate::transaction::{Batch, Open};
use crate::write::Unwritten;

/// Writes that wait for each other.
struct Web {
    open: HashMap<DocumentId, Open>,
    /// Who waits for a document.
    waiters: HashMap<DocumentId, Vec<DocumentId>>,
    /// How many need the room of a document.
    takers: HashMap<DocumentId, usize>,
}

impl Web {
    fn new(open: Vec<Open>) -> Self {
        let (mut waiters, mut takers) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, usize>::new());
        for (job, why) in &open {
            for row in awaited(why) {
                waiters.entry(row.clone()).or_default().push(job.id.clone());
            }
            for row in rows(why) {
                *takers.entry(row.clone()).or_default() += 1;
            }
        }
        let open = open.into_iter().map(|(job, why)| (job.id.clone(), (job, why))).collect();
        Self { open, waiters, takers }
    }

    fn is_possible(&self, batch: &Batch<'_>, id: &DocumentId) -> bool {
        let Some((_, why)) = self.open.get(id) else { return true };
        let are_pending = || awaited(why).iter().all(|row| batch.pending.contains(row));
        match why {
            // Those that get its unique value may be what is referred to then.
            Unwritten::Referred(..) => self.takers.get(id).is_some_and(|n| *n > 0) || are_pending(),
            Unwritten::MakesRoom => !batch.needed.contains_key(id),
            _ => are_pending(),
        }
    }

    /// Takes a write out; gives those to which that makes a difference.
    fn remove(&mut self, id: &DocumentId) -> Option<(Open, Vec<DocumentId>)> {
        let (job, why) = self.open.remove(id)?;
        let mut concerned = self.waiters.remove(id).unwrap_or_default();
        for row in rows(&why) {
            if let Some(count) = self.takers.get_mut(row) {
                *count -= 1;
            }
            concerned.push(row.clone());
        }
        Some(((job, why), concerned))
    }
}

/// The rows that a write waits for.
fn awaited(why: &Unwritten) -> &[DocumentId] {
    match why {
        Unwritten::Taken(rows, _) | Unwritten::Referred(rows, _) => rows,
        _ => &[],
    }
}

impl Batch<'_> {
    /// Sets apart those that wait for a row which is not written in this batch, and those that wait
    /// for them; gives the others.
    pub(crate) fn possible(&mut self, open: Vec<Open>) -> Result<Vec<Open>, Failed> {
        let order: Vec<_> = open.iter().map(|(job, _)| job.id.clone()).collect();
        let mut web = Web::new(open);
        let mut concerned = order.clone();
        while let Some(id) = concerned.pop() {
            if web.is_possible(self, &id) {
                continue;
            }
            if let Some(((job, why), others)) = web.remove(&id) {
                self.set_apart(&job, why)?;
                concerned.extend(others);
            }
        }
        Ok(order.iter().filter_map(|id| web.open.remove(id)).collect())
    }
}
