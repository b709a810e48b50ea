//! A drawn schema, and the statements that make it.
//!
//! Statements are templates, because a migration may rename a column: `{2}` is the third table,
//! `{2.v}` its column `v`. A column's tag stays; its name is unique among all tables.

use crate::drawn::shape::Table;

/// Everything in the file of an application.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) tables: Vec<Table>,
    /// Tables that are not synced, and views: names and templates.
    pub(super) others: Vec<(String, String)>,
    pub(super) views: Vec<(String, String)>,
    pub(super) triggers: Vec<(String, String)>,
    /// Questions to which every answer must be 0; templates.
    pub(super) checks: Vec<String>,
    /// Names of FTS5 tables.
    pub(super) indexes: Vec<String>,
    /// Whether the application uses `recursive_triggers`.
    pub(super) is_recursive: bool,
    /// Whether the application replaces rows.
    pub(super) replaces: bool,
}

impl Schema {
    /// Fills in the names.
    pub(super) fn render(&self, template: &str) -> String {
        let mut sql = template.to_owned();
        for (i, table) in self.tables.iter().enumerate() {
            sql = sql.replace(&format!("{{{i}}}"), &format!("\"{}\"", table.name));
            for column in &table.columns {
                sql = sql
                    .replace(&format!("{{{i}.{}}}", column.tag), &format!("\"{}\"", column.name));
            }
        }
        sql
    }

    /// The statement that makes a table, perhaps under another name.
    pub(super) fn create_table(&self, i: usize, name: &str) -> String {
        let table = &self.tables[i];
        let columns = table.columns.iter().map(|column| column.sql(table.strict));
        let parts: Vec<String> = columns.chain(table.constraints.iter().cloned()).collect();
        let options = [(table.without_rowid, "WITHOUT ROWID"), (table.strict, "STRICT")];
        let options: Vec<&str> =
            options.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        self.render(&format!(
            "CREATE TABLE \"{name}\"({}) {}",
            parts.join(", "),
            options.join(", ")
        ))
    }

    /// The statements that make views and triggers.
    pub(super) fn create_around(&self) -> Vec<String> {
        let all = self.views.iter().chain(&self.triggers);
        all.map(|(_, template)| self.render(template)).collect()
    }

    /// The statements that drop them.
    pub(super) fn drop_around(&self) -> Vec<String> {
        let triggers = self.triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name}"));
        triggers.chain(self.views.iter().map(|(name, _)| format!("DROP VIEW {name}"))).collect()
    }

    pub(super) fn create_indexes(&self, i: usize) -> Vec<String> {
        self.tables[i].indexes.iter().map(|(_, template)| self.render(template)).collect()
    }

    /// The statements that make everything.
    pub(super) fn create(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (i, table) in self.tables.iter().enumerate() {
            all.push(self.create_table(i, &table.name));
            all.extend(self.create_indexes(i));
        }
        all.extend(self.others.iter().map(|(_, template)| self.render(template)));
        all.extend(self.create_around());
        all
    }

    /// Which tables have rows that refer to this one.
    pub(super) fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let parents = self.tables.iter().enumerate();
        parents.filter(move |(_, table)| table.parent == Some(of)).map(|(i, _)| i)
    }
}
