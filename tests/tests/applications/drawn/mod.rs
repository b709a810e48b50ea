//! Applications whose schemas are drawn from a seed, and change while their devices sync.
//!
//! Each statement of an application is run twice, first without our triggers: it must see the same.

mod cells;
mod clash;
mod columns;
mod draw;
mod home;
mod migrations;
mod operations;
mod rebuilds;
mod row;
mod rows;
mod run;
mod schema;
mod shape;
mod state;
mod statements;
mod switches;
mod triggers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::StateStore;
use db_to_cloud::{Conflict, Database, DocumentId, Resolution};
use db_to_cloud_sqlite::{SqliteDatabase, Table};
use fastrand::Rng;
use serde_json::{Map, Value};

use crate::application::{Application, Tree};
use crate::drawn::clash::clash;
use crate::drawn::operations::{Op, Script, Tool, parse};
use crate::drawn::rows::{common, connect, fault, file, fitted, read, version};
use crate::drawn::shape::{Form, Role};
use crate::drawn::state::Drawn;
use crate::plan::Editors;
use crate::seeds::play_each;

#[async_trait]
impl Application for Drawn {
    type Op = Op;

    fn name(&self) -> String {
        "drawn tables".into()
    }

    fn any(&self, dice: &mut Rng, is_first: bool) -> Op {
        let seed = dice.u64(..);
        if is_first || dice.u8(..12) > 0 || !self.switches().has("tools") {
            return Op::Drawn { seed, is_first };
        }
        let all = [Tool::Vacuum, Tool::DropTrigger, Tool::Swap, Tool::Index];
        Op::Tool { what: all[dice.usize(..4)], seed }
    }

    fn edit_of(&self, id: &DocumentId, text: &str) -> Op {
        Op::text(id, text)
    }

    fn create(&self, home: &Path) {
        std::fs::create_dir(home).unwrap();
        let app = connect(home, false);
        app.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        for sql in self.schema(0).create() {
            app.execute_batch(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        }
    }

    async fn open(&self, home: &Path) -> (Arc<dyn Database>, Arc<dyn StateStore>) {
        let (_, schema) = self.device(home);
        let mut database = SqliteDatabase::builder(file(home));
        for table in &schema.tables {
            let name = Table::new(&table.name);
            database = database.with_table(match table.form {
                Form::Beside => {
                    let synced = table.synced().map(|column| column.name.clone());
                    name.with_id(table.of_role(Role::Key).map(|key| key.name.clone()))
                        .with_columns(synced)
                }
                _ => name,
            });
        }
        let database = database.open().unwrap();
        let state = database.state("cloud").await.unwrap();
        (Arc::new(database), Arc::new(state))
    }

    fn make(&self, home: &Path, op: &Op) {
        let (app, schema) = self.device(home);
        match op {
            Op::Tool { what: Tool::Vacuum, .. } => self.tool(home, "VACUUM"),
            Op::Tool { what: Tool::DropTrigger, seed } => self.drop_trigger(home, *seed),
            _ => {
                self.run(&app, home, schema, schema, &op.script(schema));
            }
        }
    }

    fn read(&self, home: &Path) -> Tree {
        let (app, schema) = self.device(home);
        let transaction = app.unchecked_transaction().unwrap();
        read(&transaction, schema)
    }

    /// What users write, and every version has.
    fn essence(&self, text: &str) -> String {
        let mut row: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        row.retain(|field, _| self.is_stable(field));
        Value::from(row).to_string()
    }

    fn folded(&self, tree: Tree) -> Tree {
        let (first, last) = self.compared();
        let fold = |(id, text): (String, String)| {
            let text = common(first, &id, &fitted(last, &id, &text));
            (id, text)
        };
        tree.into_iter().map(fold).collect()
    }

    fn in_storage(&self, tree: Tree) -> Tree {
        self.folded(tree)
    }

    fn clash(&self, one: (&str, &str), other: (&str, &str)) -> bool {
        clash(self.compared().1, one, other)
    }

    fn parent(&self, id: &str, text: &str) -> Option<String> {
        let (_, schema) = self.compared();
        let (i, _) = parse(schema, id)?;
        let row: Map<String, Value> = serde_json::from_str(text).ok()?;
        let column = schema.tables[i].of_role(Role::Parent).next()?;
        let key = row.get(&column.name.to_ascii_lowercase()).filter(|key| !key.is_null())?;
        let parent = schema.tables[schema.tables[i].parent?].name.to_lowercase();
        Some(Value::from(vec![Value::from(parent), key.clone()]).to_string())
    }

    fn has_actions(&self) -> bool {
        self.schema(0).tables.iter().any(|table| table.parent.is_some())
    }

    fn fault(&self, home: &Path) -> Option<String> {
        let (app, schema) = self.device(home);
        fault(&app, schema)
    }

    fn decide(&self, conflict: &Conflict) -> Resolution {
        match (&conflict.local, &conflict.remote) {
            (Some(local), Some(remote)) if local.bytes > remote.bytes => Resolution::KeepLocal,
            (Some(_), None) => Resolution::KeepLocal,
            _ => Resolution::TakeRemote,
        }
    }

    fn begin(&self) {
        self.forget();
    }

    fn note(&self, text: &str) {
        self.tell(text.to_owned());
    }

    fn story(&self) -> Vec<String> {
        self.told()
    }

    fn complaint(&self) -> Option<String> {
        self.complained()
    }

    fn versions(&self) -> usize {
        self.migrations().len()
    }

    fn version_of(&self, home: &Path) -> usize {
        version(&connect(home, false))
    }

    fn can_wait(&self, version: usize) -> bool {
        self.migrations().get(version).is_none_or(|migration| migration.can_wait)
    }

    fn compare(&self, first: usize, last: usize) {
        Drawn::compare(self, first, last);
    }

    fn migrated(&self, home: &Path, before: Tree) -> Tree {
        let (_, schema) = self.device(home);
        let fit = |(id, text): (String, String)| {
            let text = fitted(schema, &id, &text);
            (id, text)
        };
        before.into_iter().map(fit).collect()
    }

    fn needs_all(&self, version: usize) -> bool {
        self.migrations().get(version).is_some_and(|migration| migration.is_together)
    }

    fn upgrade(&self, home: &Path) {
        let app = connect(home, self.schema(0).is_recursive);
        let from = version(&app);
        let Some(migration) = self.migrations().get(from) else { return };
        let mut sql = migration.sql.clone();
        sql.push(format!("PRAGMA user_version = {}", from + 1));
        let script = Script { sql, is_loose: true, is_undone: false };
        let ran = self.run(&app, home, self.schema(from), &migration.after, &script);
        if let Some(error) = ran.error {
            self.complain(format!("an upgrade fails: {error}"));
        }
    }

    /// One that names the columns which are synced must.
    fn restarts(&self, version: usize) -> bool {
        let names = self.schema(0).tables.iter().any(|table| table.form == Form::Beside);
        names || version.is_multiple_of(2)
    }

    fn unheard_of(&self, tree: &Tree) -> Option<String> {
        self.unwritten(tree)
    }
}

fn drawn(editors: Editors) -> impl Fn(u64) -> Vec<Drawn> {
    move |seed| vec![Drawn::of_seed(seed, editors)]
}

#[test]
fn one_device_at_a_time_edits_drawn_tables() {
    play_each(drawn(Editors::One), Editors::One, 50, None::<&PathBuf>);
}

#[test]
fn all_devices_edit_drawn_tables() {
    play_each(drawn(Editors::All), Editors::All, 50, None::<&PathBuf>);
}
