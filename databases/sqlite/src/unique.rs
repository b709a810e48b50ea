//! What else than the id is unique in a table. `INSERT OR REPLACE` and `UPDATE OR REPLACE` delete the
//! rows that are in the way, and SQLite calls no trigger for them unless `recursive_triggers` is on:
//! so each such row is queued before.

use rusqlite::{Connection, OptionalExtension};

use crate::index_sql;
use crate::shape::Unfit;
use crate::statements::quoted;

/// Values that no two rows share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unique {
    pub terms: Vec<Term>,
    /// Of which rows only; `None` is all.
    condition: Option<String>,
    /// Whether it is the rowid, by this or another name.
    pub is_rowid: bool,
    /// Whether `CREATE UNIQUE INDEX` made it: then its columns can be dropped once it is.
    pub is_index: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// The column; `None` for an expression.
    pub column: Option<String>,
    /// What is compared, in SQL.
    sql: String,
    /// How it is compared; `None` is the way of the rowid.
    collation: Option<String>,
}

impl Unique {
    /// Whether it is on just these columns, and on all rows.
    pub(crate) fn is_on(&self, names: &[String]) -> bool {
        let is_named = |term: &Term| term.column.as_ref().is_some_and(|c| names.contains(c));
        self.condition.is_none()
            && self.terms.len() == names.len()
            && self.terms.iter().all(is_named)
    }

    /// The columns it is on; `None` if others may matter.
    pub(crate) fn columns(&self) -> Option<Vec<&String>> {
        let columns = self.terms.iter().map(|term| term.column.as_ref());
        columns.collect::<Option<_>>().filter(|_| self.condition.is_none())
    }

    /// Whether values that differ may be the same for it.
    pub(crate) fn folds(&self) -> bool {
        let is_binary = |name: &String| name.eq_ignore_ascii_case("binary");
        self.terms.iter().any(|term| term.collation.as_ref().is_some_and(|name| !is_binary(name)))
    }

    /// How one of its columns is compared, if that is not byte by byte.
    pub(crate) fn collation_of(&self, column: &str) -> Option<&str> {
        let is_it =
            |term: &&Term| term.column.as_ref().is_some_and(|c| c.eq_ignore_ascii_case(column));
        let collation = self.terms.iter().find(is_it)?.collation.as_deref();
        collation.filter(|name| !name.eq_ignore_ascii_case("binary"))
    }

    /// The condition for a row that has the values of the row `NEW`, which has these columns.
    pub(crate) fn is_taken(&self, columns: &[String]) -> String {
        let new = columns.iter().map(|name| format!("NEW.{0} AS {0}", quoted(name)));
        let new = new.collect::<Vec<_>>().join(", ");
        let same = |Term { column, sql, collation }: &Term| {
            let of_new = match column {
                Some(_) => format!("NEW.{sql}"),
                // There the names are those of the new row.
                None => format!("(SELECT {sql} FROM (SELECT {new}))"),
            };
            let collation = collation.as_ref();
            let collation = collation.map_or(String::new(), |c| format!(" COLLATE {}", quoted(c)));
            format!("{sql} = {of_new}{collation}")
        };
        let same = self.terms.iter().map(same);
        // Both rows must be among those that the index is on.
        let only = self.condition.iter().map(|condition| {
            format!("({condition}) AND (SELECT ({condition}) FROM (SELECT {new}))")
        });
        same.chain(only).collect::<Vec<_>>().join(" AND ")
    }

    fn rowid(name: &str) -> Self {
        let (column, sql) = (Some(name.to_owned()), quoted(name));
        let terms = vec![Term { column, sql, collation: None }];
        Self { terms, condition: None, is_rowid: true, is_index: false }
    }
}

/// All of a table's.
pub(crate) fn of(
    connection: &Connection,
    table: &str,
    primary: Vec<String>,
    integer: bool,
    without_rowid: bool,
) -> Result<Vec<Unique>, Unfit> {
    let sql = "SELECT name, origin FROM pragma_index_list(?1) WHERE \"unique\"";
    let mut statement = connection.prepare(sql)?;
    let indexes = statement
        .query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let (mut uniques, mut has_primary) = (Vec::new(), false);
    for index in indexes {
        let (name, origin) = index?;
        has_primary |= origin == "pk";
        uniques.push(index_of(connection, &name, origin == "c")?);
    }
    // A primary key without an index is the rowid itself.
    match primary.first() {
        Some(name) if integer && !has_primary && !without_rowid => {
            uniques.push(Unique::rowid(name))
        }
        _ if !without_rowid => uniques.push(Unique::rowid("rowid")),
        _ => {}
    }
    Ok(uniques)
}

fn index_of(connection: &Connection, name: &str, is_index: bool) -> Result<Unique, Unfit> {
    // An index that a constraint made has no text or is not even there (the table itself is it), and
    // is on columns of all rows.
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?1";
    let text = connection.query_row(sql, [name], |row| row.get::<_, Option<String>>(0));
    let text = text.optional()?.flatten();
    let odd = || Unfit::Why(format!("its unique index {name:?} is not understood: simplify it"));
    let index = text.map(|text| index_sql::parse(&text).ok_or_else(odd)).transpose()?;
    let sql = "SELECT seqno, name, coll FROM pragma_index_xinfo(?1) WHERE \"key\"";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([name])?;
    let mut terms = Vec::new();
    while let Some(row) = rows.next()? {
        let (place, column): (u16, Option<String>) = (row.get(0)?, row.get(1)?);
        let term = index.as_ref().and_then(|index| index.terms.get(usize::from(place)));
        let sql = match (&column, term) {
            (Some(column), _) => quoted(column),
            (None, Some(term)) => format!("({term})"),
            (None, None) => return Err(odd()),
        };
        terms.push(Term { column, sql, collation: row.get(2)? });
    }
    Ok(Unique {
        terms,
        condition: index.and_then(|index| index.condition),
        is_rowid: false,
        is_index,
    })
}
