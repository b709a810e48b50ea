//! What applications keep up to date by triggers.

use fastrand::Rng;

use crate::drawn::columns::add;
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Form, Kind, Role, Table};
use crate::drawn::switches::Switches;

/// Draws triggers, and the columns and tables that they write.
pub(super) fn draw(schema: &mut Schema, dice: &mut Rng, switches: &Switches) {
    let is_exact = is_exact(schema);
    for i in 0..schema.tables.len() {
        let form = schema.tables[i].form;
        // A trigger that writes its own row, where triggers are recursive, could go on for ever.
        if dice.u8(..4) == 0 && !schema.is_recursive && switches.has("touch") {
            touch(schema, i);
        }
        let parent = schema.tables[i].parent.filter(|parent| *parent != i);
        if let Some(parent) = parent.filter(|_| dice.u8(..3) == 0 && switches.has("derived")) {
            count(schema, i, parent, dice.u8(..3) == 0);
        }
        if dice.u8(..6) == 0 {
            refuse(schema, i);
        }
        if can_mirror(schema, i) && dice.u8(..4) == 0 {
            mirror(schema, i);
        }
        if is_exact && matches!(form, Form::Integer | Form::Beside) && dice.u8(..2) == 0 {
            search(schema, i);
        }
    }
    if dice.u8(..5) == 0 && switches.has("derived") {
        let of = dice.usize(..schema.tables.len());
        log(schema, of);
    }
}

/// Whether a trigger sees each row that goes: not those that are replaced.
fn is_exact(schema: &Schema) -> bool {
    !schema.replaces || schema.is_recursive
}

/// Whether a table with the same keys can follow this one.
pub(super) fn can_mirror(schema: &Schema, i: usize) -> bool {
    let table = &schema.tables[i];
    let has_one_key = !matches!(table.form, Form::Composite | Form::Nocase);
    is_exact(schema) && has_one_key && !table.is_log
}

fn trigger(schema: &mut Schema, name: String, event: &str, body: &str) {
    let sql = format!("CREATE TRIGGER {name} {event} BEGIN {body}; END");
    schema.triggers.push((name, sql));
}

/// When the row was last edited.
fn touch(schema: &mut Schema, i: usize) {
    add(&mut schema.tables[i], i, "at", Kind::Text, Role::Derived, "", "NULL");
    let keys: Vec<&str> = schema.tables[i].of_role(Role::Key).map(|key| key.tag.as_str()).collect();
    let is_it: Vec<String> =
        keys.iter().map(|key| format!("{{{i}.{key}}} IS NEW.{{{i}.{key}}}")).collect();
    let event = format!("AFTER UPDATE ON {{{i}}} WHEN NEW.{{{i}.at}} IS OLD.{{{i}.at}}");
    let now = "strftime('%Y-%m-%d %H:%M:%f', 'now')";
    let body = format!("UPDATE {{{i}}} SET {{{i}.at}} = {now} WHERE {}", is_it.join(" AND "));
    trigger(schema, format!("touch{i}"), &event, &body);
}

/// How many rows refer to a row; or a stock, of which each of them takes one.
fn count(schema: &mut Schema, child: usize, parent: usize, is_stock: bool) {
    let (tag, at) = (format!("n{child}"), format!("{{{parent}.n{child}}}"));
    let (clauses, first) = match is_stock {
        true => (format!("NOT NULL DEFAULT 3 CHECK ({at} >= 0)"), "3"),
        false => ("NOT NULL DEFAULT 0".to_owned(), "0"),
    };
    add(&mut schema.tables[parent], parent, &tag, Kind::Integer, Role::Derived, &clauses, first);
    let step = |row: &str, sign: &str| {
        format!(
            "UPDATE {{{parent}}} SET {at} = {at} {sign} 1 WHERE {{{parent}.id}} = {row}.{{{child}.p}}"
        )
    };
    let (more, less) = if is_stock { ("-", "+") } else { ("+", "-") };
    let on = format!("ON {{{child}}}");
    trigger(schema, format!("more{child}"), &format!("AFTER INSERT {on}"), &step("NEW", more));
    trigger(schema, format!("less{child}"), &format!("AFTER DELETE {on}"), &step("OLD", less));
    let event = format!("AFTER UPDATE OF {{{child}.p}} {on}");
    let body = format!("{}; {}", step("OLD", less), step("NEW", more));
    trigger(schema, format!("other{child}"), &event, &body);
}

