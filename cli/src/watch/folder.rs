//! Finds the edits of this device. The system tells that something changed; what it was is found by
//! comparing the folder with what was last synced, as at the start of each sync. So nothing rests on
//! each single notice, the brake for deletes holds, and neither the files that a sync writes nor
//! those that are ignored are taken for edits.
//!
//! | file | what it does |
//! |---|---|
//! | `notices` | what the system told, and when it is time to compare |
//! | `tree` | which folders the system is asked to watch |
//! | `mounts` | file systems that are mounted inside the folder, come and go |
//! | `shared` | file systems that other machines write to, of which the system does not tell |

mod mounts;
mod notices;
mod shared;
mod tree;

use std::io::PipeWriter;
use std::sync::Arc;

use db_to_cloud::{Client, ErrorKind};
use db_to_cloud_folder::FolderDatabase;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Turn;
use crate::progress::Progress;
use mounts::Mounts;
use notices::{DISTRUST, Notices};
use tree::Tree;

/// At most this part of the time is spent with comparing: a large folder in which something changes
/// all the time must not keep the disk busy.
const SHARE: u32 = 10;

/// Watches the folder until it is dropped.
pub(super) struct FolderWatch {
    task: JoinHandle<()>,
    /// Ends the notices of mounts when it is dropped.
    _mounts: Option<PipeWriter>,
}

impl FolderWatch {
    /// Starts to watch: what is edited after this has returned is found.
    pub(super) async fn start(
        database: Arc<FolderDatabase>,
        client: Client,
        turn: Turn,
        shown: Progress,
    ) -> Self {
        let notices = Arc::new(Notices::new(shown));
        let root = database.root().to_owned();
        let tree = Tree::start(database, notices.clone());
        // Before the first look, so that a change after it is seen.
        let noticed = mounts::notice(&root, notices.clone());
        let mut mounts = Mounts::of(root).await;
        mounts.tell_shared(&notices);
        tree.watch_anew().await;
        let watch = Watch { notices, tree, mounts, client, turn };
        Self { task: tokio::spawn(watch.compare_for_ever()), _mounts: noticed }
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watch {
    notices: Arc<Notices>,
    tree: Tree,
    mounts: Mounts,
    client: Client,
    turn: Turn,
}

impl Watch {
    async fn compare_for_ever(mut self) {
        let mut watched = Instant::now();
        loop {
            self.notices.next().await;
            self.look_at_mounts().await;
            // Perhaps it can tell everything again.
            let retry = self.notices.is_blind() && watched.elapsed() > DISTRUST;
            if self.notices.take_stale() || retry {
                self.tree.watch_anew().await;
                watched = Instant::now();
            }
            let began = Instant::now();
            self.compare().await;
            sleep(began.elapsed() * SHARE).await;
        }
    }

    async fn compare(&self) {
        let _turn = self.turn.lock().await;
        match self.client.compare().await {
            // What differs is queued, which the watch of the client sees.
            Ok(_) => {}
            // Another process syncs, and may have come by already: again, a moment later.
            Err(error) if error.kind() == ErrorKind::Busy => self.notices.changed(),
            // The next sync compares again, and tells what is wrong.
            Err(_) => self.client.compare_at_next_sync(),
        }
    }

    /// What is mounted on a folder hides it: other folders than before have to be watched.
    async fn look_at_mounts(&mut self) {
        if self.notices.take_mounts() && self.mounts.look(&self.notices).await {
            self.notices.set_stale();
            self.mounts.tell_shared(&self.notices);
        }
    }
}
