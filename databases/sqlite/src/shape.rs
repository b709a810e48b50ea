//! What a table looks like now, on this device.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use crate::index_sql;
use crate::parents::Parent;
use crate::statements::{Statements, quoted};
use crate::table::Table;
use crate::unique::{self, Unique};

/// The most columns that an id may have: so many the queue has room for.
pub(crate) const KEYS: usize = 8;

/// A table that is synced.
#[derive(Debug)]
pub(crate) struct Shape {
    /// As the schema spells it.
    pub table: String,
    /// In lower case, as in the ids of documents.
    pub name: String,
    /// The id columns.
    pub keys: Vec<String>,
    /// All columns, synced or not.
    pub all: Vec<String>,
    pub view: View,
    /// What else is unique: a REPLACE may delete rows for it.
    pub uniques: Vec<Unique>,
    /// What makes the id unique.
    pub id: Unique,
    /// The columns that are stored, quoted; first the rowid, if there is one besides them.
    pub stored: Vec<String>,
    /// Whether the schema says what a conflict does: by default it fails.
    pub has_conflict_clause: bool,
    /// Which rows a row refers to.
    pub parents: Vec<Parent>,
    /// Whether triggers of the application are kept from changing its rows, see `guard`.
    pub is_guarded: bool,
}

/// What of its rows is synced.
#[derive(Debug)]
pub(crate) struct View {
    /// The columns besides the id, sorted by their names in documents.
    pub columns: Vec<Column>,
    /// Which of them has the application's revision, by its name in documents.
    pub revision: Option<String>,
    pub statements: Statements,
}

/// A column that is synced and not part of the id.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: String,
    /// Its name in documents: in lower case.
    pub field: String,
    /// What it is where a document does not say: an expression of SQL.
    pub default: String,
    /// Whether it is the same each time.
    pub is_constant: bool,
    /// Its type and its default, as the schema says them.
    pub definition: String,
}

/// A column as SQLite describes it.
struct Described {
    name: String,
    kind: String,
    default: Option<String>,
    /// Its place in the primary key, from 1; 0 if it is not part of it.
    primary: i64,
    generated: bool,
}

