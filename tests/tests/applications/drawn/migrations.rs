//! What later versions of an application do to its schema.

use fastrand::Rng;

use crate::drawn::columns::{add, constant};
use crate::drawn::rebuilds::{aside, convert, rebuild};
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Form, Role, kind_sql};
use crate::drawn::switches::Switches;
use crate::drawn::triggers;

/// From one version to the next.
#[derive(Clone, Debug)]
pub(super) struct Migration {
    pub(super) after: Schema,
    pub(super) sql: Vec<String>,
    /// All devices do it when they have the same rows, and sync only then: to a sync a column with
    /// another name is another column.
    pub(super) is_together: bool,
    /// Whether devices of both versions can have the same rows.
    pub(super) can_wait: bool,
}

/// Draws the versions that follow the first.
pub(super) fn draw(first: &Schema, dice: &mut Rng, switches: &Switches) -> Vec<Migration> {
    let mut all: Vec<Migration> = Vec::new();
    let wanted = if switches.has("ddl") { dice.usize(..6) } else { 0 };
    for version in 0..wanted * 20 {
        if all.len() == wanted {
            break;
        }
        let before = all.last().map_or(first, |migration| &migration.after);
        all.extend(migration(before, version, dice, switches));
    }
    all
}

fn migration(
    before: &Schema,
    version: usize,
    dice: &mut Rng,
    switches: &Switches,
) -> Option<Migration> {
    let i = dice.usize(..before.tables.len());
    let mut made =
        Migration { after: before.clone(), sql: Vec::new(), is_together: false, can_wait: true };
    let is_done = match dice.u8(..13) {
        0..=2 if switches.has("add-column") => add_column(&mut made, i, version, dice, switches),
        3 | 4 if switches.has("drop-column") => drop_column(&mut made, i, dice),
        5 if switches.has("rename-column") => rename_column(&mut made, i, version, dice),
        6 if switches.is_alone => unique_index(&mut made, i, version),
        7 => plain_index(&mut made, i, version),
        8 if switches.has("rebuild") => rebuild(&mut made, i, version, dice),
        9 if switches.has("aside") => aside(&mut made, i, version, dice),
        11 if switches.has("rebuild") => convert(&mut made, i, dice),
        12 if switches.has("triggers") => new_trigger(&mut made, i),
        10 if switches.has("triggers") => drop_trigger(&mut made, i, dice),
        _ => false,
    };
    is_done.then_some(made)
}

pub(super) fn new_column(schema: &mut Schema, i: usize, version: usize, dice: &mut Rng) -> usize {
    let tag = format!("a{version}");
    let (kind, clauses, default) = constant(schema.tables[i].strict, dice);
    add(&mut schema.tables[i], i, &tag, kind, Role::Free, &clauses, &default);
    schema.tables[i].columns.len() - 1
}

fn add_column(
    made: &mut Migration,
    i: usize,
    version: usize,
    dice: &mut Rng,
    switches: &Switches,
) -> bool {
    let strict = made.after.tables[i].strict;
    let place = new_column(&mut made.after, i, version, dice);
    let column = made.after.tables[i].columns[place].clone();
    let sql = kind_sql(column.kind, made.after.tables[i].strict);
    let sql =
        format!("ALTER TABLE {{{i}}} ADD COLUMN \"{}\" {sql} {}", column.name, column.clauses);
    made.sql.push(made.after.render(&sql));
    if dice.u8(..4) == 0 && column.clauses.is_empty() {
        let sql = format!("CREATE UNIQUE INDEX of{version} ON {{{i}}}({{{i}.a{version}}})");
        made.sql.push(made.after.render(&sql));
        made.after.tables[i].indexes.push((format!("of{version}"), sql));
        made.after.tables[i].columns[place].role = Role::Unique;
        made.can_wait = false;
    }
    // A migration may fill it in; the same row may differ on two devices, and then so does that. Two rows
    // may have the same text.
    if switches.has("fill")
        && !switches.is_alone
        && dice.u8(..3) == 0
        && column.clauses.is_empty()
        && !strict
        && made.can_wait
    {
        let sql = format!("UPDATE {{{i}}} SET {{{i}.a{version}}} = upper({{{i}.v}})");
        made.sql.push(made.after.render(&sql));
    }
    true
}

