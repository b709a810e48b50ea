//! The hashes of files that have not changed, so that they are not read again.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use crate::content::Hash;
use crate::stamp::Stamp;

/// The format of the table. A file with another one is thrown away.
const VERSION: i64 = 1;
const TABLE: &str = "
    CREATE TABLE files (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        ctime INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) WITHOUT ROWID;
";
const FIND: &str = "SELECT hash FROM files
    WHERE path = ?1 AND size = ?2 AND mtime = ?3 AND ctime = ?4 AND inode = ?5";
const SAVE: &str = "INSERT OR REPLACE INTO files (path, size, mtime, ctime, inode, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// The stat cache, `.db-to-cloud/files.sqlite`.
///
/// Losing it costs time, never correctness: so every failure of it is a miss. Only stamps that were
/// [settled](Stamp::is_settled) when the file was hashed are saved, so that a hit can be trusted:
/// the answer of git to "racily clean" files. As with git, a program that writes through a memory
/// map long after its last change of the times is noticed only when the system updates them.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    /// `None` if it cannot be opened.
    connection: Mutex<Option<Connection>>,
}

impl Cache {
    pub(crate) fn open(path: PathBuf) -> Self {
        let connection = Mutex::new(open_or_renew(&path));
        Self { path, connection }
    }

    /// The hash of each of these files, if it is known.
    pub(crate) fn find(&self, files: &[(&str, Stamp)]) -> Vec<Option<Hash>> {
        let find = |transaction: &Transaction<'_>| {
            let mut statement = transaction.prepare_cached(FIND)?;
            let mut find = |(path, stamp): &(&str, Stamp)| {
                let [size, mtime, ctime, inode] = columns(stamp);
                let row = params![path, size, mtime, ctime, inode];
                statement.query_row(row, |row| row.get(0)).optional()
            };
            files.iter().map(&mut find).collect()
        };
        self.with(find).unwrap_or_else(|| vec![None; files.len()])
    }

    /// Remembers the hashes of these files.
    pub(crate) fn save(&self, files: &[(&str, Stamp, Hash)]) {
        if files.is_empty() {
            return;
        }
        self.with(|transaction| {
            let mut statement = transaction.prepare_cached(SAVE)?;
            for (path, stamp, hash) in files {
                let [size, mtime, ctime, inode] = columns(stamp);
                statement.execute(params![path, size, mtime, ctime, inode, hash])?;
            }
            Ok(())
        });
    }

    /// Forgets files that were not listed, once they are many enough to show in the count.
    pub(crate) fn prune(&self, listed: &Listed) {
        self.with(|transaction| {
            let count = "SELECT count(*) FROM files";
            let rows: i64 = transaction.query_row(count, [], |row| row.get(0))?;
            if rows.unsigned_abs() <= listed.0.len() as u64 {
                return Ok(());
            }
            let mut statement = transaction.prepare("SELECT path FROM files")?;
            let paths = statement.query_map([], |row| row.get::<_, String>(0))?;
            let gone = paths.filter(|path| path.as_ref().is_ok_and(|path| !listed.contains(path)));
            for path in gone.collect::<Result<Vec<_>, _>>()? {
                transaction.execute("DELETE FROM files WHERE path = ?1", [path])?;
            }
            Ok(())
        });
    }

    fn with<T>(
        &self,
        statements: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let mut guard = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = guard.as_mut()?;
        let result = connection.transaction().and_then(|transaction| {
            let value = statements(&transaction)?;
            transaction.commit().map(|()| value)
        });
        if let Err(error) = &result {
            tracing::debug!(%error, "the stat cache failed");
            if is_damage(error) {
                *guard = None;
                *guard = open_or_renew(&self.path);
            }
        }
        result.ok()
    }
}

/// The paths of a listing, as hashes. Two of one hash only keep a row too many.
#[derive(Debug, Default)]
pub(crate) struct Listed(HashSet<u64>);

impl Listed {
    pub(crate) fn insert(&mut self, path: &str) {
        self.0.insert(short(path));
    }

    fn contains(&self, path: &str) -> bool {
        self.0.contains(&short(path))
    }
}

fn short(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// SQLite's integers are signed: a greater number wraps, and is still another number.
fn columns(stamp: &Stamp) -> [i64; 4] {
    [stamp.size.cast_signed(), stamp.mtime, stamp.ctime, stamp.inode.cast_signed()]
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let damage = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
    error.sqlite_error_code().is_some_and(|code| damage.contains(&code))
}

/// Opens the cache; what cannot be used is replaced by a new one.
fn open_or_renew(path: &Path) -> Option<Connection> {
    if let Ok(Some(connection)) = open(path) {
        return Some(connection);
    }
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        // What is not there need not be removed; what cannot be removed will not open either.
        let _ = std::fs::remove_file(file);
    }
    open(path).ok().flatten()
}

fn open(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Whole after a crash, but not necessarily the newest: enough for a cache.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version = |t: &Transaction<'_>| {
        t.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
    };
    if version(&transaction)? == 0 {
        transaction.execute_batch(TABLE)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    let usable = version(&transaction)? == VERSION;
    transaction.commit()?;
    Ok(usable.then_some(connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { size: 1, mtime: -2, ctime: 3, inode: u64::MAX };

    #[test]
    fn a_hash_is_found_only_with_the_same_stamp_and_also_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("files.sqlite");
        Cache::open(path.clone()).save(&[("a", STAMP, [7; 32])]);
        let cache = Cache::open(path);
        assert_eq!(cache.find(&[("b", STAMP), ("a", STAMP)]), [None, Some([7; 32])]);
        let others = [
            Stamp { size: 2, ..STAMP },
            Stamp { mtime: 2, ..STAMP },
            Stamp { ctime: 2, ..STAMP },
            Stamp { inode: 2, ..STAMP },
        ];
        for stamp in others {
            assert_eq!(cache.find(&[("a", stamp)]), [None]);
        }
    }

    #[test]
    fn files_that_are_gone_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("files.sqlite"));
        cache.save(&[("a", STAMP, [7; 32]), ("b", STAMP, [8; 32])]);
        let mut listed = Listed::default();
        listed.insert("b");
        cache.prune(&listed);
        assert_eq!(cache.find(&[("a", STAMP), ("b", STAMP)]), [None, Some([8; 32])]);
    }

    #[test]
    fn a_damaged_or_newer_cache_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("files.sqlite");
        for damage in [true, false] {
            if damage {
                std::fs::write(&path, "garbage ".repeat(1000)).unwrap();
            } else {
                let file = Connection::open(&path).unwrap();
                file.pragma_update(None, "user_version", 9).unwrap();
            }
            let cache = Cache::open(path.clone());
            cache.save(&[("a", STAMP, [7; 32])]);
            assert_eq!(cache.find(&[("a", STAMP)]), [Some([7; 32])]);
        }
    }
}
