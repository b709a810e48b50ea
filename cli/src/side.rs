//! What is synced on this device: the files of a folder, or the tables of a SQLite file.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::{Database, DocumentId, Timestamp};
use db_to_cloud_folder::{FolderDatabase, Selection, Skipped};
use db_to_cloud_sqlite::{SqliteDatabase, SqliteState};

use crate::failure::Failure;

/// The database of this device.
#[derive(Clone, Debug)]
pub(crate) enum Side {
    Folder(Arc<FolderDatabase>),
    /// The tables of the file with this path.
    Tables(Arc<SqliteDatabase>, PathBuf),
}

impl Side {
    pub(crate) fn database(&self) -> Arc<dyn Database> {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Tables(tables, _) => tables.clone(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.root(),
            Self::Tables(_, path) => path,
        }
    }

    pub(crate) fn is_tables(&self) -> bool {
        matches!(self, Self::Tables(..))
    }

    /// When a document was edited here; nobody knows it of a row.
    pub(crate) fn modified(&self, id: &DocumentId) -> Option<Timestamp> {
        match self {
            Self::Folder(folder) => folder.modified(id),
            Self::Tables(..) => None,
        }
    }

    /// Which files are no documents.
    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        match self {
            Self::Folder(folder) => folder.skipped(),
            Self::Tables(..) => Vec::new(),
        }
    }

    /// Which files this device syncs; `None` if that is everything there is.
    pub(crate) fn selection(&self) -> Result<Option<Selection>, Failure> {
        match self {
            Self::Folder(folder) => Ok(Some(folder.selection()?).filter(|s| !s.is_everything())),
            Self::Tables(..) => Ok(None),
        }
    }

    /// Files that arrived since the last look and may be executed.
    pub(crate) fn take_executables(&self) -> Vec<String> {
        match self {
            Self::Folder(folder) => folder.take_executables(),
            Self::Tables(..) => Vec::new(),
        }
    }

    /// What stays out beside that which the report of a sync names.
    pub(crate) async fn left_out(&self) -> Result<LeftOut, Failure> {
        let waiting = match self {
            Self::Folder(_) => Waiting::default(),
            Self::Tables(tables, _) => Waiting {
                held: tables.held().await?,
                for_others: tables.held_for_others().await?,
                aside: tables.set_aside().await?,
            },
        };
        Ok(LeftOut { skipped: self.skipped(), waiting })
    }
}

/// What is not synced and is no document that was set aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// What lies in a folder and is no document.
    pub skipped: Vec<Skipped>,
    /// What is not in the tables as it should be.
    pub waiting: Waiting,
}

impl LeftOut {
    /// Whether somebody has to look.
    pub(crate) fn needs_look(&self) -> bool {
        self.skipped.iter().any(|skipped| skipped.reason.needs_look())
            || self.waiting.is_incomplete()
    }
}

/// What waits for rows, or for a table that can be synced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Documents that are kept, but are no rows yet.
    pub held: Vec<DocumentId>,
    /// Those of them that refer to a row which has not come.
    pub for_others: Vec<DocumentId>,
    /// Tables that cannot be synced now, and why.
    pub aside: BTreeMap<String, String>,
}

impl Waiting {
    /// Documents whose table is not there, or is not synced.
    pub(crate) fn without_table(&self) -> impl Iterator<Item = &DocumentId> {
        let for_others: HashSet<_> = self.for_others.iter().collect();
        self.held.iter().filter(move |id| !for_others.contains(id))
    }

    /// Whether somebody has to look: a table that this version of the application lacks is none of it.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.for_others.is_empty() || !self.aside.is_empty()
    }
}

/// The file with this device's state.
#[derive(Clone, Debug)]
pub(crate) enum StateFile {
    /// It holds nothing else.
    Own(PathBuf),
    /// It is the database itself.
    Within(PathBuf),
}

impl StateFile {
    /// Opens the records of this name.
    pub(crate) fn open(&self, name: &str) -> Result<SqliteState, Failure> {
        let (path, state) = match self {
            Self::Own(path) => (path, SqliteState::open(path, name)),
            Self::Within(path) => (path, SqliteState::open_within(path, name)),
        };
        state.map_err(|source| Failure::State { path: path.clone(), source })
    }
}
