//! Draws a schema.

use fastrand::Rng;

use crate::drawn::columns::{add, free, unique};
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Form, Kind, Role, Table};
use crate::drawn::switches::Switches;
use crate::drawn::triggers;
use crate::plan::Editors;

const NAMES: &[&str] = &["t", "Notes", "to do", "order"];
const ACTIONS: &[&str] = &[
    "ON DELETE CASCADE ON UPDATE CASCADE",
    "ON DELETE SET NULL ON UPDATE CASCADE",
    "ON DELETE CASCADE ON UPDATE SET NULL",
    "ON DELETE RESTRICT ON UPDATE RESTRICT",
    "ON DELETE RESTRICT ON UPDATE CASCADE",
    "",
    "DEFERRABLE INITIALLY DEFERRED",
];

/// One of these, each as likely.
pub(super) fn one<'a>(all: &[&'a str], dice: &mut Rng) -> &'a str {
    all[dice.usize(..all.len())]
}

pub(super) fn schema(dice: &mut Rng, editors: Editors, switches: &Switches) -> Schema {
    let mut schema = Schema {
        tables: Vec::new(),
        others: Vec::new(),
        views: Vec::new(),
        triggers: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        is_recursive: dice.u8(..4) == 0,
        replaces: dice.u8(..3) > 0,
    };
    for i in 0..dice.usize(1..4) {
        let table = table(&schema, i, dice, editors, switches);
        schema.tables.push(table);
    }
    triggers::draw(&mut schema, dice, switches);
    for i in 0..schema.tables.len() {
        if dice.u8(..4) == 0 {
            let sql = format!("CREATE VIEW short{i} AS SELECT {{{i}.v}}, 1 AS one FROM {{{i}}}");
            schema.views.push((format!("short{i}"), sql));
        }
    }
    for table in &mut schema.tables {
        dice.shuffle(&mut table.columns);
    }
    schema
}

fn form(dice: &mut Rng, editors: Editors) -> Form {
    match dice.u8(..12) {
        0..=3 => Form::Text,
        4 | 5 => Form::Integer,
        6 => Form::Blob,
        7 => Form::Any,
        8 | 9 => Form::Beside,
        10 if editors == Editors::One => Form::Nocase,
        _ => Form::Composite,
    }
}

fn table(
    schema: &Schema,
    i: usize,
    dice: &mut Rng,
    editors: Editors,
    switches: &Switches,
) -> Table {
    let form = form(dice, editors);
    let strict = form != Form::Any && dice.u8(..4) == 0;
    let mut table = Table {
        name: NAMES[i].into(),
        form,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        without_rowid: !matches!(form, Form::Integer | Form::Beside) && dice.u8(..4) == 0,
        strict,
        parent: None,
        is_log: false,
    };
    keys(&mut table, i, schema.replaces && dice.u8(..6) == 0);
    let value = ["", "NOT NULL DEFAULT 'none'", "DEFAULT ''"][dice.usize(..3)];
    add(&mut table, i, "v", Kind::Text, Role::Value, value, "NULL");
    if switches.has("foreign-keys") {
        parent(&mut table, schema, i, dice);
    }
    if dice.u8(..3) > 0 {
        unique(&mut table, schema, i, dice);
    }
    for n in 0..dice.usize(..4) {
        let (kind, clauses, default) = free(i, &format!("f{n}"), strict, dice);
        add(&mut table, i, &format!("f{n}"), kind, Role::Free, &clauses, &default);
    }
    if dice.u8(..4) == 0 {
        let stored = one(&["STORED", "VIRTUAL"], dice);
        let clauses = format!("GENERATED ALWAYS AS (upper({{{i}.v}})) {stored}");
        add(&mut table, i, "g", Kind::Text, Role::Local, &clauses, "NULL");
    }
    if dice.u8(..4) == 0 {
        let sql = format!("CREATE INDEX plain{i} ON {{{i}}}({{{i}.v}})");
        table.indexes.push((format!("plain{i}"), sql));
    }
    table
}

fn keys(table: &mut Table, i: usize, replaces: bool) {
    let form = table.form;
    let replaces = if replaces { " ON CONFLICT REPLACE" } else { "" };
    let primary = format!("PRIMARY KEY{replaces}");
    let mut key = |tag, kind, clauses: &str| add(table, i, tag, kind, Role::Key, clauses, "NULL");
    match form {
        Form::Text => key("id", Kind::Text, &primary),
        Form::Integer => key("id", Kind::Integer, &primary),
        Form::Blob => key("id", Kind::Blob, &primary),
        Form::Any => key("id", Kind::Any, &primary),
        Form::Nocase => key("id", Kind::Text, &format!("COLLATE NOCASE {primary}")),
        Form::Composite => {
            key("id", Kind::Text, "NOT NULL");
            key("k", Kind::Integer, "NOT NULL");
            table.constraints.push(format!("PRIMARY KEY ({{{i}.id}}, {{{i}.k}}){replaces}"));
        }
        Form::Beside => {
            key("id", Kind::Text, &format!("NOT NULL UNIQUE{replaces}"));
            add(table, i, "rid", Kind::Integer, Role::Local, "PRIMARY KEY", "NULL");
        }
    }
}

fn parent(table: &mut Table, schema: &Schema, i: usize, dice: &mut Rng) {
    let may = |j: usize| schema.tables[j].form != Form::Composite;
    let mut all: Vec<(usize, Form)> =
        (0..i).filter(|j| may(*j)).map(|j| (j, schema.tables[j].form)).collect();
    // SQLite itself lets a REPLACE in a table that refers to itself pass with no parent.
    if table.form != Form::Composite && !schema.replaces && dice.u8(..3) == 0 {
        all.push((i, table.form));
    }
    if all.is_empty() || dice.u8(..3) == 0 {
        return;
    }
    let (parent, form) = all[dice.usize(..all.len())];
    let kind = match form {
        Form::Integer => Kind::Integer,
        Form::Blob => Kind::Blob,
        Form::Any => Kind::Any,
        _ => Kind::Text,
    };
    let actions = one(ACTIONS, dice);
    let is_set = actions.contains("SET NULL") || parent == i;
    let not_null = if !is_set && dice.bool() { "NOT NULL" } else { "" };
    let clauses = format!("{not_null} REFERENCES {{{parent}}}({{{parent}.id}}) {actions}");
    table.parent = Some(parent);
    add(table, i, "p", kind, Role::Parent, &clauses, "NULL");
}
