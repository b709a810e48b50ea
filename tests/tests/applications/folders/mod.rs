//! People who work in a folder with a file manager and an editor.

mod blind;
mod operations;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::StateStore;
use db_to_cloud::{Conflict, Database, DocumentId, Resolution};
use db_to_cloud_folder::FolderDatabase;
use db_to_cloud_sqlite::SqliteState;
use fastrand::Rng;

use crate::application::{Application, Tree, id_text};
use crate::folders::operations::Operation;
use crate::plan::Editors;
use crate::seeds::play_all;

/// A folder of files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folder {
    /// Whether a device has a file system that ignores case: then nobody makes two names that differ
    /// in case only.
    pub(crate) is_blind: bool,
}

#[async_trait]
impl Application for Folder {
    type Op = Operation;

    fn name(&self) -> String {
        "a folder".to_owned()
    }

    fn any(&self, dice: &mut Rng, is_first: bool) -> Operation {
        Operation::any(dice, is_first)
    }

    fn edit_of(&self, id: &DocumentId, text: &str) -> Operation {
        Operation::Write { path: id_text(id), text: text.to_owned() }
    }

    fn create(&self, home: &Path) {
        fs::create_dir(home).unwrap();
    }

    async fn open(&self, home: &Path) -> (Arc<dyn Database>, Arc<dyn StateStore>) {
        let database = FolderDatabase::open(home).unwrap();
        let state = SqliteState::open(database.state_dir().join("state.sqlite"), "cloud").unwrap();
        (Arc::new(database), Arc::new(state))
    }

    fn make(&self, home: &Path, op: &Operation) {
        op.make(home, self.is_blind);
    }

    fn read(&self, home: &Path) -> Tree {
        let mut tree = Tree::new();
        read_into(&mut tree, home, "");
        tree
    }

    /// The blind device may keep the old spelling.
    fn folded(&self, tree: Tree) -> Tree {
        if !self.is_blind {
            return tree;
        }
        tree.into_iter().map(|(path, text)| (path.to_lowercase(), text)).collect()
    }

    /// A file where the other one has a folder.
    fn clash(&self, (one, _): (&str, &str), (other, _): (&str, &str)) -> bool {
        let is_in = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        is_in(one, other) || is_in(other, one)
    }

    /// Both versions are kept; an edit wins over a delete.
    fn decide(&self, conflict: &Conflict) -> Resolution {
        match (&conflict.local, &conflict.remote) {
            (Some(local), Some(_)) => {
                let revision = local.revision.as_str();
                let label = &revision[..revision.len().min(8)];
                let copy = format!("{} (conflict {label})", id_text(&conflict.id));
                Resolution::KeepBoth { copy: copy.into() }
            }
            (Some(_), None) => Resolution::KeepLocal,
            (None, _) => Resolution::TakeRemote,
        }
    }
}

fn read_into(tree: &mut Tree, folder: &Path, prefix: &str) {
    // A sync may take a folder away while an operation during it is compared.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with(".db-to-cloud") {
            continue;
        }
        let (path, id) = (entry.path(), format!("{prefix}{name}"));
        if path.is_dir() {
            read_into(tree, &path, &format!("{id}/"));
        } else if let Ok(text) = fs::read_to_string(&path) {
            tree.insert(id, text);
        }
    }
}

#[test]
fn one_device_at_a_time_works_in_a_folder() {
    play_all(&[Folder { is_blind: false }], Editors::One, 100, None);
}

#[test]
fn all_devices_work_in_a_folder() {
    play_all(&[Folder { is_blind: false }], Editors::All, 100, None);
}
