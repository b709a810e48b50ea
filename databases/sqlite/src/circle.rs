//! In which order rows that are in the way of each other are written, and which of them are taken
//! out for it.

use std::collections::{HashMap, HashSet};

use db_to_cloud::DocumentId;
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::batch::Job;
use crate::lift::{Lifted, lift, put_back};
use crate::read::place;
use crate::transaction::Open;
use crate::write::Unwritten;

/// Writes that wait for each other.
pub(crate) struct Circle {
    open: Vec<Open>,
    places: HashMap<DocumentId, usize>,
    /// Held documents that can have their rows now; and how many of them were given out.
    awakened: Vec<Job>,
    given: usize,
    known: HashSet<DocumentId>,
    done: HashSet<DocumentId>,
    lifted: HashMap<DocumentId, Lifted>,
    /// Which of them need the room of a row.
    takers: HashMap<DocumentId, Vec<DocumentId>>,
}

impl Circle {
    pub(crate) fn new(open: Vec<Open>) -> Self {
        let places = open.iter().enumerate().map(|(i, (job, _))| (job.id.clone(), i)).collect();
        let mut takers: HashMap<DocumentId, Vec<DocumentId>> = HashMap::new();
        for (job, why) in &open {
            for row in rows(why) {
                takers.entry(row.clone()).or_default().push(job.id.clone());
            }
        }
        Self {
            open,
            places,
            takers,
            awakened: Vec::new(),
            given: 0,
            known: HashSet::new(),
            done: HashSet::new(),
            lifted: HashMap::new(),
        }
    }

    /// Puts, each after those whose room it needs, except where that leads back to itself. Deletes
    /// come after those that have rows: on the device where they were made nothing depended on the
    /// deleted row any more. New rows are the last: they must not get the rowid of a row that is out.
    pub(crate) fn order(&self, has_row: impl Fn(&Job) -> bool) -> Vec<Job> {
        let (mut order, mut new) = (Vec::new(), Vec::new());
        let mut seen: HashSet<usize> = HashSet::new();
        for start in 0..self.open.len() {
            let mut path = vec![(start, false)];
            while let Some((at, is_left)) = path.pop() {
                let Some((job, why)) = self.open.get(at).filter(|(job, _)| job.document.is_some())
                else {
                    continue;
                };
                if is_left {
                    let puts = if has_row(job) { &mut order } else { &mut new };
                    puts.push(job.clone());
                } else if seen.insert(at) {
                    path.push((at, true));
                    let next = rows(why).iter().filter_map(|row| self.places.get(row));
                    path.extend(next.map(|next| (*next, false)));
                }
            }
        }
        let is_delete = |(job, _): &&Open| job.document.is_none();
        order.extend(self.open.iter().filter(is_delete).map(|(job, _)| job.clone()));
        order.extend(new);
        order
    }

    /// Deletes and puts of which the one needs the room of the other: the put first.
    pub(crate) fn pairs(&self) -> Vec<(Job, Job)> {
        let mut pairs = Vec::new();
        for (put, why) in &self.open {
            for row in rows(why) {
                let place = self.places.get(row).and_then(|place| self.open.get(*place));
                let delete = place.filter(|(delete, _)| delete.document.is_none());
                pairs.extend(delete.map(|(delete, _)| (put.clone(), delete.clone())));
            }
        }
        pairs
    }

    /// Takes out the rows whose room this one needs, and puts this one itself back to where it was;
    /// gives what was taken out for that and has to come back.
    pub(crate) fn make_room(
        &mut self,
        connection: &Connection,
        shapes: &Shapes,
        id: &DocumentId,
    ) -> Result<Vec<Lifted>, Unwritten> {
        let take_out = |id: &DocumentId| match place(shapes, id) {
            Some((key, shape)) => lift(connection, shape, &key),
            None => Ok(None),
        };
        let mut aside = Vec::new();
        if let Some(own) = self.lifted.remove(id) {
            let takers = self.takers.get(id).into_iter().flatten();
            for taker in takers.filter(|taker| self.done.contains(*taker)) {
                aside.extend(take_out(taker)?);
            }
            put_back(connection, &own)?;
        }
        let Some((_, why)) = self.places.get(id).and_then(|place| self.open.get(*place)) else {
            return Ok(aside);
        };
        for row in rows(why) {
            if !self.done.contains(row)
                && !self.lifted.contains_key(row)
                && let Some(lifted) = take_out(row)?
            {
                self.lifted.insert(row.clone(), lifted);
            }
        }
        Ok(aside)
    }

    pub(crate) fn done(&mut self, id: &DocumentId) {
        self.done.insert(id.clone());
    }

    pub(crate) fn is_done(&self, id: &DocumentId) -> bool {
        self.done.contains(id)
    }

    /// Adds a held document, unless it is there already.
    pub(crate) fn add(&mut self, held: Job) {
        if !self.places.contains_key(&held.id) && self.known.insert(held.id.clone()) {
            self.awakened.push(held);
        }
    }

    pub(crate) fn next_awakened(&mut self) -> Option<Job> {
        let next = self.awakened.get(self.given).cloned();
        self.given += usize::from(next.is_some());
        next
    }

    pub(crate) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.open.iter().map(|(job, _)| job).chain(&self.awakened)
    }

    /// All of them, why they wait, and whether they were awakened.
    pub(crate) fn into_open(self) -> impl Iterator<Item = (Job, Unwritten, bool)> {
        let awakened = self.awakened.into_iter().map(|job| (job, Unwritten::MakesRoom, true));
        self.open.into_iter().map(|(job, why)| (job, why, false)).chain(awakened)
    }
}

/// The rows whose room a write needs.
pub(crate) fn rows(why: &Unwritten) -> &[DocumentId] {
    match why {
        Unwritten::Taken(rows, _) => rows,
        _ => &[],
    }
}
