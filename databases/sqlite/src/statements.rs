//! The statements for the rows of one table.

use crate::shape::Column;

/// Statements that name a row by its id.
#[derive(Debug)]
pub(crate) struct Statements {
    /// The id columns and then the others of a row.
    pub select: String,
    pub delete: String,
    /// The ids of a row that has this id by what the collations say, and maybe another by the byte.
    pub alike: String,
    /// Gives the row that has the first id the second one.
    pub rename: String,
    /// The ids of the next rows after an id, in order.
    pub after: String,
    /// The ids of the first rows, in order.
    pub first: String,
    /// The ids of rows whose id is NULL in part.
    pub null: String,
    insert: String,
    update: String,
    names: Vec<String>,
    /// The table, quoted.
    pub table: String,
    keys: Vec<String>,
    /// The condition for the row of an id.
    pub is_row: String,
}

impl Statements {
    pub(crate) fn new(table: &str, keys: &[String], columns: &[Column]) -> Self {
        let table = quoted(table);
        let keys: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
        let names: Vec<_> = columns.iter().map(|column| quoted(&column.name)).collect();
        let is_row = numbered(&keys, 1, " = ").join(" AND ");
        let all: Vec<_> = keys.iter().chain(&names).cloned().collect();
        let list = keys.join(", ");
        let marks = marks(1, keys.len());
        let mut new = Self {
            select: format!("SELECT {} FROM {table} WHERE {is_row}", all.join(", ")),
            alike: format!("SELECT {list} FROM {table} WHERE {is_row}"),
            rename: format!(
                "UPDATE {table} SET {} WHERE {is_row}",
                numbered(&keys, 1 + keys.len(), " = ").join(", ")
            ),
            delete: format!("DELETE FROM {table} WHERE {is_row}"),
            after: format!(
                "SELECT {list} FROM {table} WHERE ({list}) > ({marks}) ORDER BY {list} LIMIT 500"
            ),
            first: format!(
                "SELECT {list} FROM {table} WHERE {} ORDER BY {list} LIMIT 500",
                keys.iter().map(|k| format!("{k} IS NOT NULL")).collect::<Vec<_>>().join(" AND ")
            ),
            null: format!(
                "SELECT {list} FROM {table} WHERE {}",
                keys.iter().map(|k| format!("{k} IS NULL")).collect::<Vec<_>>().join(" OR ")
            ),
            insert: String::new(),
            update: String::new(),
            names,
            table,
            keys,
            is_row,
        };
        let every: Vec<_> = columns.iter().map(|_| Set::Value).collect();
        new.insert = new.insert_of(&every);
        new.update = new.update_of(&every, columns);
        new
    }

    /// Inserts a row of these columns: the id is numbered from 1, the columns follow.
    pub(crate) fn insert(&self, set: &[Set]) -> String {
        match set.iter().all(|set| *set == Set::Value) {
            true => self.insert.clone(),
            false => self.insert_of(set),
        }
    }

    /// Changes the columns of a row.
    pub(crate) fn update(&self, set: &[Set], columns: &[Column]) -> String {
        match set.iter().all(|set| *set == Set::Value) {
            true => self.update.clone(),
            false => self.update_of(set, columns),
        }
    }

    fn insert_of(&self, set: &[Set]) -> String {
        let names = self.names.iter().zip(set).filter(|(_, set)| **set == Set::Value);
        let all: Vec<_> = self.keys.iter().chain(names.map(|(name, _)| name)).cloned().collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.table, all.join(", "), marks(1, all.len()))
    }

    fn update_of(&self, set: &[Set], columns: &[Column]) -> String {
        let mut number = self.keys.len();
        let names = self.names.iter().zip(set).zip(columns);
        let set = names.filter_map(|((name, set), column)| match set {
            Set::Value => {
                number += 1;
                Some(format!("{name} = ?{number}"))
            }
            Set::Default => Some(format!("{name} = {}", column.default)),
            Set::Not => None,
        });
        // Setting an id to itself makes a statement also where there is no other column.
        let set = std::iter::once(format!("{0} = {0}", self.keys[0])).chain(set);
        let set = set.collect::<Vec<_>>().join(", ");
        format!("UPDATE {} SET {set} WHERE {}", self.table, self.is_row)
    }
}

/// What a statement does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// The document says what it is.
    Value,
    /// It gets its default.
    Default,
    /// It stays as it is; in a new row it gets its default.
    Not,
}

/// An INSERT or UPDATE that does this on a conflict, whatever the schema says.
pub(crate) fn or(policy: &str, sql: &str) -> String {
    let (verb, rest) = sql.split_once(' ').unwrap_or((sql, ""));
    format!("{verb} OR {policy} {rest}")
}

/// A name as SQL takes it, whatever it is.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `?1, ?2, …`
pub(crate) fn marks(first: usize, count: usize) -> String {
    (first..first + count).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ")
}

fn numbered(names: &[String], first: usize, operator: &str) -> Vec<String> {
    names.iter().enumerate().map(|(i, name)| format!("{name}{operator}?{}", first + i)).collect()
}
