//! Who wins when two devices changed one file.

use std::cmp::Ordering;

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Conflict, DocumentId, KeepBoth, LocalWins, RemoteWins, Resolution, Resolver,
    Timestamp,
};
use db_to_cloud_folder::{conflict_copy_id, is_conflict_copy};

use crate::args::OnConflict;
use crate::ask::{self, Answer};
use crate::side::Side;

/// Settles conflicts as the user said.
#[derive(Debug)]
pub(crate) struct Settler {
    pub how: OnConflict,
    pub side: Side,
    pub device: String,
}

/// How many copies of one file in one second are told apart.
const COPIES: usize = 1000;

#[async_trait]
impl Resolver for Settler {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        match self.how {
            OnConflict::KeepBoth => self.keep_both(conflict).await,
            OnConflict::Local => LocalWins.resolve(conflict).await,
            OnConflict::Remote => RemoteWins.resolve(conflict).await,
            OnConflict::Newest => self.newest(conflict).await,
            OnConflict::Ask => self.ask(conflict).await,
            OnConflict::Later => Ok(Resolution::Defer),
        }
    }
}

impl Settler {
    /// The version of the storage keeps the name; an edit wins over a delete.
    async fn keep_both(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        let copy = self.copy_id(conflict).await?;
        KeepBoth::new(|_: &Conflict| copy.clone()).resolve(conflict).await
    }

    /// A name for the copy. It rests on the time of the file, so that a sync that was interrupted
    /// after it made the copy finds it again.
    async fn copy_id(&self, conflict: &Conflict) -> Result<DocumentId, BoxError> {
        let time = self.modified(conflict).unwrap_or_default();
        let device = self.name_in_copy(conflict);
        for number in 1..=COPIES {
            let copy = conflict_copy_id(&conflict.id, &numbered(&device, number), time);
            let there = self.side.database().get(&copy).await?.map(|document| document.bytes);
            // Another conflict of the same second may have taken the name.
            if there.is_none() || there == conflict.local.as_ref().map(|l| l.bytes.clone()) {
                return Ok(copy);
            }
        }
        Err(format!("{COPIES} copies of it exist already: look through them, then sync again")
            .into())
    }

    /// The device, and of a conflict about a copy also the content: two devices of one name made it in the
    /// same second. Its copies would meet again, without end where there are several storages.
    fn name_in_copy(&self, conflict: &Conflict) -> String {
        let is_copy = is_conflict_copy(&conflict.id);
        let hash =
            conflict.local.as_ref().filter(|_| is_copy).map(|local| local.hash().to_string());
        match hash.as_deref().and_then(|hash| hash.get(..8)) {
            Some(hash) => format!("{} {hash}", self.device.chars().take(28).collect::<String>()),
            None => self.device.clone(),
        }
    }

    async fn newest(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        let (Some(_), Some(_)) = (&conflict.local, &conflict.remote) else {
            return self.keep_both(conflict).await;
        };
        // A commit whose time cannot be read is of 1970: that is no time to be compared.
        let remote_time = conflict.remote_time.filter(|time| *time > Timestamp::default());
        let times = self.modified(conflict).zip(remote_time);
        match times.map(|(local, remote)| local.cmp(&remote)) {
            Some(Ordering::Greater) => Ok(Resolution::KeepLocal),
            Some(Ordering::Less) => Ok(Resolution::TakeRemote),
            Some(Ordering::Equal) | None => self.keep_both(conflict).await,
        }
    }

    async fn ask(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        let question =
            ask::question(conflict, &self.device, self.modified(conflict), self.side.is_tables());
        let both = conflict.local.is_some() && conflict.remote.is_some() && !self.side.is_tables();
        match ask::ask(question, both).await {
            Answer::Local => Ok(Resolution::KeepLocal),
            Answer::Remote => Ok(Resolution::TakeRemote),
            Answer::Both => self.keep_both(conflict).await,
            Answer::Later => Ok(Resolution::Defer),
        }
    }

    fn modified(&self, conflict: &Conflict) -> Option<Timestamp> {
        self.side.modified(&conflict.id)
    }
}

/// `laptop`, `laptop 2`, `laptop 3`. Short, since a long device name is cut where it ends.
fn numbered(device: &str, number: usize) -> String {
    match number {
        1 => device.to_owned(),
        number => format!("{} {number}", device.chars().take(32).collect::<String>()),
    }
}
