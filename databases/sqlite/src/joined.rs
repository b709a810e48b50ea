//! Rows and client state of one file, written in one transaction (rule P8).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use async_trait::async_trait;
use db_to_cloud::state::{StateError, Update};
use db_to_cloud::{Joined, Outcome, Settling};
use rusqlite::Connection;

use crate::batch::{Answer, Applied};
use crate::database::SqliteDatabase;
use crate::problem::Problem;
use crate::state::SqliteState;
use crate::{addresses, drain, records};

/// The tables, and the state of one remote of their file.
pub(crate) struct RowsAndRecords {
    pub database: SqliteDatabase,
    pub state: SqliteState,
}

#[async_trait]
impl Joined for RowsAndRecords {
    async fn apply(&self, batch: Vec<Settling>) -> Result<Vec<Outcome>, StateError> {
        // First what is long, in transactions of its own.
        self.state.run("write", |open| drain::drain_all(open.connection)).await?;
        let (writes, updates) = batch.into_iter().map(|s| (s.write, s.updates)).unzip();
        let (address, known) = (self.state.address.clone(), self.state.remote.clone());
        let outcomes = self.database.write(writes, Some(Along { address, known, updates })).await;
        let turned = || Problem::Turned { operation: "write", path: self.state.path.to_path_buf() };
        Ok(outcomes.ok_or_else(turned)?)
    }
}

/// Records that change along with rows.
pub(crate) struct Along {
    address: Arc<str>,
    /// The number of the remote that the records were read of.
    known: Arc<AtomicI64>,
    /// Those of each write.
    updates: Vec<Vec<Update>>,
}

impl Along {
    /// The number of the remote; `None` if the address leads to another one than before. What was edited
    /// before this transaction is in the queue of the records then: an edit that comes later is queued upon
    /// the version that is written here.
    pub(crate) fn begin(&self, transaction: &Connection) -> rusqlite::Result<Option<i64>> {
        drain::drain_within(transaction)?;
        let remote = addresses::known(transaction, &self.address)?;
        Ok((self.known.swap(remote, SeqCst) == remote).then_some(remote))
    }

    /// Makes the updates of the writes that are done.
    pub(crate) fn settle(
        &self,
        transaction: &Connection,
        remote: i64,
        answers: &[(usize, Answer)],
    ) -> rusqlite::Result<()> {
        let is_done = |answer: &Answer| matches!(answer, Ok(Applied::Done));
        let done = answers.iter().filter(|(_, answer)| is_done(answer));
        let updates = done.filter_map(|(i, _)| self.updates.get(*i)).flatten();
        records::set_all(transaction, remote, updates)
    }
}
