//! Which row a document is.

use db_to_cloud::DocumentId;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use crate::cell::{Cell, write_json};
use crate::parents::cells;
use crate::statements::quoted;

/// A row's table, its name in lower case, and the values of its id columns. Its document's id is the
/// text of a JSON array without spaces, such as `["notes",7]` or `["members","ann","choir"]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowKey {
    pub table: String,
    pub cells: Vec<Cell>,
}

impl RowKey {
    /// The id of the row's document.
    pub(crate) fn id(&self) -> DocumentId {
        let mut out = b"[".to_vec();
        write_json(&mut out, &self.table);
        for cell in &self.cells {
            out.push(b',');
            cell.write_json(&mut out);
        }
        out.push(b']');
        DocumentId::from(String::from_utf8_lossy(&out).into_owned())
    }

    /// The row that an id names; `None` if it is not the id of a row.
    pub(crate) fn parse(id: &DocumentId) -> Option<Self> {
        let Ok(Value::Array(values)) = serde_json::from_str(id.as_str()?) else { return None };
        let (table, cells) = values.split_first()?;
        let cells: Option<Vec<_>> = cells.iter().map(Cell::from_json).collect();
        let key = Self { table: table.as_str()?.to_owned(), cells: cells? };
        // One row, one id: another spelling of it is another document.
        (key.table == key.table.to_ascii_lowercase() && !key.cells.is_empty() && key.id() == *id)
            .then_some(key)
    }

    /// Whether the table has a row with this id, by what its collations say; NULL is like NULL.
    pub(crate) fn is_there(
        &self,
        connection: &Connection,
        table: &str,
        keys: &[String],
    ) -> rusqlite::Result<bool> {
        let is_key = keys.iter().enumerate().map(|(i, k)| format!("{} IS ?{}", quoted(k), i + 1));
        let is_key = is_key.collect::<Vec<_>>().join(" AND ");
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {is_key})", quoted(table));
        connection.prepare_cached(&sql)?.query_row(params_from_iter(&self.cells), |row| row.get(0))
    }

    /// Whether the table has a row with this very id, to the last bit.
    pub(crate) fn exists(
        &self,
        connection: &Connection,
        table: &str,
        keys: &[String],
    ) -> rusqlite::Result<bool> {
        let names = keys.iter().map(|key| quoted(key)).collect::<Vec<_>>();
        let is_key = names.iter().enumerate().map(|(i, key)| format!("{key} IS ?{}", i + 1));
        let is_key = is_key.collect::<Vec<_>>().join(" AND ");
        let sql = format!("SELECT {} FROM {} WHERE {is_key}", names.join(", "), quoted(table));
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&self.cells))?;
        while let Some(row) = rows.next()? {
            if cells(row, keys.len())? == self.cells {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a value of it is missing: several rows may have this key.
    pub(crate) fn has_null(&self) -> bool {
        self.cells.contains(&Cell::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_id() {
        let cells = vec![Cell::Integer(7), Cell::Text(b"7".to_vec()), Cell::Blob(vec![255])];
        let key = RowKey { table: "my \"notes\"".to_owned(), cells };
        assert_eq!(key.id().as_str(), Some(r#"["my \"notes\"",7,"7",{"blob":"/w=="}]"#));
        assert_eq!(RowKey::parse(&key.id()), Some(key));
    }

    #[test]
    fn another_spelling_is_no_row() {
        for id in ["", "7", "[]", r#"["notes"]"#, r#"["Notes",1]"#, r#"["notes", 1]"#, "[1,1]"] {
            assert_eq!(RowKey::parse(&id.into()), None, "{id}");
        }
        assert_eq!(RowKey::parse(&7.into()), None);
    }
}
