//! What programs do with rows, as SQL.

use fastrand::Rng;

use crate::tables::schemas::{Schema, Table};
use crate::tables::statements::Row;

/// One transaction of an application. If a constraint does not allow it, it is given up.
#[derive(Clone, Debug)]
pub(crate) struct Transaction(pub(crate) String);

impl Transaction {
    pub(super) fn any(schema: &Schema, dice: &mut Rng, is_first: bool) -> Self {
        if is_first && schema.rows > 0 {
            return Self(fill(schema));
        }
        let count = if is_first { 1 } else { [1, 1, 1, 2, 3][dice.usize(..5)] };
        let statements: Vec<_> = (0..count).map(|_| statement(schema, dice, is_first)).collect();
        Self(statements.join("; "))
    }
}

fn fill(schema: &Schema) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT OR IGNORE INTO {}(id, u, v) SELECT i, i, 'first ' || i FROM n",
        schema.rows - 1,
        schema.tables[0].name,
    )
}

fn key(table: &Table, dice: &mut Rng) -> String {
    let number = dice.u8(..8);
    match (table.has_numbers, table.ignores_case && dice.bool()) {
        (true, _) => number.to_string(),
        (false, true) => format!("'K{number}'"),
        (false, false) => format!("'k{number}'"),
    }
}

fn statement(schema: &Schema, dice: &mut Rng, is_first: bool) -> String {
    let table = &schema.tables[dice.usize(..schema.tables.len())];
    let parents = schema.tables.iter().find(|parent| Some(parent.name) == table.parent);
    let row = Row {
        schema,
        table,
        a: key(table, dice),
        b: key(table, dice),
        n: dice.u64(..8),
        p: parents.map_or_else(String::new, |parents| key(parents, dice)),
        v: format!("'v{:08x}'", dice.u32(..)),
    };
    if is_first {
        return row.insert("INSERT OR IGNORE");
    }
    let has_u = !table.unique.is_empty();
    loop {
        return match dice.u8(..18) {
            0 => row.insert("INSERT OR IGNORE"),
            1 => row.insert("INSERT OR REPLACE"),
            2 => row.upsert(),
            3 => row.edit(),
            4 => row.delete(),
            5 => row.new_key(),
            6 => row.take_over_key(),
            7 => row.swap_keys(),
            8 if !table.has_numbers => row.change_case(),
            9 if has_u => row.set_unique("UPDATE"),
            10 if has_u => row.set_unique("UPDATE OR REPLACE"),
            11 | 12 if has_u => row.hand_over(),
            13 if has_u => row.swap_unique(),
            14 if has_u => row.renumber(dice.bool()),
            15 => row.merge(),
            16 | 17 if table.parent.is_some() => row.move_to_parent(),
            _ => continue,
        };
    }
}