fn drop_column(made: &mut Migration, i: usize, dice: &mut Rng) -> bool {
    let table = &made.after.tables[i];
    let tags = table.columns.iter().filter(|c| matches!(c.role, Role::Free | Role::Unique));
    let tags: Vec<String> = tags.map(|column| column.tag.clone()).collect();
    let Some(tag) = tags.get(dice.usize(..tags.len().max(1))).cloned() else { return false };
    let place = format!("{{{i}.{tag}}}");
    let is_named = |template: &String| template.contains(&place);
    let column = table.column(&tag).cloned();
    // What is generated from it names it too.
    let has_constraint = column.is_some_and(|column| column.clauses.contains("UNIQUE"))
        || table.constraints.iter().any(is_named)
        || table.columns.iter().any(|other| other.tag != tag && is_named(&other.clauses));
    if has_constraint {
        return false;
    }
    for (name, template) in &table.indexes {
        if is_named(template) {
            made.sql.push(format!("DROP INDEX {name}"));
            made.can_wait = false;
        }
    }
    made.sql.push(made.after.render(&format!("ALTER TABLE {{{i}}} DROP COLUMN {place}")));
    let table = &mut made.after.tables[i];
    table.indexes.retain(|(_, template)| !template.contains(&place));
    table.columns.retain(|column| column.tag != tag);
    true
}

fn rename_column(made: &mut Migration, i: usize, version: usize, dice: &mut Rng) -> bool {
    // A search index names its column itself.
    let is_searched = matches!(made.after.tables[i].form, Form::Integer | Form::Beside);
    let is_free = |role| match role {
        Role::Free | Role::Unique | Role::Derived => true,
        Role::Value | Role::Key => !is_searched,
        _ => false,
    };
    let columns: Vec<usize> = (0..made.after.tables[i].columns.len())
        .filter(|c| is_free(made.after.tables[i].columns[*c].role))
        .collect();
    let Some(place) = columns.get(dice.usize(..columns.len().max(1))) else { return false };
    let (tag, new) =
        (made.after.tables[i].columns[*place].tag.clone(), format!("renamed{version}"));
    let sql = format!("ALTER TABLE {{{i}}} RENAME COLUMN {{{i}.{tag}}} TO \"{new}\"");
    made.sql.push(made.after.render(&sql));
    made.after.tables[i].columns[*place].name = new;
    made.is_together = true;
    true
}

/// On the texts, which differ: but not after a row was moved on one device and edited on another.
fn unique_index(made: &mut Migration, i: usize, version: usize) -> bool {
    if made.after.tables[i].is_log {
        return false;
    }
    let sql = format!("CREATE UNIQUE INDEX unique{version}of{i} ON {{{i}}}({{{i}.v}})");
    made.sql.push(made.after.render(&sql));
    made.after.tables[i].indexes.push((format!("unique{version}of{i}"), sql));
    true
}

/// Comes, or goes.
fn plain_index(made: &mut Migration, i: usize, version: usize) -> bool {
    let table = &mut made.after.tables[i];
    if let Some((name, _)) = table.indexes.pop() {
        made.can_wait = false;
        made.sql.push(format!("DROP INDEX {name}"));
        return true;
    }
    let sql = format!("CREATE INDEX plain{version}of{i} ON {{{i}}}({{{i}.v}})");
    table.indexes.push((format!("plain{version}of{i}"), sql.clone()));
    made.sql.push(made.after.render(&sql));
    true
}

/// A table that is not synced begins to have the texts of one that is.
fn new_trigger(made: &mut Migration, i: usize) -> bool {
    let schema = &made.after;
    let is_there = schema.others.iter().any(|(name, _)| *name == format!("mirror{i}"));
    if is_there || !triggers::can_mirror(schema, i) {
        return false;
    }
    let before = schema.triggers.len();
    triggers::mirror(&mut made.after, i);
    let schema = &made.after;
    let table = schema.others.last().map(|(_, sql)| sql.clone());
    made.sql.extend(table.map(|sql| schema.render(&sql)));
    let fill = format!("INSERT INTO mirror{i} SELECT {{{i}.id}}, {{{i}.v}} FROM {{{i}}}");
    made.sql.push(schema.render(&fill));
    made.sql.extend(schema.triggers[before..].iter().map(|(_, sql)| schema.render(sql)));
    true
}

/// The application gives up triggers that write in their own row, or that refuse. Those go together: what
/// an update may write must be possible for an insert, which brings it to other devices.
fn drop_trigger(made: &mut Migration, i: usize, dice: &mut Rng) -> bool {
    let names = match dice.bool() {
        true => vec![format!("touch{i}")],
        false => vec![format!("refusenew{i}"), format!("refuseold{i}")],
    };
    let all = &mut made.after.triggers;
    let before = all.len();
    all.retain(|(name, _)| !names.contains(name));
    made.sql.extend(names.iter().map(|name| format!("DROP TRIGGER {name}")));
    made.can_wait = false;
    made.after.triggers.len() < before
}
