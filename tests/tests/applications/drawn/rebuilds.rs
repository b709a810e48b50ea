//! Tables that are made anew.

use fastrand::Rng;

use crate::drawn::migrations::{Migration, new_column};
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Kind, Role};

/// A column gets another type, which may turn its values into others: the same on all devices.
pub(super) fn convert(made: &mut Migration, i: usize, dice: &mut Rng) -> bool {
    let table = &mut made.after.tables[i];
    let strict = table.strict;
    let free = table.columns.iter_mut().filter(|column| column.role == Role::Free);
    let Some(column) = free.filter(|column| column.clauses.is_empty()).last() else { return false };
    if strict {
        return false;
    }
    column.kind = [Kind::Text, Kind::Integer, Kind::Real, Kind::Any][dice.usize(..4)];
    made.is_together = true;
    copy(made, i);
    true
}

/// The same columns in another order, and perhaps one more.
pub(super) fn rebuild(made: &mut Migration, i: usize, version: usize, dice: &mut Rng) -> bool {
    let columns = made.after.tables[i].columns.clone();
    dice.shuffle(&mut made.after.tables[i].columns);
    copy(made, i);
    if dice.bool() {
        new_column(&mut made.after, i, version, dice);
        let schema = &made.after;
        let copy = made.sql.iter_mut().find(|sql| sql.starts_with("CREATE TABLE"));
        copy.into_iter().for_each(|sql| *sql = schema.create_table(i, "made anew"));
    }
    columns.len() <= made.after.tables[i].columns.len()
}

/// As the documentation of SQLite says: a new table gets the rows and then the name.
fn copy(made: &mut Migration, i: usize) {
    let (columns, name) = (stored(&made.after, i), made.after.tables[i].name.clone());
    made.sql.extend(made.after.drop_around());
    made.sql.push(made.after.create_table(i, "made anew"));
    made.sql.push(format!("INSERT INTO \"made anew\"({columns}) SELECT {columns} FROM \"{name}\""));
    made.sql.push(format!("DROP TABLE \"{name}\""));
    made.sql.push(format!("ALTER TABLE \"made anew\" RENAME TO \"{name}\""));
    made.sql.extend(made.after.create_indexes(i));
    made.sql.extend(made.after.create_around());
}

/// The table gets another name, and a new one its rows. The old one stays or goes.
pub(super) fn aside(made: &mut Migration, i: usize, version: usize, dice: &mut Rng) -> bool {
    let (columns, name) = (stored(&made.after, i), made.after.tables[i].name.clone());
    // Those that refer to it would refer to the old one.
    if made.after.children(i).next().is_some() {
        return false;
    }
    let old = format!("old {version} {name}");
    made.sql.extend(made.after.drop_around());
    made.sql.push(format!("ALTER TABLE \"{name}\" RENAME TO \"{old}\""));
    let indexes = made.after.tables[i].indexes.iter();
    made.sql.extend(indexes.map(|(name, _)| format!("DROP INDEX {name}")));
    made.sql.push(made.after.create_table(i, &name));
    made.sql.push(format!("INSERT INTO \"{name}\"({columns}) SELECT {columns} FROM \"{old}\""));
    made.sql.extend(made.after.create_indexes(i));
    made.sql.extend(made.after.create_around());
    // One that stays must not refer to others, or keeps them from what they do.
    if made.after.tables[i].parent.is_some() || dice.bool() {
        made.sql.push(format!("DROP TABLE \"{old}\""));
    }
    true
}

/// The columns that a copy names.
fn stored(schema: &Schema, i: usize) -> String {
    let stored =
        schema.tables[i].columns.iter().filter(|column| !matches!(column.tag.as_str(), "g" | "h"));
    let names: Vec<String> = stored.map(|column| format!("\"{}\"", column.name)).collect();
    names.join(", ")
}
