//! SQL for what programs do with a row or a table.

use crate::tables::schemas::{Schema, Table};

/// The names in a statement.
pub(super) struct Row<'a> {
    pub(super) schema: &'a Schema,
    pub(super) table: &'a Table,
    /// Two keys, as SQL.
    pub(super) a: String,
    pub(super) b: String,
    /// A number for `u`, and a key for `p`.
    pub(super) n: u64,
    pub(super) p: String,
    /// What the user writes: different each time.
    pub(super) v: String,
}

impl Row<'_> {
    fn has_u(&self) -> bool {
        !self.table.unique.is_empty()
    }

    pub(super) fn insert(&self, verb: &str) -> String {
        let Self { table, a, v, n, p, .. } = self;
        let (mut columns, mut values) = ("id, v".to_owned(), format!("{a}, {v}"));
        if self.has_u() {
            columns += ", u";
            values += &format!(", {n}");
        }
        if table.parent.is_some() {
            columns += ", p";
            values += &format!(", {p}");
        }
        format!("{verb} INTO {}({columns}) VALUES ({values})", table.name)
    }

    pub(super) fn upsert(&self) -> String {
        format!("{} ON CONFLICT(id) DO UPDATE SET v = excluded.v", self.insert("INSERT"))
    }

    pub(super) fn edit(&self) -> String {
        let Self { table, a, v, .. } = self;
        format!("UPDATE {} SET v = {v} WHERE id = {a}", table.name)
    }

    pub(super) fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE id = {}", self.table.name, self.a)
    }

    pub(super) fn new_key(&self) -> String {
        let Self { table, a, b, v, .. } = self;
        format!("UPDATE OR IGNORE {} SET id = {b}, v = {v} WHERE id = {a}", table.name)
    }

    pub(super) fn take_over_key(&self) -> String {
        let Self { table: Table { name, .. }, a, b, v, .. } = self;
        format!(
            "DELETE FROM {name} WHERE id = {b} AND {a} <> {b};
             UPDATE {name} SET id = {b}, v = {v} WHERE id = {a}"
        )
    }

    pub(super) fn swap_keys(&self) -> String {
        let Self { table: Table { name, has_numbers, .. }, a, b, .. } = self;
        let aside = if *has_numbers { "-1" } else { "'aside'" };
        format!(
            "UPDATE {name} SET id = {aside} WHERE id = {a}; UPDATE {name} SET id = {a} WHERE id = {b};
             UPDATE {name} SET id = {b} WHERE id = {aside}"
        )
    }

    pub(super) fn change_case(&self) -> String {
        let Self { table: Table { name, .. }, a, v, .. } = self;
        format!(
            "UPDATE OR IGNORE {name} SET v = {v},
                id = CASE id WHEN upper(id) THEN lower(id) ELSE upper(id) END WHERE id = {a}"
        )
    }

    pub(super) fn set_unique(&self, verb: &str) -> String {
        let Self { table, a, n, v, .. } = self;
        format!("{verb} {} SET u = {n}, v = {v} WHERE id = {a}", table.name)
    }

    /// Whoever has the value goes, and another row gets it.
    pub(super) fn hand_over(&self) -> String {
        let Self { table: Table { name, .. }, a, n, v, .. } = self;
        format!(
            "DELETE FROM {name} WHERE u = {n} AND id <> {a};
             UPDATE {name} SET u = {n}, v = {v} WHERE id = {a}"
        )
    }

    pub(super) fn swap_unique(&self) -> String {
        let Self { table: Table { name, .. }, a, b, .. } = self;
        format!(
            "CREATE TEMP TABLE s AS SELECT id, u FROM {name} WHERE id IN ({a}, {b});
             UPDATE {name} SET u = -1 - u WHERE id IN ({a}, {b}) AND (SELECT count(*) FROM s) = 2;
             UPDATE {name} SET u = (SELECT u FROM s WHERE s.id <> {name}.id)
                WHERE id IN ({a}, {b}) AND (SELECT count(*) FROM s) = 2;
             DROP TABLE s"
        )
    }

    /// Every row gets another place: one further on, or in the reverse order.
    pub(super) fn renumber(&self, in_reverse: bool) -> String {
        let name = self.table.name;
        let to = if in_reverse { "(SELECT max(u) FROM s) - (-1 - u)" } else { "-u" };
        format!(
            "CREATE TEMP TABLE s AS SELECT u FROM {name};
             UPDATE {name} SET u = -1 - u; UPDATE {name} SET u = {to}; DROP TABLE s"
        )
    }

    /// A row is made again under another key, its children are moved to it, and it goes.
    pub(super) fn merge(&self) -> String {
        let Self { schema, table: Table { name, .. }, a, b, v, .. } = self;
        let kept = [(self.has_u(), "u"), (self.table.parent.is_some(), "p")];
        let columns: String = kept
            .iter()
            .filter(|(is_kept, _)| *is_kept)
            .map(|(_, name)| format!(", {name}"))
            .collect();
        let aside = match self.has_u() {
            true => format!("UPDATE {name} SET u = -1 - u WHERE id = {a};"),
            false => String::new(),
        };
        let children = schema.tables.iter().filter(|child| child.parent == Some(*name));
        let moved: String = children
            .map(|child| format!("UPDATE {} SET p = {b} WHERE p = {a};", child.name))
            .collect();
        format!(
            "CREATE TEMP TABLE s AS SELECT * FROM {name} WHERE id = {a}; {aside}
             INSERT INTO {name}(id, v{columns}) SELECT {b}, {v}{columns} FROM s; {moved}
             DELETE FROM {name} WHERE id = {a}; DROP TABLE s"
        )
    }

    pub(super) fn move_to_parent(&self) -> String {
        let Self { table, a, p, v, .. } = self;
        format!("UPDATE {} SET p = {p}, v = {v} WHERE id = {a}", table.name)
    }
}
