//! Finds the edits of this device. The system tells that something changed; what it was is found by
//! comparing the folder with what was last synced, as at the start of each sync. So nothing rests on
//! each single notice, the brake for deletes holds, and neither the files that a sync writes nor
//! those that are ignored are taken for edits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use db_to_cloud::{Client, ErrorKind};
use db_to_cloud_folder::FolderDatabase;
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::Turn;
use crate::output::note;

/// So long after a change without another one the folder is compared,
const QUIET: Duration = Duration::from_secs(1);
/// and after so long if there is always another one.
const LONGEST: Duration = Duration::from_secs(10);
/// Where files go away it waits longer for the end: the brake for deletes must see all of them at once.
const LONGEST_DELETE: Duration = Duration::from_secs(60);
/// Without any notice the folder is compared so often: no system tells everything, such as what other
/// machines do in a folder of a network share;
const DISTRUST: Duration = Duration::from_secs(600);
/// and so often where the system tells nothing.
const BLIND: Duration = Duration::from_secs(30);
/// At most this part of the time is spent with comparing: a large folder in which something changes
/// all the time must not keep the disk busy.
const SHARE: u32 = 10;

/// Watches the folder until it is dropped.
pub(super) struct FolderWatch {
    task: JoinHandle<()>,
    /// Ends the notices when it is dropped.
    _watcher: Option<RecommendedWatcher>,
}

/// What the system told.
#[derive(Debug, Default)]
struct Notices {
    changed: Notify,
    /// Something went away since the last comparison.
    removed: AtomicBool,
    /// It cannot tell everything any more, such as beyond the limit for watched folders.
    blind: AtomicBool,
}

impl FolderWatch {
    /// Starts to watch: what is edited after this has returned is found.
    pub(super) async fn start(database: Arc<FolderDatabase>, client: Client, turn: Turn) -> Self {
        let notices = Arc::new(Notices::default());
        let watched = {
            let (database, notices) = (database.clone(), notices.clone());
            // It walks through all folders.
            tokio::task::spawn_blocking(move || watch(&database, &notices)).await
        };
        let watcher = match watched {
            Ok(Ok(watcher)) => Some(watcher),
            Ok(Err(error)) => {
                notices.lose(&error);
                None
            }
            Err(_) => None,
        };
        if watcher.is_none() {
            notices.blind.store(true, Relaxed);
        }
        let task = tokio::spawn(compare_for_ever(notices, client, turn));
        Self { task, _watcher: watcher }
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn watch(
    database: &Arc<FolderDatabase>,
    notices: &Arc<Notices>,
) -> notify::Result<RecommendedWatcher> {
    let (notices, folder) = (notices.clone(), database.clone());
    let told = move |event: notify::Result<Event>| {
        match &event {
            Err(error) => notices.lose(error),
            Ok(event) if !may_be_an_edit(event, &folder) => return,
            Ok(event) if is_removal(event) => notices.removed.store(true, Relaxed),
            Ok(_) => {}
        }
        notices.changed.notify_one();
    };
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(told, config)?;
    watcher.watch(database.root(), RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Reading is not, which the comparison itself does.
fn may_be_an_edit(event: &Event, folder: &FolderDatabase) -> bool {
    let reading = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    let concerned = event.paths.iter().any(|path| folder.concerns_documents(path));
    event.need_rescan() || !reading && (concerned || event.paths.is_empty())
}

fn is_removal(event: &Event) -> bool {
    let away = EventKind::Modify(ModifyKind::Name(RenameMode::From));
    event.kind.is_remove() || event.kind == away
}

impl Notices {
    fn lose(&self, error: &notify::Error) {
        if !self.blind.swap(true, Relaxed) {
            note(format_args!(
                "the system does not tell of all changes in the folder: it is compared every {} s \
                 ({error})",
                BLIND.as_secs()
            ));
        }
    }

    /// Returns when something changed and all is quiet again, or when it is time to look in any case.
    async fn next(&self) {
        let patience = if self.blind.load(Relaxed) { BLIND } else { DISTRUST };
        let mut changed = timeout(patience, self.changed.notified()).await.is_ok();
        let began = Instant::now();
        while changed {
            let removed = self.removed.load(Relaxed);
            let longest = if removed { LONGEST_DELETE } else { LONGEST };
            let again = timeout(QUIET, self.changed.notified()).await.is_ok();
            changed = again && began.elapsed() < longest;
        }
        self.removed.store(false, Relaxed);
    }
}

async fn compare_for_ever(notices: Arc<Notices>, client: Client, turn: Turn) {
    loop {
        notices.next().await;
        let turn = turn.lock().await;
        let began = Instant::now();
        match client.compare().await {
            // What differs is queued, which the watch of the client sees.
            Ok(_) => {}
            // Another process syncs, and may have come by already: again, a moment later.
            Err(error) if error.kind() == ErrorKind::Busy => notices.changed.notify_one(),
            // The next sync compares again, and tells what is wrong.
            Err(_) => client.compare_at_next_sync(),
        }
        drop(turn);
        sleep(began.elapsed() * SHARE).await;
    }
}
