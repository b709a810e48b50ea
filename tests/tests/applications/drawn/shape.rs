//! Tables and their columns.

use rusqlite::Connection;
use serde_json::Value;

use crate::drawn::cells::json;

/// What a column is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Real,
    Numeric,
    Blob,
    /// No type, and thus no affinity; `ANY` in a strict table.
    Any,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    /// What users write.
    Value,
    /// Small values, so that rows get into each other's way.
    Unique,
    /// The key of a parent.
    Parent,
    /// Anything.
    Free,
    /// Written by triggers of the application.
    Derived,
    /// Not stored, or not synced.
    Local,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) tag: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) role: Role,
    /// What follows its type; a template.
    pub(super) clauses: String,
    /// What it is in a row that does not say.
    pub(super) default: Value,
}

impl Column {
    pub(super) fn sql(&self, strict: bool) -> String {
        let kind = kind_sql(self.kind, strict);
        format!("\"{}\" {kind} {}", self.name, self.clauses)
    }
}

pub(super) fn kind_sql(kind: Kind, strict: bool) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Integer => "INTEGER",
        Kind::Real => "REAL",
        Kind::Blob => "BLOB",
        Kind::Any | Kind::Numeric if strict => "ANY",
        Kind::Numeric => "NUMERIC",
        Kind::Any => "",
    }
}

/// The value of a default, with the affinity of its column.
pub(super) fn default_of(kind: Kind, strict: bool, default: &str) -> Value {
    let scratch = Connection::open_in_memory().unwrap();
    let kind = kind_sql(kind, strict);
    let options = if strict { "STRICT" } else { "" };
    scratch
        .execute_batch(&format!(
            "CREATE TABLE d(c {kind}) {options}; INSERT INTO d VALUES ({default})"
        ))
        .unwrap();
    scratch.query_row("SELECT c FROM d", [], |row| Ok(json(row.get_ref(0)?))).unwrap()
}

/// How rows are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Integer,
    Blob,
    /// A key without affinity.
    Any,
    /// Two columns.
    Composite,
    /// A key whose case does not count.
    Nocase,
    /// A UNIQUE id beside an INTEGER PRIMARY KEY, which is not synced.
    Beside,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) columns: Vec<Column>,
    /// Templates.
    pub(super) constraints: Vec<String>,
    /// Their names, and templates of the statements that make them.
    pub(super) indexes: Vec<(String, String)>,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
    pub(super) parent: Option<usize>,
    /// Whether triggers fill it, with random keys.
    pub(super) is_log: bool,
}

impl Table {
    pub(super) fn column(&self, tag: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.tag == tag)
    }

    pub(super) fn of_role(&self, role: Role) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |column| column.role == role)
    }

    /// The columns of its documents, but for those of the key.
    pub(super) fn synced(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !matches!(column.role, Role::Key | Role::Local))
    }
}