/// Why a table cannot be synced, or why it could not be looked at.
pub(crate) enum Unfit {
    Why(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Shape {
    /// Looks at a table.
    pub(crate) fn of(connection: &Connection, wanted: &Table) -> Result<Self, Unfit> {
        let (table, without_rowid) = find(connection, &wanted.name)?;
        let described = describe(connection, &table)?;
        let keys = keys(wanted, &described)?;
        let columns = columns(wanted, &described, &keys)?;
        let revision = wanted.revision.as_ref().map(|name| name.to_ascii_lowercase());
        if let Some(name) = revision.as_ref().filter(|n| columns.iter().all(|c| c.field != **n)) {
            return Err(Unfit::Why(format!("its revision {name:?} is no synced column")));
        }
        let mut primary: Vec<_> = described.iter().filter(|c| c.primary > 0).collect();
        primary.sort_by_key(|c| c.primary);
        let integer = matches!(primary[..], [one] if one.kind.eq_ignore_ascii_case("integer"));
        let primary = primary.into_iter().map(|c| c.name.clone()).collect();
        let mut uniques = unique::of(connection, &table, primary, integer, without_rowid)?;
        let by_id = uniques.iter().position(|unique| unique.is_on(&keys));
        // A primary key that is not the id is one more to be watched.
        let id = uniques.remove(by_id.ok_or_else(|| no_id(&keys))?);
        let has_rowid = !without_rowid && !is_rowid_named(&described, &id, &uniques);
        let stored = stored(&described, has_rowid);
        Ok(Self {
            id,
            stored,
            has_conflict_clause: has_conflict_clause(connection, &table)?,
            name: table.to_ascii_lowercase(),
            view: View::new(&table, &keys, columns, revision),
            parents: Parent::of(connection, &table, &keys)?,
            is_guarded: false,
            all: described.into_iter().map(|column| column.name).collect(),
            table,
            keys,
            uniques,
        })
    }
}

impl View {
    pub(crate) fn new(
        table: &str,
        keys: &[String],
        columns: Vec<Column>,
        revision: Option<String>,
    ) -> Self {
        Self { statements: Statements::new(table, keys, &columns), columns, revision }
    }
}

impl Shape {
    /// Of which values another row may be in the way: also those of the id, if a row with another
    /// spelling has the same id for SQLite.
    pub(crate) fn contested(&self) -> Vec<&Unique> {
        let id = Some(&self.id).filter(|id| id.folds());
        self.uniques.iter().chain(id).collect()
    }

    /// Those of them whose columns cannot be dropped: the triggers in the file may name them.
    pub(crate) fn lasting(&self) -> Vec<&Unique> {
        self.contested().into_iter().filter(|unique| !unique.is_index).collect()
    }

    /// Whether rows may be replaced that no trigger in the file finds, see `taken`.
    pub(crate) fn is_counted(&self) -> bool {
        self.contested().iter().any(|unique| unique.is_index)
    }

    /// How a column is compared where it is unique, if that is not byte by byte.
    pub(crate) fn collation_of(&self, column: &str) -> Option<String> {
        let mut all = std::iter::once(&self.id).chain(&self.uniques);
        all.find_map(|unique| unique.collation_of(column)).map(str::to_owned)
    }

    /// How many columns the id has.
    pub(crate) fn width(&self) -> u8 {
        u8::try_from(self.keys.len()).unwrap_or(u8::MAX)
    }
}

/// Whether a column is the rowid.
fn is_rowid_named(described: &[Described], id: &Unique, others: &[Unique]) -> bool {
    let is_named = |unique: &Unique| {
        let names = unique.columns().unwrap_or_default();
        unique.is_rowid && names.iter().any(|name| described.iter().any(|c| c.name == **name))
    };
    is_named(id) || others.iter().any(is_named)
}

fn stored(described: &[Described], has_rowid: bool) -> Vec<String> {
    let is_free = |name: &&str| !described.iter().any(|c| c.name.eq_ignore_ascii_case(name));
    let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(is_free).filter(|_| has_rowid);
    let columns = described.iter().filter(|column| !column.generated);
    rowid.into_iter().chain(columns.map(|c| c.name.as_str())).map(quoted).collect()
}

/// Whether `ON CONFLICT` is said in the statement that made the table.
fn has_conflict_clause(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let text: String = connection.query_row(sql, [table], |row| row.get(0))?;
    let words: Vec<_> = index_sql::words(&text).collect();
    let is_clause = |pair: &[&str]| {
        pair[0].eq_ignore_ascii_case("on") && pair[1].eq_ignore_ascii_case("conflict")
    };
    Ok(words.windows(2).any(is_clause))
}

fn no_id(keys: &[String]) -> Unfit {
    Unfit::Why(format!(
        "nothing makes its id ({}) unique: add a UNIQUE index on it, or name another id",
        keys.join(", ")
    ))
}

/// The table's true name, and whether it is WITHOUT ROWID.
fn find(connection: &Connection, name: &str) -> Result<(String, bool), Unfit> {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("db_to_cloud_") {
        let why = "names that begin with db_to_cloud_ are those of db-to-cloud itself: name a table of the \
                   application";
        return Err(Unfit::Why(why.into()));
    }
    if lower.starts_with("sqlite_") {
        return Err(Unfit::Why(
            "it belongs to SQLite itself: name a table of the application".into(),
        ));
    }
    // Not `lower(…)`: an application may have a function of that name, for letters beyond ASCII.
    let sql = "SELECT name, type, wr FROM pragma_table_list
        WHERE schema = 'main' AND name = ?1 COLLATE NOCASE";
    let found = connection
        .query_row(sql, [name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))
        .optional()?;
    match found {
        Some((table, kind, without_rowid)) if kind == "table" => Ok((table, without_rowid)),
        Some((_, kind, _)) => Err(Unfit::Why(match kind.as_str() {
            "virtual" => "it is a virtual table".into(),
            "shadow" => "it belongs to a virtual table".into(),
            kind => format!("it is a {kind}, not a table"),
        })),
        None => Err(Unfit::Why("there is no such table in the database: make it first".into())),
    }
}

fn describe(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Described>> {
    let sql = "SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?1)";
    let mut statement = connection.prepare(sql)?;
    let columns = statement.query_map([table], |row| {
        Ok(Described {
            name: row.get(0)?,
            kind: row.get(1)?,
            default: row.get(2)?,
            primary: row.get(3)?,
            generated: row.get::<_, i64>(4)? != 0,
        })
    })?;
    columns.collect()
}

/// Whether a default is the same for each row: no expression, and no time.
fn is_constant(default: &str) -> bool {
    let word = default.trim().to_ascii_lowercase();
    !word.starts_with('(') && !word.starts_with("current_")
}

/// The id columns: those that are named, else the primary key.
fn keys(wanted: &Table, described: &[Described]) -> Result<Vec<String>, Unfit> {
    let keys = match &wanted.id {
        Some(names) => names.iter().map(|name| settable(described, name)).collect::<Result<_, _>>(),
        None => {
            let mut primary: Vec<_> = described.iter().filter(|c| c.primary > 0).collect();
            primary.sort_by_key(|c| c.primary);
            Ok(primary.into_iter().map(|c| c.name.clone()).collect::<Vec<_>>())
        }
    }?;
    match keys.len() {
        0 => Err(Unfit::Why(
            "it has no primary key, and a rowid does not survive a VACUUM: give it one, or name a \
             UNIQUE column as its id"
                .into(),
        )),
        1..=KEYS => Ok(keys),
        n => Err(Unfit::Why(format!("its id has {n} columns, {KEYS} are possible"))),
    }
}

/// The column of this name, which can be written.
fn settable(described: &[Described], name: &str) -> Result<String, Unfit> {
    let column = described.iter().find(|c| c.name.eq_ignore_ascii_case(name));
    match column {
        Some(column) if column.generated => {
            Err(Unfit::Why(format!("its column {name:?} is generated and cannot be written")))
        }
        Some(column) => Ok(column.name.clone()),
        None => Err(Unfit::Why(format!("it has no column {name:?}"))),
    }
}

fn columns(wanted: &Table, described: &[Described], keys: &[String]) -> Result<Vec<Column>, Unfit> {
    let named = wanted.columns.as_ref().map(|names| {
        names.iter().map(|name| settable(described, name)).collect::<Result<BTreeSet<_>, _>>()
    });
    let named = named.transpose()?;
    let is_synced = |c: &&Described| {
        let named = named.as_ref().is_none_or(|named| named.contains(&c.name));
        named && !c.generated && !keys.contains(&c.name)
    };
    let column = |c: &Described| Column {
        name: c.name.clone(),
        field: c.name.to_ascii_lowercase(),
        default: c.default.as_ref().map_or("NULL".to_owned(), |default| format!("({default})")),
        definition: format!("{} DEFAULT {}", c.kind, c.default.as_deref().unwrap_or("NULL")),
        is_constant: c.default.as_deref().is_none_or(is_constant),
    };
    let mut columns: Vec<_> = described.iter().filter(is_synced).map(column).collect();
    columns.sort_by(|a, b| a.field.cmp(&b.field));
    Ok(columns)
}
