//! Turning an address to another state: each turn is one transaction.

use std::sync::Arc;

use db_to_cloud::state::{Sibling, Table, Turn};
use rusqlite::{Connection, Transaction, params};

use crate::connections::Open;
use crate::schema::{Place, immediate};
use crate::{addresses, drain, join, queue, records};

/// Who turns: an address of a file.
pub(crate) struct Turning {
    pub address: Arc<str>,
    /// The number of the remote that it was last known to lead to.
    pub remote: i64,
    pub place: Place,
    /// Whether the opened tables are the documents: their triggers queue each edit for each remote.
    pub has_tables: bool,
}

/// Why an address did not turn. Nothing was changed.
pub(crate) enum Unturned {
    /// It leads to another state than it was known to.
    Stale,
    /// There is no such sibling.
    NoSibling,
}

impl Turning {
    /// Turns the address; answers the number of its remote.
    pub(crate) fn turn(
        &self,
        open: &mut Open<'_>,
        turn: Turn,
    ) -> rusqlite::Result<Result<i64, Unturned>> {
        let Open { connection, shapes, .. } = open;
        let transaction = self.begin(connection)?;
        if addresses::number(&transaction, &self.address)? != Some(self.remote) {
            return Ok(Err(Unturned::Stale));
        }
        if let Turn::Share(Sibling(n)) | Turn::Replace(Sibling(n)) | Turn::Copy(Sibling(n)) = turn
            && !addresses::others(&transaction, self.remote)?.contains(&n)
        {
            return Ok(Err(Unturned::NoSibling));
        }
        let to = match turn {
            Turn::Share(Sibling(to)) | Turn::Replace(Sibling(to)) => to,
            Turn::Copy(Sibling(sibling)) => addresses::copy(&transaction, sibling)?,
            Turn::New => addresses::add(&transaction)?,
        };
        let is_deleted = matches!(turn, Turn::Replace(_) | Turn::Copy(_));
        if self.place == Place::WithinAnother {
            match (self.has_tables, is_deleted) {
                // A row that a sync with another remote wrote was not queued for this one.
                (true, false) => join::requeue(&transaction, shapes, to)?,
                (true, true) => join::join_all(&transaction, shapes, to)?,
                (false, _) => self.requeue(&transaction, to, !is_deleted)?,
            }
        }
        addresses::lead(&transaction, &self.address, to)?;
        if is_deleted {
            addresses::delete(&transaction, self.remote, to)?;
        }
        transaction.commit()?;
        Ok(Ok(to))
    }

    /// If another address leads to the same remote, this one gets a copy; answers its number.
    pub(crate) fn keep_apart(
        &self,
        open: &mut Open<'_>,
    ) -> rusqlite::Result<Result<Option<i64>, Unturned>> {
        let transaction = self.begin(open.connection)?;
        if addresses::number(&transaction, &self.address)? != Some(self.remote) {
            return Ok(Err(Unturned::Stale));
        }
        if !addresses::is_shared(&transaction, &self.address, self.remote)? {
            return Ok(Ok(None));
        }
        let copy = addresses::copy(&transaction, self.remote)?;
        addresses::lead(&transaction, &self.address, copy)?;
        transaction.commit()?;
        Ok(Ok(Some(copy)))
    }

    /// What the triggers wrote is in the records first: it may name a remote.
    fn begin<'c>(&self, connection: &'c mut Connection) -> rusqlite::Result<Transaction<'c>> {
        if self.place == Place::OwnFile {
            return immediate(connection);
        }
        drain::drain_all(connection)?;
        let transaction = immediate(connection)?;
        drain::drain_within(&transaction)?;
        Ok(transaction)
    }

    /// An application that queues its edits itself queued them for the address: those that the state before
    /// has in its queue are edits for the next one too. If that one was not used at this address meanwhile,
    /// any document that either has may have been edited since: a sync drops those that are as they were.
    fn requeue(&self, transaction: &Transaction<'_>, to: i64, all: bool) -> rusqlite::Result<()> {
        let sql = "SELECT DISTINCT key FROM db_to_cloud_records
            WHERE (remote = ?1 AND kind = ?2) OR (?3 AND remote IN (?1, ?4) AND kind = ?5)";
        let [dirty, index] = [Table::Dirty, Table::Index].map(records::number);
        let keys: Vec<Vec<u8>> = transaction
            .prepare(sql)?
            .query_map(params![self.remote, dirty, all, to, index], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for key in keys.into_iter().filter_map(|key| String::from_utf8(key).ok()) {
            queue::queue(transaction, to, key)?;
        }
        Ok(())
    }
}

/// The values of these keys for each of the other remotes.
pub(crate) fn read_siblings(
    connection: &Connection,
    remote: i64,
    table: Table,
    keys: &[String],
) -> rusqlite::Result<Vec<Vec<Option<Vec<u8>>>>> {
    let others = addresses::others(connection, remote)?.into_iter();
    others.map(|other| records::read(connection, other, table, keys)).collect()
}

/// The other remotes, each with this record among its single ones.
pub(crate) fn siblings(
    connection: &Connection,
    remote: i64,
    key: &str,
) -> rusqlite::Result<Vec<(Sibling, Option<Vec<u8>>)>> {
    let others = addresses::others(connection, remote)?.into_iter();
    let record = |n| Ok((Sibling(n), records::get(connection, n, Table::Metadata, key)?));
    others.map(record).collect()
}
