//! What a user of a drawn application does, as SQL for the version of the schema that a device has.

use db_to_cloud::DocumentId;
use fastrand::Rng;
use serde_json::Value;

use crate::application::id_text;
use crate::drawn::cells::literal;
use crate::drawn::row::Row;
use crate::drawn::schema::Schema;
use crate::drawn::shape::Role;
use crate::drawn::statements::statement;

/// One operation. It is turned into SQL when it is made.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// What this number draws.
    Drawn {
        seed: u64,
        is_first: bool,
    },
    /// The user writes this text into this row.
    Text {
        id: String,
        text: String,
    },
    Tool {
        what: Tool,
        seed: u64,
    },
}

/// What other programs do to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Vacuum,
    /// One of our triggers is dropped.
    DropTrigger,
    /// Two tables change their names, and back again.
    Swap,
    /// An index comes, or goes.
    Index,
}

/// A transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) sql: Vec<String>,
    /// Whether foreign keys are off meanwhile.
    pub(super) is_loose: bool,
    /// Whether it is taken back in the end.
    pub(super) is_undone: bool,
}

impl Op {
    pub(super) fn script(&self, schema: &Schema) -> Script {
        match self {
            Self::Drawn { seed, is_first } => drawn(schema, &mut Rng::with_seed(*seed), *is_first),
            Self::Text { id, text } => {
                Script { sql: vec![write(schema, id, text)], ..Script::default() }
            }
            Self::Tool { what, seed } => tool(schema, *what, &mut Rng::with_seed(*seed)),
        }
    }

    pub(super) fn text(id: &DocumentId, text: &str) -> Self {
        Self::Text { id: id_text(id), text: text.to_owned() }
    }
}

fn drawn(schema: &Schema, dice: &mut Rng, is_first: bool) -> Script {
    let count = if is_first { 1 } else { [1, 1, 1, 2, 3][dice.usize(..5)] };
    let is_undone = !is_first && dice.u8(..24) == 0;
    let sql = (0..count).flat_map(|_| statement(schema, dice, is_first)).collect();
    Script { sql, is_undone, is_loose: false }
}

/// The table and the key of a document.
pub(super) fn parse(schema: &Schema, id: &str) -> Option<(usize, Vec<Value>)> {
    let mut parts: Vec<Value> = serde_json::from_str(id).ok()?;
    let keys = parts.split_off(1);
    let is_it = |name: &String| parts[0] == name.to_lowercase();
    let i = schema.tables.iter().position(|table| is_it(&table.name))?;
    Some((i, keys))
}

fn write(schema: &Schema, id: &str, text: &str) -> String {
    let Some((i, keys)) = parse(schema, id) else { return "SELECT 1".into() };
    let names = schema.tables[i].of_role(Role::Key);
    // In the order of the tags, whatever the order of the columns.
    let mut names: Vec<_> = names.map(|column| (&column.tag, &column.name)).collect();
    names.sort();
    let is_it =
        names.iter().zip(&keys).map(|((_, name), key)| format!("\"{name}\" IS {}", literal(key)));
    let is_it: Vec<String> = is_it.collect();
    schema.render(&format!("UPDATE {{{i}}} SET {{{i}.v}} = '{text}' WHERE {}", is_it.join(" AND ")))
}

fn tool(schema: &Schema, what: Tool, dice: &mut Rng) -> Script {
    let sql = match what {
        // Not in a transaction: see `Drawn::make`.
        Tool::Vacuum | Tool::DropTrigger => vec![],
        Tool::Swap => {
            let [a, b] = [(); 2].map(|()| dice.usize(..schema.tables.len()));
            if a == b {
                return Script::default();
            }
            let [a, b] = [a, b].map(|i| format!("\"{}\"", schema.tables[i].name));
            let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
            let swap = [rename(&a, "between"), rename(&b, &a), rename("between", &b)];
            swap.iter().chain(&swap).cloned().collect()
        }
        Tool::Index => {
            let row = Row::any(schema, dice);
            let sql = format!("CREATE INDEX passing ON {{{0}}}({{{0}.v}})", row.i);
            vec![schema.render(&sql), "DROP INDEX passing".into()]
        }
    };
    Script { sql, ..Script::default() }
}
