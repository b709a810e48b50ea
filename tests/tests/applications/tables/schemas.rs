//! Schemas as applications have them.
//!
//! In each table `id` is the key, `v` what a user writes, `u` a number that is UNIQUE, `p` the key of a
//! parent.

/// The tables of one application.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) tables: &'static [Table],
    /// Rows that are there before the first operation, in the first table.
    pub(crate) rows: usize,
}

/// What the operations and the checks must know of a table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Whether its keys are numbers.
    pub(crate) has_numbers: bool,
    /// Whether its keys are compared without their case.
    pub(crate) ignores_case: bool,
    /// The columns of its UNIQUE constraint; `u` is one of them.
    pub(crate) unique: &'static [&'static str],
    /// The table of its parents.
    pub(crate) parent: Option<&'static str>,
}

const PLAIN: Table =
    Table { name: "t", has_numbers: false, ignores_case: false, unique: &[], parent: None };
const UNIQUE: Table = Table { unique: &["u"], ..PLAIN };
const CHILD: Table = Table { name: "c", parent: Some("t"), ..PLAIN };

const fn one(name: &'static str, sql: &'static str, tables: &'static [Table]) -> Schema {
    Schema { name, sql, tables, rows: 0 }
}

/// A parent with a UNIQUE value, and children with these actions.
macro_rules! family {
    ($name:literal, $column:literal) => {
        one(
            $name,
            concat!(
                "CREATE TABLE t(id TEXT PRIMARY KEY, u INTEGER UNIQUE, v TEXT);
                 CREATE TABLE c(id TEXT PRIMARY KEY, v TEXT, p TEXT ",
                $column,
                ")"
            ),
            &[UNIQUE, CHILD],
        )
    };
}

pub(crate) const SCHEMAS: &[Schema] = &[
    one("unique", "CREATE TABLE t(id TEXT PRIMARY KEY, u INTEGER UNIQUE, v TEXT)", &[UNIQUE]),
    one(
        "unique, not null",
        "CREATE TABLE t(id TEXT PRIMARY KEY, u INTEGER NOT NULL UNIQUE, v TEXT) WITHOUT ROWID",
        &[UNIQUE],
    ),
    one(
        "unique on conflict replace",
        "CREATE TABLE t(id TEXT PRIMARY KEY, u INTEGER UNIQUE ON CONFLICT REPLACE, v TEXT)",
        &[UNIQUE],
    ),
    one(
        "numbers as keys",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)",
        &[Table { has_numbers: true, ..PLAIN }],
    ),
    one(
        "keys without case",
        "CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, u INTEGER UNIQUE, v TEXT)",
        &[Table { ignores_case: true, ..UNIQUE }],
    ),
    family!("cascade", "NOT NULL REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE"),
    family!("set null", "REFERENCES t ON DELETE SET NULL ON UPDATE CASCADE"),
    family!("set null on update", "REFERENCES t ON DELETE CASCADE ON UPDATE SET NULL"),
    family!("set default", "DEFAULT 'k0' REFERENCES t ON DELETE SET DEFAULT ON UPDATE SET DEFAULT"),
    family!("restrict", "REFERENCES t ON DELETE RESTRICT ON UPDATE RESTRICT"),
    family!("no action", "NOT NULL REFERENCES t"),
    family!("no action, deferred", "REFERENCES t DEFERRABLE INITIALLY DEFERRED"),
    one(
        "tree that cascades",
        "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT,
            p TEXT REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE)",
        &[Table { parent: Some("t"), ..PLAIN }],
    ),
    one(
        "tree that is cut",
        "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT, u INTEGER UNIQUE,
            p TEXT REFERENCES t ON DELETE SET NULL)",
        &[Table { parent: Some("t"), ..UNIQUE }],
    ),
    one(
        "places in lists",
        "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT);
         CREATE TABLE c(id TEXT PRIMARY KEY, v TEXT, p TEXT NOT NULL REFERENCES t ON DELETE CASCADE,
            u INTEGER NOT NULL, UNIQUE (p, u))",
        &[PLAIN, Table { unique: &["p", "u"], ..CHILD }],
    ),
];

/// More rows than one batch of a sync.
pub(crate) const BIG: Schema = Schema {
    name: "a long list",
    sql: "CREATE TABLE t(id INTEGER PRIMARY KEY, u INTEGER NOT NULL UNIQUE, v TEXT)",
    tables: &[Table { has_numbers: true, ..UNIQUE }],
    rows: 700,
};
