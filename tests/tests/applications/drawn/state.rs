//! An application that was drawn, and what is remembered of its run.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use serde_json::{Map, Value};

use crate::application::Tree;
use crate::drawn::draw;
use crate::drawn::migrations::{self, Migration};
use crate::drawn::operations::parse;
use crate::drawn::schema::Schema;
use crate::drawn::shape::Role;
use crate::drawn::switches::Switches;
use crate::plan::Editors;

/// An application of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Drawn(Arc<All>);

#[derive(Debug)]
struct All {
    first: Schema,
    migrations: Vec<Migration>,
    /// Fields that all versions have, and that users write.
    stable: HashSet<String>,
    switches: Switches,
    run: Mutex<Run>,
}

#[derive(Debug, Default)]
struct Run {
    story: Vec<String>,
    complaint: Option<String>,
    /// The versions of which devices are compared: the first and the last.
    versions: (usize, usize),
    /// What the application wrote: a field and its value. A row that gets another key on a device that does
    /// not know a column takes its value along.
    written: HashSet<(String, String)>,
}

impl Drawn {
    pub(super) fn of_seed(seed: u64, editors: Editors) -> Self {
        let mut dice = Rng::with_seed(seed ^ 0x5ced_0000_0000);
        let switches = Switches::from_env(editors);
        let first = draw::schema(&mut dice, editors, &switches);
        let migrations = migrations::draw(&first, &mut dice, &switches);
        let last = migrations.last().map_or(&first, |migration| &migration.after);
        let stable = fields(&first).intersection(&fields(last)).cloned().collect();
        Self(Arc::new(All { first, migrations, stable, switches, run: Mutex::default() }))
    }

    pub(super) fn switches(&self) -> &Switches {
        &self.0.switches
    }

    pub(super) fn migrations(&self) -> &[Migration] {
        &self.0.migrations
    }

    /// The schema of a version.
    pub(super) fn schema(&self, version: usize) -> &Schema {
        let before = version.checked_sub(1).and_then(|before| self.0.migrations.get(before));
        before.map_or(&self.0.first, |migration| &migration.after)
    }

    pub(super) fn is_stable(&self, field: &str) -> bool {
        self.0.stable.contains(field)
    }

    fn state(&self) -> MutexGuard<'_, Run> {
        self.0.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self) {
        *self.state() = Run::default();
    }

    pub(super) fn tell(&self, text: String) {
        self.state().story.push(text);
    }

    /// The schema, and what happened.
    pub(super) fn told(&self) -> Vec<String> {
        let first = self.0.first.create();
        first.into_iter().chain(self.state().story.iter().cloned()).collect()
    }

    pub(super) fn complain(&self, text: String) {
        self.state().complaint.get_or_insert(text);
    }

    pub(super) fn complained(&self) -> Option<String> {
        self.state().complaint.clone()
    }

    /// The schemas of which devices are compared: the first and the last.
    pub(super) fn compared(&self) -> (&Schema, &Schema) {
        let (first, last) = self.state().versions;
        (self.schema(first), self.schema(last))
    }

    pub(super) fn compare(&self, first: usize, last: usize) {
        self.state().versions = (first, last);
    }

    /// The application turned its rows into others.
    pub(super) fn wrote(&self, before: &Tree, after: &Tree) {
        let mut state = self.state();
        for (id, text) in after.iter().filter(|(id, text)| before.get(*id) != Some(*text)) {
            let old = before.get(id).map(|text| fields_of(text)).unwrap_or_default();
            for (field, value) in fields_of(text) {
                if old.get(&field) != Some(&value) {
                    state.written.insert((field, value.to_string()));
                }
            }
        }
    }

    /// A value that the application did not write.
    pub(super) fn unwritten(&self, tree: &Tree) -> Option<String> {
        let state = self.state();
        let (first, last) = state.versions;
        let schemas: Vec<&Schema> = (first..=last).map(|version| self.schema(version)).collect();
        for (id, text) in tree {
            let Some((i, _)) = parse(schemas[0], id) else { continue };
            for (field, value) in fields_of(text) {
                let mut columns = schemas.iter().flat_map(|schema| schema.tables[i].synced());
                let is_it = |name: &str| name.to_ascii_lowercase() == field;
                let is_default = columns.any(|c| is_it(&c.name) && c.default == value);
                let found = (field, value.to_string());
                if !is_default && !state.written.contains(&found) {
                    return Some(format!("nobody wrote {found:?} of {id}"));
                }
            }
        }
        None
    }
}

fn fields_of(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn fields(schema: &Schema) -> HashSet<String> {
    let columns = schema.tables.iter().flat_map(|table| table.synced());
    let written = columns.filter(|column| column.role != Role::Derived);
    written.map(|column| column.name.to_ascii_lowercase()).collect()
}