/// Some texts are refused.
fn refuse(schema: &mut Schema, i: usize) {
    for (name, event) in [("new", "INSERT"), ("old", "UPDATE")] {
        let event = format!("BEFORE {event} ON {{{i}}} WHEN NEW.{{{i}.v}} LIKE 'bad%'");
        trigger(schema, format!("refuse{name}{i}"), &event, "SELECT RAISE(ABORT, 'not valid')");
    }
}

/// A table that is not synced has the texts of one that is.
pub(super) fn mirror(schema: &mut Schema, i: usize) {
    let name = format!("mirror{i}");
    schema.others.push((name.clone(), format!("CREATE TABLE {name}(k PRIMARY KEY, v)")));
    let (id, v, on) = (format!("{{{i}.id}}"), format!("{{{i}.v}}"), format!("ON {{{i}}}"));
    let insert = format!("INSERT OR REPLACE INTO {name} VALUES (NEW.{id}, NEW.{v})");
    let delete = format!("DELETE FROM {name} WHERE k = OLD.{id}");
    trigger(schema, format!("mirrornew{i}"), &format!("AFTER INSERT {on}"), &insert);
    trigger(schema, format!("mirrorgone{i}"), &format!("AFTER DELETE {on}"), &delete);
    let event = format!("AFTER UPDATE OF {id}, {v} {on}");
    trigger(schema, format!("mirrorold{i}"), &event, &format!("{delete}; {insert}"));
    let rows = format!("SELECT {id} AS k, {v} AS v FROM {{{i}}}");
    schema.checks.push(format!(
        "SELECT (SELECT count(*) FROM ({rows} EXCEPT SELECT k, v FROM {name}))
            + (SELECT count(*) FROM (SELECT k, v FROM {name} EXCEPT {rows})) AS mirror"
    ));
}

/// A search index that has no texts of its own.
fn search(schema: &mut Schema, i: usize) {
    let (name, row) =
        (format!("search{i}"), if schema.tables[i].form == Form::Beside { "rid" } else { "id" });
    let (row, v, on) = (format!("{{{i}.{row}}}"), format!("{{{i}.v}}"), format!("ON {{{i}}}"));
    let sql = format!(
        "CREATE VIRTUAL TABLE {name} USING fts5({v}, content={{{i}}}, content_rowid={row})"
    );
    schema.others.push((name.clone(), sql));
    schema.indexes.push(name.clone());
    let insert = format!("INSERT INTO {name}(rowid, {v}) VALUES (NEW.{row}, NEW.{v})");
    let delete =
        format!("INSERT INTO {name}({name}, rowid, {v}) VALUES ('delete', OLD.{row}, OLD.{v})");
    trigger(schema, format!("searchnew{i}"), &format!("AFTER INSERT {on}"), &insert);
    trigger(schema, format!("searchgone{i}"), &format!("AFTER DELETE {on}"), &delete);
    let event = format!("AFTER UPDATE OF {row}, {v} {on}");
    trigger(schema, format!("searchold{i}"), &event, &format!("{delete}; {insert}"));
}

/// What happened, in a table that is synced.
fn log(schema: &mut Schema, of: usize) {
    let i = schema.tables.len();
    let mut table = Table {
        name: "Log".into(),
        form: Form::Text,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        without_rowid: false,
        strict: false,
        parent: None,
        is_log: true,
    };
    add(&mut table, i, "id", Kind::Text, Role::Key, "PRIMARY KEY", "NULL");
    add(&mut table, i, "v", Kind::Text, Role::Value, "", "NULL");
    schema.tables.push(table);
    for (name, event, text) in
        [("old", "UPDATE", "OLD.{v} || '>' || NEW.{v}"), ("gone", "DELETE", "OLD.{v} || '>'")]
    {
        let text = text.replace("{v}", &format!("{{{of}.v}}"));
        let body = format!(
            "INSERT INTO {{{i}}}({{{i}.id}}, {{{i}.v}}) VALUES (hex(randomblob(8)), {text})"
        );
        trigger(schema, format!("log{name}"), &format!("AFTER {event} ON {{{of}}}"), &body);
    }
}
