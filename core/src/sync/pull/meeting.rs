//! Rule C7: a device with documents meets a storage with documents for the first time. If they have few
//! in common, somebody has probably mistaken the storage, and is asked.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use super::Pull;
use crate::local::state::Table;
use crate::model::{Action, DeferredChange, LogPosition, QueuedEdit};
use crate::model::{DocumentId, Error, ErrorKind};

/// With at most this number of documents on one side, both are joined without a question.
const FEW: usize = 10;
/// The number of names of each side in the error.
const SAID: usize = 3;
const STEP: usize = 500;

impl Pull<'_> {
    /// Whether this device has documents and has never synced with this storage. A device that found
    /// no storage there is not asked if another one begins it first: both were given the same place.
    pub(in crate::sync) async fn is_meeting(&self, position: &LogPosition) -> Result<bool, Error> {
        let (sync_state, options) = (&self.cx.client.sync_state, &self.cx.options);
        let is_asked = !options.join && !options.accept_remote && !self.cx.begins.load(Relaxed);
        let is_new = position.synced.is_none() && position.generation == 0;
        Ok(is_asked
            && is_new
            && sync_state.is_empty(Table::Index).await?
            && sync_state.count(Table::Dirty).await? > FEW as u64)
    }

    /// The log is read, and all of it is deferred.
    ///
    /// # Errors
    /// [`ErrorKind::Unrelated`] if fewer than half of the documents of the smaller side are on both.
    pub(super) async fn check_related(&self) -> Result<(), Error> {
        let sync_state = &self.cx.client.sync_state;
        let mut local = HashSet::new();
        let mut pages = sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while let Some(page) = pages.next().await? {
            local.extend(page.into_iter().map(|(id, _)| id));
        }
        let (mut remote, mut common, mut others) = (0, 0, Vec::new());
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            for (id, pending) in page {
                let is_excluded = pending.set_aside.is_some();
                if is_excluded || pending.change.is_none_or(|c| c.action == Action::Delete) {
                    continue;
                }
                remote += 1;
                match local.contains(&id) {
                    true => common += 1,
                    false if others.len() < SAID => others.push(id),
                    false => {}
                }
            }
        }
        let smaller = remote.min(local.len());
        if smaller <= FEW || common * 2 >= smaller {
            return Ok(());
        }
        let own: Vec<_> = local.iter().take(SAID).collect();
        Err(unrelated((&own, local.len()), (&others.iter().collect::<Vec<_>>(), remote), common))
    }
}

type Side<'a> = (&'a [&'a DocumentId], usize);

fn unrelated(local: Side<'_>, remote: Side<'_>, common: usize) -> Error {
    let side = |(names, count): Side<'_>| {
        let names: Vec<_> = names.iter().map(|id| format!("{:?}", id.to_string())).collect();
        format!("{count} documents, such as {}", names.join(", "))
    };
    Error::new(ErrorKind::Unrelated, "sync").with_message(format!(
        "this device has {}, and the storage has {}; {common} are on both. Nothing was written on \
         either side: if they belong together, join them, else choose another storage",
        side(local),
        side(remote),
    ))
}
