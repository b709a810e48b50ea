//! Which tables of a SQLite file are synced.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use db_to_cloud_sqlite::{Found, SqliteDatabase, SqliteDatabaseBuilder};

use crate::args::Tables;
use crate::failure::Failure;
use crate::output::note;

/// What each SQLite file begins with.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file is a SQLite database.
pub(crate) fn is_database(path: &Path) -> Result<bool, Failure> {
    let failed = Failure::io(format!("read the database {path:?}"));
    let mut start = [0; HEADER.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) => Ok(start == *HEADER),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Opens the tables that the user named: to sync, or only to look what a sync with this remote would do.
pub(crate) fn open(
    path: &Path,
    wanted: &Tables,
    look_for: Option<&str>,
) -> Result<SqliteDatabase, Failure> {
    let names = match wanted {
        Tables { all_tables: true, .. } => all(path)?,
        Tables { tables, .. } if tables.is_empty() => return Err(none_named(path)?),
        Tables { tables, .. } => tables.clone(),
    };
    let tables = SqliteDatabase::builder(path);
    let tables = names.into_iter().fold(tables, SqliteDatabaseBuilder::with_table);
    Ok(match look_for {
        Some(remote) => tables.open_to_look(remote)?,
        None => tables.open()?,
    })
}

/// All that can be synced. What cannot is told each time: a table that is left out looks synced.
fn all(path: &Path) -> Result<Vec<String>, Failure> {
    let (fit, unfit): (Vec<_>, Vec<_>) =
        SqliteDatabase::survey(path)?.into_iter().partition(|found| found.unfit.is_none());
    for Found { name, unfit, .. } in unfit {
        note(format_args!("left out: {name:?}: {}", unfit.unwrap_or_default()));
    }
    match fit.is_empty() {
        true => Err(Failure::NoTables(path.to_owned())),
        false => Ok(fit.into_iter().map(|found| found.name).collect()),
    }
}

/// Says what could be named.
fn none_named(path: &Path) -> Result<Failure, Failure> {
    let found = SqliteDatabase::survey(path)?;
    let fit: Vec<_> = found.iter().filter(|f| f.unfit.is_none()).map(|f| &f.name).collect();
    let Some(first) = fit.first() else { return Ok(Failure::NoTables(path.to_owned())) };
    Ok(Failure::Usage(format!(
        "which tables of {path:?} are to be synced? it has {fit:?}: write --table {first:?}, once for \
         each of them, or --all-tables"
    )))
}
