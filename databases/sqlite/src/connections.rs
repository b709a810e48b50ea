//! The connection to the application's database: our own, or one that the application lends.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use db_to_cloud::BoxError;
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::lent;

/// Connections of the application to one database, for
/// [`SqliteDatabase::on`](crate::SqliteDatabase::on): it opens them as it needs them, with the key of an
/// encrypted file, with functions and collations, in memory or exclusively.
///
/// All of them must be to the same database. Each connection to `:memory:` has one of its own, so only one of
/// those can be lent, or several to one `file:name?mode=memory&cache=shared`.
///
/// Between two calls a connection is the application's: its pragmas, triggers, functions and TEMP objects are as
/// it left them; `changes()` and `last_insert_rowid()` are those of the last use. What it set is in force for the
/// writes of a sync too: hooks are called, an authorizer is asked, `synchronous` and `busy_timeout` are its own.
///
/// Refused are, before anything is written: a connection in a transaction; one with a TEMP table or view that has
/// the name of one in the database; one with `journal_mode` OFF, as SQLite cannot roll back then.
///
/// Do not wait for a sync while holding a lock that `with` takes: the sync waits for the lock, for ever.
///
/// A pool, such as one of `r2d2` or `deadpool`, is lent by a type of the application's own around it:
///
/// ```
/// use db_to_cloud::BoxError;
/// use db_to_cloud_sqlite::{Connections, rusqlite};
///
/// /// Stands for such a pool.
/// struct Pool(std::sync::Mutex<Vec<rusqlite::Connection>>);
///
/// impl Connections for Pool {
///     fn with(
///         &self,
///         work: &mut dyn FnMut(&mut rusqlite::Connection) -> rusqlite::Result<()>,
///     ) -> Result<(), BoxError> {
///         let taken = self.0.lock().map_err(|e| e.to_string())?.pop();
///         let mut connection = taken.ok_or("all connections are in use")?;
///         let done = work(&mut connection);
///         self.0.lock().map_err(|e| e.to_string())?.push(connection);
///         Ok(done?)
///     }
/// }
/// ```
pub trait Connections: Send + Sync {
    /// Calls `work` once with a connection that is in no transaction, and that nobody else uses meanwhile. It
    /// may block: it is called where that is allowed.
    ///
    /// # Errors
    /// If there is no connection, and those of `work`.
    fn with(
        &self,
        work: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), BoxError>;
}

impl Connections for Arc<Mutex<Connection>> {
    fn with(
        &self,
        work: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), BoxError> {
        let poisoned = |_| "a thread panicked while it used the connection".to_owned();
        let mut connection = self.lock().map_err(poisoned)?;
        Ok(work(&mut connection)?)
    }
}

/// Where the connection comes from.
pub(crate) enum Source {
    Own(Connection),
    Lent(Arc<dyn Connections>),
}

/// What is kept between two uses of the connection.
#[derive(Debug)]
pub(crate) struct Stored {
    pub source: Source,
    pub shapes: Shapes,
    /// A number that differs from one sync to the next.
    pub sync: i64,
}

/// The connection in use, and what it has been seen to be connected to.
pub(crate) struct Open<'a> {
    pub connection: &'a mut Connection,
    pub shapes: &'a mut Shapes,
    pub sync: &'a mut i64,
    /// Whether it is the application's.
    pub is_lent: bool,
}

impl Stored {
    /// Does something with the connection.
    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&mut Open<'_>) -> T) -> Result<T, BoxError> {
        let Self { source, shapes, sync } = self;
        let connections = match source {
            Source::Own(connection) => {
                return Ok(work(&mut Open { connection, shapes, sync, is_lent: false }));
            }
            Source::Lent(connections) => connections,
        };
        let (mut work, mut done) = (Some(work), None);
        connections.with(&mut |connection| {
            let Some(work) = work.take() else { return Ok(()) };
            let before = lent::prepare(connection)?;
            let worked = catch_unwind(AssertUnwindSafe(|| {
                work(&mut Open { connection, shapes, sync, is_lent: true })
            }));
            // Also after a panic: what is left on it would pass over writes of the application.
            let given_back = lent::give_back(connection, before);
            done = Some(worked.unwrap_or_else(|panic| resume_unwind(panic)));
            given_back
        })?;
        done.ok_or_else(|| "no connection was given".into())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own(_) => "Own",
            Self::Lent(_) => "Lent",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what fails by panicking")]

    use super::*;
    use crate::{guard, shape::Shape, table::Table};

    /// A pool that goes on after a panic, as most do.
    struct Pool(Arc<Mutex<Option<Connection>>>);

    impl Connections for Pool {
        fn with(
            &self,
            work: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
        ) -> Result<(), BoxError> {
            let mut connection = self.0.lock().unwrap().take().unwrap();
            let done = catch_unwind(AssertUnwindSafe(|| work(&mut connection)));
            *self.0.lock().unwrap() = Some(connection);
            Ok(done.unwrap_or_else(|panic| resume_unwind(panic))?)
        }
    }

    #[test]
    fn a_connection_is_given_back_as_it_was_also_after_a_panic() {
        let connection = Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY); PRAGMA foreign_keys = ON";
        connection.execute_batch(schema).unwrap();
        let pool = Arc::new(Mutex::new(Some(connection)));
        let source = Source::Lent(Arc::new(Pool(pool.clone())));
        let mut stored = Stored { source, shapes: Shapes::default(), sync: 0 };
        let used = catch_unwind(AssertUnwindSafe(|| {
            stored.with(|open| {
                let connection = &mut *open.connection;
                let shape = Shape::of(connection, &Table::new("notes")).ok().unwrap();
                guard::install(connection, &mut [shape], true).unwrap();
                let transaction = connection.transaction().unwrap();
                transaction.execute_batch("DROP TABLE notes").unwrap();
                panic!("on purpose");
            })
        }));
        assert_eq!(used.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
        let connection = pool.lock().unwrap().take().unwrap();
        connection.execute_batch("INSERT INTO notes VALUES ('theirs')").unwrap();
        let state = "SELECT group_concat(id) || (SELECT foreign_keys FROM pragma_foreign_keys)
            || (SELECT count(*) FROM sqlite_temp_schema) FROM notes";
        let state: String = connection.query_row(state, [], |row| row.get(0)).unwrap();
        assert_eq!(state, "theirs10");
    }
}
