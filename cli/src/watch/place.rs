//! The watched folder itself: its drive is unmounted, it is moved away, or another folder takes its place.
//! The watch waits until it is back, and then begins anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use db_to_cloud_folder::FolderDatabase;
use tokio::time::sleep;

use crate::args::Sides;
use crate::local::{Local, STATE_FILE, STATE_FOLDER};
use crate::output::note;
use crate::side::Side;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The folder; none if tables are watched.
#[derive(Clone)]
pub(super) struct Place(Option<Arc<FolderDatabase>>);

impl Place {
    pub(super) fn of(side: &Side) -> Self {
        match side {
            Side::Folder(folder) => Self(Some(folder.clone())),
            Side::Tables(..) => Self(None),
        }
    }

    /// Returns when the folder is not at its path any more.
    pub(super) async fn lost(&self) -> PathBuf {
        loop {
            if let Some(path) = self.missing().await {
                return path;
            }
            sleep(LOOK).await;
        }
    }

    /// The path of the folder, if it is not there now.
    pub(super) async fn missing(&self) -> Option<PathBuf> {
        let folder = self.0.clone()?;
        let path = folder.root().to_owned();
        // A network share may not answer for long.
        let checked = tokio::task::spawn_blocking(move || folder.check()).await;
        matches!(checked, Ok(Err(_))).then_some(path)
    }
}

/// Opens the folder again when it is back. An empty one in its place may be the mount point of a drive that is
/// not there: it must be one that was synced before.
pub(super) async fn open_again(sides: &Sides, path: &Path) -> Local {
    let state = path.join(STATE_FOLDER).join(STATE_FILE);
    let mut told = None;
    loop {
        let state = state.clone();
        let is_there = tokio::task::spawn_blocking(move || state.is_file()).await;
        if matches!(is_there, Ok(true)) {
            match Local::open(sides).await {
                Ok(local) => return local,
                Err(failure) if told.as_ref() != Some(&failure.to_string()) => {
                    note(format_args!(
                        "cannot open it again: {failure}; it is tried until it works"
                    ));
                    told = Some(failure.to_string());
                }
                Err(_) => {}
            }
        }
        sleep(LOOK).await;
    }
}
