//! What is done in the folder of a device, and written down.

use std::path::Path;

use fastrand::Rng;
use rusqlite::Connection;

use crate::drawn::operations::Script;
use crate::drawn::rows::{connect, read, read_all, version};
use crate::drawn::run::{Ran, run};
use crate::drawn::schema::Schema;
use crate::drawn::state::Drawn;

impl Drawn {
    /// The schema that a device has, and a connection to it.
    pub(super) fn device(&self, home: &Path) -> (Connection, &Schema) {
        let app = connect(home, self.schema(0).is_recursive);
        let schema = self.schema(version(&app));
        (app, schema)
    }

    /// Runs a transaction that leads from one schema to another.
    pub(super) fn run(
        &self,
        app: &Connection,
        home: &Path,
        from: &Schema,
        to: &Schema,
        script: &Script,
    ) -> Ran {
        let before = read(app, from);
        let ran = run(app, script, &|app| read_all(app, to));
        if ran.error.is_none() && !script.is_undone {
            self.wrote(&before, &read(app, to));
        }
        let device = home.file_name().unwrap_or_default().to_string_lossy();
        let end = match &ran.error {
            Some(error) => format!(" -- fails: {error}"),
            None if script.is_undone => " -- ROLLBACK".into(),
            None => String::new(),
        };
        self.tell(format!("{device}: {}{end}", script.sql.join("; ")));
        if let Some(difference) = &ran.difference {
            self.complain(format!("{}: {difference}", script.sql.join("; ")));
        }
        ran
    }

    pub(super) fn tool(&self, home: &Path, sql: &str) {
        let device = home.file_name().unwrap_or_default().to_string_lossy();
        self.tell(format!("{device}: {sql}"));
        if let Err(error) = connect(home, false).execute_batch(sql) {
            self.complain(format!("{sql}: {error}"));
        }
    }

    pub(super) fn drop_trigger(&self, home: &Path, seed: u64) {
        let app = connect(home, false);
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'
            AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\' ORDER BY name";
        let mut names = app.prepare(sql).unwrap();
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        if let Some(name) = names.get(Rng::with_seed(seed).usize(..names.len().max(1))) {
            self.tool(home, &format!("DROP TRIGGER \"{name}\""));
        }
    }
}
