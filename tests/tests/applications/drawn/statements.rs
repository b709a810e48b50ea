//! SQL for what programs do with several rows, and which statements they make.

use fastrand::Rng;

use crate::drawn::cells::any;
use crate::drawn::row::{Row, unique_value};
use crate::drawn::schema::Schema;
use crate::drawn::shape::{Form, Kind, Role};

impl Row<'_> {
    /// Whoever has the key goes, and another row gets it.
    fn take_over_key(&self) -> Vec<String> {
        let (taken, not_itself) = (self.is(&self.b), self.is(&self.a));
        let delete = format!("DELETE FROM {} WHERE {taken} AND NOT ({not_itself})", self.name());
        vec![delete, self.new_key("UPDATE")]
    }

    fn swap_keys(&self) -> Vec<String> {
        let aside = match self.table.form {
            Form::Integer => vec!["-77".into()],
            Form::Blob => vec!["x'aa'".into()],
            Form::Composite => vec!["'aside'".into(), "7".into()],
            _ => vec!["'aside'".into()],
        };
        let update = |to: &[String], from: &[String]| {
            format!("UPDATE {} SET {} WHERE {}", self.name(), self.set(to), self.is(from))
        };
        vec![update(&aside, &self.a), update(&self.a, &self.b), update(&self.b, &aside)]
    }

    fn unique(&self, dice: &mut Rng) -> Option<(String, Kind)> {
        let all: Vec<_> = self.table.of_role(Role::Unique).collect();
        let column = all.get(dice.usize(..all.len().max(1)))?;
        Some((format!("\"{}\"", column.name), column.kind))
    }

    /// Two rows change their unique values.
    fn swap_unique(&self, dice: &mut Rng) -> Option<Vec<String>> {
        let (u, kind) = self.unique(dice)?;
        let (name, keys) = (self.name(), self.key_names().join(", "));
        let both = format!("({}) OR ({})", self.is(&self.a), self.is(&self.b));
        let aside = if kind == Kind::Integer { format!("-1 - {u}") } else { format!("'~' || {u}") };
        let is_other: Vec<_> =
            self.key_names().iter().map(|key| format!("s.{key} = {name}.{key}")).collect();
        let two = "(SELECT count(*) FROM s) = 2";
        Some(vec![
            format!("CREATE TEMP TABLE s AS SELECT {keys}, {u} FROM {name} WHERE {both}"),
            format!("UPDATE {name} SET {u} = {aside} WHERE ({both}) AND {two}"),
            format!(
                "UPDATE {name} SET {u} = (SELECT s.{u} FROM s WHERE NOT ({})) WHERE ({both}) AND {two}",
                is_other.join(" AND ")
            ),
            "DROP TABLE s".into(),
        ])
    }

    /// Whoever has the value goes, and another row gets it.
    fn hand_over(&self, dice: &mut Rng) -> Option<Vec<String>> {
        let (u, kind) = self.unique(dice)?;
        let (name, value, v) = (self.name(), unique_value(kind, dice), self.value_name());
        Some(vec![
            format!("DELETE FROM {name} WHERE {u} = {value} AND NOT ({})", self.is(&self.a)),
            format!("UPDATE {name} SET {u} = {value}, {v} = {} WHERE {}", self.v, self.is(&self.a)),
        ])
    }

    /// Every row gets another number.
    fn renumber(&self, dice: &mut Rng) -> Option<Vec<String>> {
        let (u, _) = self.unique(dice).filter(|(_, kind)| *kind == Kind::Integer)?;
        let name = self.name();
        let aside = format!("UPDATE {name} SET {u} = -1 - {u}");
        if dice.bool() {
            return Some(vec![aside, format!("UPDATE {name} SET {u} = -{u}")]);
        }
        Some(vec![
            format!("CREATE TEMP TABLE s AS SELECT max({u}) AS most FROM {name}"),
            aside,
            format!("UPDATE {name} SET {u} = (SELECT most FROM s) + 1 + {u}"),
            "DROP TABLE s".into(),
        ])
    }

    /// Many rows at once.
    fn bulk(&self, dice: &mut Rng) -> Option<String> {
        let free: Vec<_> = self.table.of_role(Role::Free).collect();
        let column = free.get(dice.usize(..free.len().max(1)))?;
        let value = any(column.kind, self.table.strict, dice);
        let (name, column) = (self.name(), &column.name);
        let v = self.value_name();
        Some(match dice.u8(..3) {
            0 => format!("UPDATE {name} SET \"{column}\" = {value}"),
            1 => format!(
                "UPDATE {name} SET \"{column}\" = {value}, {v} = {v} || '+' WHERE {v} > 'v8'"
            ),
            _ => format!("DELETE FROM {name} WHERE {v} > 'vc'"),
        })
    }
}

/// The statements of one draw.
pub(super) fn statement(schema: &Schema, dice: &mut Rng, is_first: bool) -> Vec<String> {
    let row = Row::any(schema, dice);
    if row.table.is_log {
        return vec![row.delete()];
    }
    if is_first {
        return vec![row.insert("INSERT OR IGNORE")];
    }
    let replaces = schema.replaces;
    loop {
        return match dice.u8(..20) {
            0 => vec![row.insert("INSERT OR IGNORE")],
            1 if replaces => vec![row.insert("INSERT OR REPLACE")],
            2 => vec![row.upsert()],
            3 | 4 => vec![row.update("UPDATE", 0)],
            5 => vec![row.update("UPDATE", 9)],
            6 if replaces => vec![row.update("UPDATE OR REPLACE", 1)],
            7 | 8 => match row.update_one(dice) {
                Some(sql) => vec![sql],
                None => continue,
            },
            9 => vec![row.delete()],
            10 => vec![row.new_key("UPDATE OR IGNORE")],
            11 if replaces => vec![row.new_key("UPDATE OR REPLACE")],
            12 => row.take_over_key(),
            13 => row.swap_keys(),
            14 | 15 => row.swap_unique(dice).unwrap_or_default(),
            16 => row.hand_over(dice).unwrap_or_default(),
            17 => row.renumber(dice).unwrap_or_default(),
            18 => row.bulk(dice).into_iter().collect(),
            _ => vec![row.insert("INSERT OR FAIL")],
        };
    }
}
