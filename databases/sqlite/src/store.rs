//! What a client asks of its state.

use std::any::Any;
use std::sync::atomic::Ordering::SeqCst;

use async_trait::async_trait;
use db_to_cloud::state::{Claim, Sibling, StateError, StateStore, Table, Turn, Update, Written};

use crate::claim::Lock;
use crate::connections::Open;
use crate::problem::Problem;
use crate::state::SqliteState;
use crate::{addresses, drain, join, place, records, schema, turn};

/// How often a claim follows an address that other processes turn meanwhile.
const CLAIMS: usize = 4;

#[async_trait]
impl StateStore for SqliteState {
    fn place(&self) -> Option<String> {
        place::of(&self.path)
    }

    fn shared(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(self)
    }

    async fn claim(&self) -> Result<Claim, StateError> {
        // An address turns only under the claim of the state to which it leads: once that is held, it stays.
        let mut remote = self.look_up().await?;
        for _ in 0..CLAIMS {
            let path = self.lock_path(remote);
            let lock = match self.is_in_memory {
                true => Lock::acquire_in_memory(&path)?,
                false => Lock::acquire(&path)?,
            };
            let now = self.look_up().await?;
            if now == remote {
                if let Some(tables) = &self.tables {
                    tables.refresh().await.map_err(|e| StateError::Store(e.into()))?;
                    let join = move |open: &mut Open<'_>| {
                        join::join_new(open.connection, open.shapes, remote)
                    };
                    self.run("claim", join).await?;
                }
                return Ok(Box::new(lock));
            }
            remote = now;
        }
        Err(StateError::Busy)
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let keys = keys.to_vec();
        self.read_from("read", table, move |c, remote| records::read(c, remote, table, &keys)).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let after = after.map(str::to_owned);
        let scan = move |c: &_, remote| records::scan(c, remote, table, after.as_deref(), limit);
        let text = |(key, value)| {
            let key = String::from_utf8(key)
                .map_err(|_| Problem::Key { path: self.path.to_path_buf() })?;
            Ok((key, value))
        };
        self.read_from("scan", table, scan).await?.into_iter().map(text).collect()
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        // A watch counts the queue: a table that was made anew has no trigger that fills it.
        if let Some(tables) = self.tables.as_ref().filter(|_| table == Table::Dirty) {
            tables.look_again().await.map_err(|e| StateError::Store(e.into()))?;
        }
        self.read_from("count", table, move |c, remote| records::count(c, remote, table)).await
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        let (address, known, is_fed) =
            (self.address.clone(), self.remote.clone(), self.is_within());
        let has_expected = !expected.is_empty();
        let write = move |Open { connection, .. }: &mut Open<'_>| {
            if is_fed {
                // First what is long, in transactions of its own; then what came since.
                drain::drain_all(connection)?;
            }
            let transaction = schema::immediate(connection)?;
            if is_fed {
                drain::drain_within(&transaction)?;
            }
            let remote = addresses::known(&transaction, &address)?;
            // What was read before was read of another state.
            if known.swap(remote, SeqCst) != remote {
                return Ok(has_expected.then_some(Written::Changed));
            }
            let written = records::write(&transaction, remote, &expected, &updates)?;
            if written == Written::Done {
                transaction.commit()?;
            }
            Ok(Some(written))
        };
        let operation = "write";
        let turned = || Problem::Turned { operation, path: self.path.to_path_buf() };
        Ok(self.run(operation, write).await?.ok_or_else(turned)?)
    }

    async fn siblings(&self, key: &str) -> Result<Vec<(Sibling, Option<Vec<u8>>)>, StateError> {
        let key = key.to_owned();
        let siblings = move |c: &_, remote| turn::siblings(c, remote, &key);
        self.read_from("read", Table::Metadata, siblings).await
    }

    async fn read_siblings(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, StateError> {
        let keys = keys.to_vec();
        let values = move |c: &_, remote| turn::read_siblings(c, remote, table, &keys);
        self.read_from("read", table, values).await
    }

    async fn turn_to(&self, turn: Turn) -> Result<bool, StateError> {
        self.change(move |turning, open| Ok(turning.turn(open, turn)?.map(|remote| (remote, true))))
            .await
    }

    async fn keep_apart(&self) -> Result<bool, StateError> {
        self.change(|turning, open| {
            let apart = turning.keep_apart(open)?;
            Ok(apart.map(|copy| (copy.unwrap_or(turning.remote), copy.is_some())))
        })
        .await
    }
}
