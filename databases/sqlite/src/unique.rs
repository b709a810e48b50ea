//! What else than the id is unique in a table. `INSERT OR REPLACE` and `UPDATE OR REPLACE` delete the
//! rows that are in the way, and SQLite calls no trigger for them unless `recursive_triggers` is on:
//! so each such row is queued before.

use rusqlite::Connection;

use crate::shape::Unfit;
use crate::statements::quoted;

/// Columns whose values no two rows share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unique {
    pub columns: Vec<Unicolumn>,
    /// Whether it is the rowid, by this or another name.
    pub is_rowid: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unicolumn {
    pub name: String,
    /// How its values are compared; `None` is the way of the rowid.
    pub collation: Option<String>,
}

impl Unique {
    /// Whether it is on just these columns.
    pub(crate) fn is_on(&self, names: &[String]) -> bool {
        self.columns.len() == names.len()
            && self.columns.iter().all(|column| names.contains(&column.name))
    }

    /// The condition for a row that has the values of the row `NEW`.
    pub(crate) fn is_taken(&self) -> String {
        let same = |column: &Unicolumn| {
            let name = quoted(&column.name);
            match &column.collation {
                Some(collation) => format!("{name} = NEW.{name} COLLATE {}", quoted(collation)),
                None => format!("{name} = NEW.{name}"),
            }
        };
        self.columns.iter().map(same).collect::<Vec<_>>().join(" AND ")
    }

    fn rowid(name: &str) -> Self {
        let column = Unicolumn { name: name.to_owned(), collation: None };
        Self { columns: vec![column], is_rowid: true }
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
    let sql = "SELECT name, origin, partial FROM pragma_index_list(?1) WHERE \"unique\"";
    let mut statement = connection.prepare(sql)?;
    let indexes = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
    })?;
    let (mut uniques, mut has_primary) = (Vec::new(), false);
    for index in indexes {
        let (name, origin, partial) = index?;
        has_primary |= origin == "pk";
        uniques.push(index_of(connection, &name, partial)?);
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

fn index_of(connection: &Connection, name: &str, partial: bool) -> Result<Unique, Unfit> {
    let sql = "SELECT name, coll FROM pragma_index_xinfo(?1) WHERE \"key\"";
    let mut statement = connection.prepare(sql)?;
    let columns = statement.query_map([name], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    let mut unique = Unique { columns: Vec::new(), is_rowid: false };
    for column in columns {
        let (column, collation) = column?;
        let Some(column) = column.filter(|_| !partial) else {
            return Err(Unfit::Why(format!(
                "its unique index {name:?} is partial or on an expression, so that a REPLACE could \
                 delete rows unseen: make it an index on columns of the whole table"
            )));
        };
        unique.columns.push(Unicolumn { name: column, collation });
    }
    Ok(unique)
}
