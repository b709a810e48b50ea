//! Columns, and what is drawn of them.

use fastrand::Rng;

use crate::drawn::cells::any;
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Column, Kind, Role, Table, default_of};

/// Appends a column.
pub(super) fn add(
    table: &mut Table,
    i: usize,
    tag: &str,
    kind: Kind,
    role: Role,
    clauses: &str,
    default: &str,
) {
    // Odd names too.
    let name = match (tag, i % 2) {
        ("v", 1) => format!("Text {i}"),
        ("f0", _) => format!("Größe{i}"),
        _ => format!("{tag}{i}"),
    };
    let clauses = clauses.to_owned();
    let default = default_of(kind, table.strict, default);
    table.columns.push(Column { tag: tag.into(), name, kind, role, clauses, default });
}

/// A column whose values no two rows share, in one of the ways that there are.
pub(super) fn unique(table: &mut Table, schema: &Schema, i: usize, dice: &mut Rng) {
    let kind = if dice.bool() { Kind::Integer } else { Kind::Text };
    let column =
        |table: &mut Table, clauses: &str| add(table, i, "u", kind, Role::Unique, clauses, "NULL");
    let index = |table: &mut Table, on: &str| {
        add(table, i, "u", kind, Role::Unique, "", "NULL");
        let sql = format!(
            "CREATE UNIQUE INDEX unique{i} ON {{{i}}}({})",
            on.replace("{u}", &format!("{{{i}.u}}"))
        );
        // A condition comes after the columns.
        let sql = match sql.split_once(" WHERE ") {
            Some((index, condition)) => {
                format!("{index}) WHERE {}", condition.trim_end_matches(')'))
            }
            None => sql,
        };
        table.indexes.push((format!("unique{i}"), sql));
    };
    match dice.u8(..11) {
        10 => {
            column(table, "");
            let folded = if kind == Kind::Integer { "abs" } else { "lower" };
            let clauses = format!("GENERATED ALWAYS AS ({folded}({{{i}.u}})) STORED UNIQUE");
            add(table, i, "h", kind, Role::Local, &clauses, "NULL");
        }
        0 | 1 => column(table, "UNIQUE"),
        2 if schema.replaces => column(table, "UNIQUE ON CONFLICT REPLACE"),
        3 => column(table, "UNIQUE ON CONFLICT IGNORE"),
        4 => column(table, "COLLATE NOCASE UNIQUE"),
        5 => index(table, if kind == Kind::Integer { "abs({u})" } else { "lower({u})" }),
        6 => index(
            table,
            if kind == Kind::Integer { "{u} WHERE {u} > 2" } else { "{u} WHERE {u} <> 'a'" },
        ),
        7 => index(table, "{u} COLLATE NOCASE"),
        8 if table.parent.is_some() => {
            column(table, "");
            table.constraints.push(format!("UNIQUE ({{{i}.p}}, {{{i}.u}})"));
        }
        _ => index(table, "{u}"),
    }
}

/// A column that takes anything, or nearly: its kind, its clauses and its default.
pub(super) fn free(i: usize, tag: &str, strict: bool, dice: &mut Rng) -> (Kind, String, String) {
    let all = [Kind::Text, Kind::Integer, Kind::Real, Kind::Numeric, Kind::Blob, Kind::Any];
    let kind = all[dice.usize(..all.len())];
    let default = any(kind, strict, dice);
    match dice.u8(..6) {
        0 => (kind, format!("NOT NULL DEFAULT ({default})"), default),
        1 => (kind, format!("DEFAULT ({default})"), default),
        2 => (kind, format!("CHECK (typeof({{{i}.{tag}}}) <> 'blob')"), "NULL".into()),
        3 if kind == Kind::Text => (kind, "COLLATE NOCASE".into(), "NULL".into()),
        4 => (kind, format!("NOT NULL ON CONFLICT REPLACE DEFAULT ({default})"), default),
        _ => (kind, String::new(), "NULL".into()),
    }
}

/// A column that can be added: its default is a constant.
pub(super) fn constant(strict: bool, dice: &mut Rng) -> (Kind, String, String) {
    let all = [Kind::Text, Kind::Integer, Kind::Real, Kind::Numeric, Kind::Blob, Kind::Any];
    let kind = all[dice.usize(..all.len())];
    let default = loop {
        let default = any(kind, strict, dice);
        // An expression is none; and what SQLite makes of -0.0 depends on when the row was written.
        if !default.contains(['|', '(']) && default != "-0.0" {
            break default;
        }
    };
    match dice.u8(..3) {
        0 => (kind, format!("NOT NULL DEFAULT {default}"), default),
        1 => (kind, format!("DEFAULT {default}"), default),
        _ => (kind, String::new(), "NULL".into()),
    }
}
