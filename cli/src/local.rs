//! This device's side: the folder or the tables, and the state for one storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::format::About;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Adapter, Client, LocalWins};
use db_to_cloud_folder::FolderDatabase;
use db_to_cloud_sqlite::SqliteState;

use crate::args::Sides;
use crate::failure::Failure;
use crate::remote::{self, Remote};
use crate::side::{Side, StateFile};
use crate::tables;

/// The folder in the database that is never synced.
pub(crate) const STATE_FOLDER: &str = ".db-to-cloud";
/// The file in it with the state of this device.
pub(crate) const STATE_FILE: &str = "state.sqlite";

/// A folder or tables, opened for one storage.
#[derive(Debug)]
pub(crate) struct Local {
    pub side: Side,
    pub state: Arc<SqliteState>,
    pub remote: Remote,
    state_file: StateFile,
}

impl Local {
    /// Finds both sides and opens this one. The storage is not touched.
    pub(crate) async fn open(sides: &Sides) -> Result<Self, Failure> {
        Self::open_for(sides, false).await
    }

    /// The same to look what a sync would do: nothing is put into a database that is not synced yet.
    pub(crate) async fn look(sides: &Sides) -> Result<Self, Failure> {
        Self::open_for(sides, true).await
    }

    async fn open_for(sides: &Sides, is_look: bool) -> Result<Self, Failure> {
        let root = find(&sides.database, sides.tables.is_any())?;
        let remote = sides.storage.resolve()?;
        remote.check_apart_from(&root)?;
        match root.is_dir() {
            true => Self::open_folder(root, remote),
            false => Self::open_tables(root, remote, sides, is_look).await,
        }
    }

    fn open_folder(root: PathBuf, remote: Remote) -> Result<Self, Failure> {
        let side = Side::Folder(Arc::new(FolderDatabase::open(&root)?));
        let state_file = StateFile::Own(root.join(STATE_FOLDER).join(STATE_FILE));
        let state = Arc::new(state_file.open(&remote.name())?);
        Ok(Self { side, state, remote, state_file })
    }

    /// The state is in the database: a backup has both.
    async fn open_tables(
        path: PathBuf,
        remote: Remote,
        sides: &Sides,
        is_look: bool,
    ) -> Result<Self, Failure> {
        let name = remote.name();
        let look_for = Some(&*name).filter(|_| is_look);
        let database = Arc::new(tables::open(&path, &sides.tables, look_for)?);
        let state = Arc::new(database.state(&remote.name()).await?);
        let state_file = StateFile::Within(path.clone());
        Ok(Self { side: Side::Tables(database, path), state, remote, state_file })
    }

    /// Opens the storage; a new one is made, unless there was one before, or the place is used for
    /// something else and that is not accepted.
    pub(crate) async fn open_remote(&self, accept: bool) -> Result<Arc<dyn Adapter>, Failure> {
        self.check_remote().await?;
        // What was a storage before and is none now is not another program's: the sync says what it lost.
        if !accept
            && let Err(not_free) = self.remote.check_free()
            && !self.was_synced().await?
        {
            return Err(not_free);
        }
        remote::open(&self.remote, Some(&self.state_file)).await
    }

    /// Opens the storage to look at it: one that does not exist is not made, but stands for an
    /// empty one.
    pub(crate) async fn look_at_remote(&self) -> Result<Arc<dyn Adapter>, Failure> {
        self.check_remote().await?;
        if self.remote.holds_storage() {
            // What an adapter would remember is not put into a database that is only looked at.
            let state = Some(&self.state_file).filter(|_| !self.side.is_tables());
            return remote::open(&self.remote, state).await;
        }
        Ok(Arc::new(MemoryAdapter::new()))
    }

    /// A storage that is gone altogether is a drive that is not mounted, not a new storage.
    async fn check_remote(&self) -> Result<(), Failure> {
        if !self.remote.is_gone() || !self.was_synced().await? {
            return Ok(());
        }
        Err(Failure::RemoteGone(self.remote.name()))
    }

    /// Whether this device remembers anything of the storage.
    async fn was_synced(&self) -> Result<bool, Failure> {
        let nowhere = Arc::new(MemoryAdapter::new());
        let client = self.client(nowhere, Arc::new(LocalWins)).build();
        let status = client.status().await?;
        Ok(status.version > 0 || status.documents > 0 || status.unsettled)
    }

    /// The beginnings of a client.
    pub(crate) fn client(
        &self,
        adapter: Arc<dyn Adapter>,
        resolver: Arc<dyn db_to_cloud::Resolver>,
    ) -> db_to_cloud::ClientBuilder {
        let kind = if self.side.is_tables() { "rows" } else { "files" };
        let about = About { kind: Some(kind.to_owned()), ..About::default() };
        Client::builder(adapter, self.side.database(), self.state.clone(), resolver)
            .with_about(about)
    }
}

/// The true path of the database, which must exist: a missing one is not an empty one.
pub(crate) fn find(path: &Path, wants_tables: bool) -> Result<PathBuf, Failure> {
    let root = match path.canonicalize() {
        Ok(root) => root,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && wants_tables => {
            return Err(Failure::NoFile(path.to_owned()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::NoDatabase(path.to_owned()));
        }
        Err(error) => return Err(Failure::io(format!("look for the database {path:?}"))(error)),
    };
    if !root.is_dir() {
        return match root.is_file() && tables::is_database(&root)? {
            true => Ok(root),
            false => Err(Failure::NotADatabase(root)),
        };
    }
    if wants_tables {
        return Err(Failure::Usage(format!("{root:?} is a folder and has no tables")));
    }
    match remote::looks_like_storage(&root) {
        true => Err(Failure::Usage(format!(
            "{root:?} is a storage, not a database: give the database first, then the remote"
        ))),
        false => Ok(root),
    }
}
