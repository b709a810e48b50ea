//! SQL for what programs do with a row.

use fastrand::Rng;

use crate::drawn::cells::any;
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Form, Kind, Role, Table};

/// What a statement names.
pub(super) struct Row<'a> {
    pub(super) schema: &'a Schema,
    pub(super) table: &'a Table,
    pub(super) i: usize,
    /// Two keys: the values of their columns, as SQL.
    pub(super) a: Vec<String>,
    pub(super) b: Vec<String>,
    /// What the user writes: different each time.
    pub(super) v: String,
    /// The columns that a statement writes besides, and their values.
    pub(super) others: Vec<(String, String)>,
}

/// The values of a key; there are eight.
fn key(form: Form, dice: &mut Rng) -> Vec<String> {
    let n = dice.usize(..8);
    let texts = ["'007'", "'7'", "''", "'k3'", "'k4'", "'1e3'", "'ö'", "'a' || char(0) || 'b'"];
    let folded = ["'a'", "'A'", "'b'", "'B'", "'c'", "'d'", "'D'", "'e'"];
    let blobs = ["x'00'", "x''", "x'31'", "x'41ff'", "x'04'", "x'05'", "x'06'", "x'07'"];
    let mixed = ["1", "'1'", "x'31'", "2.5", "'2.5'", "9007199254740993", "'007'", "-1"];
    match form {
        Form::Text | Form::Beside => vec![texts[n].into()],
        Form::Integer => vec![if n == 7 { "9007199254740993".into() } else { n.to_string() }],
        Form::Blob => vec![blobs[n].into()],
        Form::Any => vec![mixed[n].into()],
        Form::Nocase => vec![folded[n].into()],
        Form::Composite => vec![texts[n / 2].into(), (n % 2).to_string()],
    }
}

pub(super) fn unique_value(kind: Kind, dice: &mut Rng) -> String {
    match kind {
        Kind::Text => ["'a'", "'A'", "'b'", "'B'", "'c'", "'007'", "NULL"][dice.usize(..7)].into(),
        Kind::Integer => ["0", "1", "2", "3", "4", "5", "NULL"][dice.usize(..7)].into(),
        Kind::Blob => format!("x'0{}'", dice.u8(..6)),
        Kind::Real => format!("{}.5", dice.u8(..6)),
        _ => dice.u8(..6).to_string(),
    }
}

impl<'a> Row<'a> {
    pub(super) fn any(schema: &'a Schema, dice: &mut Rng) -> Self {
        let i = dice.usize(..schema.tables.len());
        Self::of(schema, i, dice)
    }

    fn of(schema: &'a Schema, i: usize, dice: &mut Rng) -> Self {
        let table = &schema.tables[i];
        let (a, b) = (key(table.form, dice), key(table.form, dice));
        let bad = if dice.u8(..20) == 0 { "bad " } else { "" };
        let v = format!("'{bad}v{:08x}'", dice.u32(..));
        let mut others = Vec::new();
        for column in &table.columns {
            let is_written = dice.u8(..3) > 0;
            let value = match column.role {
                Role::Unique => unique_value(column.kind, dice),
                Role::Parent => table
                    .parent
                    .map_or_else(String::new, |p| key(schema.tables[p].form, dice).remove(0)),
                Role::Free if dice.u8(..5) == 0 => "NULL".into(),
                Role::Free => any(column.kind, table.strict, dice),
                _ => continue,
            };
            if is_written || column.role == Role::Parent {
                others.push((format!("\"{}\"", column.name), value));
            }
        }
        Self { schema, table, i, a, b, v, others }
    }

    pub(super) fn name(&self) -> String {
        format!("\"{}\"", self.table.name)
    }

    pub(super) fn key_names(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.table.of_role(Role::Key).collect();
        keys.sort_by(|a, b| a.tag.cmp(&b.tag));
        keys.iter().map(|column| format!("\"{}\"", column.name)).collect()
    }

    pub(super) fn pairs(&self, key: &[String], between: &str) -> String {
        let pairs =
            self.key_names().into_iter().zip(key).map(|(name, value)| format!("{name} = {value}"));
        pairs.collect::<Vec<_>>().join(between)
    }

    pub(super) fn is(&self, key: &[String]) -> String {
        self.pairs(key, " AND ")
    }

    pub(super) fn set(&self, key: &[String]) -> String {
        self.pairs(key, ", ")
    }

    pub(super) fn value_name(&self) -> String {
        self.schema.render(&format!("{{{}.v}}", self.i))
    }

    pub(super) fn insert(&self, verb: &str) -> String {
        let others = self.others.iter().map(|(name, _)| name.clone());
        let names: Vec<_> =
            self.key_names().into_iter().chain([self.value_name()]).chain(others).collect();
        let others = self.others.iter().map(|(_, value)| value);
        let values: Vec<_> = self.a.iter().chain([&self.v]).chain(others).cloned().collect();
        format!("{verb} INTO {}({}) VALUES ({})", self.name(), names.join(", "), values.join(", "))
    }

    pub(super) fn upsert(&self) -> String {
        let (keys, v) = (self.key_names().join(", "), self.value_name());
        format!("{} ON CONFLICT({keys}) DO UPDATE SET {v} = excluded.{v}", self.insert("INSERT"))
    }

    pub(super) fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.name(), self.is(&self.a))
    }

    /// Sets this many of the columns besides the text.
    pub(super) fn update(&self, verb: &str, count: usize) -> String {
        let mut sets = vec![format!("{} = {}", self.value_name(), self.v)];
        sets.extend(
            self.others.iter().take(count).map(|(name, value)| format!("{name} = {value}")),
        );
        format!("{verb} {} SET {} WHERE {}", self.name(), sets.join(", "), self.is(&self.a))
    }

    /// One column, not the text.
    pub(super) fn update_one(&self, dice: &mut Rng) -> Option<String> {
        let (name, value) = self.others.get(dice.usize(..self.others.len().max(1)))?;
        Some(format!("UPDATE {} SET {name} = {value} WHERE {}", self.name(), self.is(&self.a)))
    }

    pub(super) fn new_key(&self, verb: &str) -> String {
        let (name, v) = (self.name(), self.value_name());
        format!(
            "{verb} {name} SET {}, {v} = {} WHERE {}",
            self.set(&self.b),
            self.v,
            self.is(&self.a)
        )
    }
}
