//! What the system told of the folder, and when it is time to compare.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use db_to_cloud_folder::FolderDatabase;
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::output::note;
use crate::progress::Progress;

/// So long after a change without another one the folder is compared,
const QUIET: Duration = Duration::from_secs(1);
/// and so long after a mount came or went: one that is made again, as after a loose cable or a restart of
/// its program, is back by then.
const MOUNT_QUIET: Duration = Duration::from_secs(5);
/// After so long it is compared if there is always another change.
const LONGEST: Duration = Duration::from_secs(10);
/// Where files go away it waits longer for the end: the brake for deletes must see all of them at once.
const LONGEST_DELETE: Duration = Duration::from_secs(60);
/// Without any notice the folder is compared so often: no system tells everything;
pub(super) const DISTRUST: Duration = Duration::from_secs(600);
/// and so often where the system cannot tell everything.
pub(super) const BLIND: Duration = Duration::from_secs(30);

/// What the system told.
#[derive(Debug)]
pub(super) struct Notices {
    changed: Notify,
    /// Something went away since the last comparison.
    removed: AtomicBool,
    /// File systems were mounted or unmounted somewhere since the last comparison.
    mounts: AtomicBool,
    /// Some notices are lost, perhaps those of new folders: all folders have to be watched anew.
    stale: AtomicBool,
    /// The system cannot watch all folders, such as beyond its limit.
    blind: AtomicBool,
    /// The system does not tell what other machines do in a part of the folder.
    shared: AtomicBool,
    shown: Progress,
}

impl Notices {
    pub(super) fn new(shown: Progress) -> Self {
        Self {
            changed: Notify::new(),
            removed: AtomicBool::default(),
            mounts: AtomicBool::default(),
            stale: AtomicBool::default(),
            blind: AtomicBool::default(),
            shared: AtomicBool::default(),
            shown,
        }
    }

    /// Takes what the system told. Whether it is of a change.
    pub(super) fn hear(&self, event: &notify::Result<Event>, folder: &FolderDatabase) -> bool {
        match event {
            Err(error) => self.lose(error),
            // The queue of events overflowed.
            Ok(event) if event.need_rescan() => self.set_stale(),
            Ok(event) if !may_be_an_edit(event, folder) => return false,
            Ok(event) if is_removal(event) => self.removed.store(true, Relaxed),
            Ok(_) => {}
        }
        self.changed();
        true
    }

    /// An error of watching.
    pub(super) fn lose(&self, error: &notify::Error) {
        match error.kind {
            ErrorKind::MaxFilesWatch => self.set_blind(error),
            // A single look failed.
            _ => self.set_stale(),
        }
    }

    /// The folder cannot be watched as a whole; it is told once.
    pub(super) fn set_blind(&self, error: &notify::Error) {
        if !self.blind.swap(true, Relaxed) {
            self.tell(format!(
                "the system does not tell of all changes in the folder: it is compared every {} s ({error})",
                BLIND.as_secs()
            ));
        }
    }

    /// All folders are watched.
    pub(super) fn set_seeing(&self) {
        self.blind.store(false, Relaxed);
    }

    pub(super) fn is_blind(&self) -> bool {
        self.blind.load(Relaxed)
    }

    /// Whether a part of the folder is on a file system that other machines write to.
    pub(super) fn set_shared(&self, is_shared: bool) {
        self.shared.store(is_shared, Relaxed);
    }

    pub(super) fn set_stale(&self) {
        self.stale.store(true, Relaxed);
    }

    pub(super) fn take_stale(&self) -> bool {
        self.stale.swap(false, Relaxed)
    }

    /// File systems were mounted or unmounted, somewhere.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn mounts_changed(&self) {
        self.mounts.store(true, Relaxed);
        self.changed();
    }

    pub(super) fn take_mounts(&self) -> bool {
        self.mounts.swap(false, Relaxed)
    }

    pub(super) fn changed(&self) {
        self.changed.notify_one();
    }

    /// A line for people, above the bar.
    pub(super) fn tell(&self, line: String) {
        self.shown.above(|| note(line));
    }

    /// Returns when something changed and all is quiet again, or when it is time to look in any case.
    pub(super) async fn next(&self) {
        let polled = self.is_blind() || self.shared.load(Relaxed);
        let patience = if polled { BLIND } else { DISTRUST };
        let mut changed = timeout(patience, self.changed.notified()).await.is_ok();
        let began = Instant::now();
        while changed {
            let mounts = self.mounts.load(Relaxed);
            let waits = mounts || self.removed.load(Relaxed);
            let longest = if waits { LONGEST_DELETE } else { LONGEST };
            let quiet = if mounts { MOUNT_QUIET } else { QUIET };
            let again = timeout(quiet, self.changed.notified()).await.is_ok();
            changed = again && began.elapsed() < longest;
        }
        self.removed.store(false, Relaxed);
    }
}

/// Reading is not, which the comparison itself does.
fn may_be_an_edit(event: &Event, folder: &FolderDatabase) -> bool {
    let reading = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    let concerned = event.paths.iter().any(|path| folder.concerns_documents(path));
    !reading && (concerned || event.paths.is_empty())
}

fn is_removal(event: &Event) -> bool {
    let away = EventKind::Modify(ModifyKind::Name(RenameMode::From));
    event.kind.is_remove() || event.kind == away
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, MetadataKind, RemoveKind};

    use super::*;

    fn hears(event: notify::Result<Event>) -> (bool, bool, bool) {
        let folder = tempfile::tempdir().unwrap();
        let database = FolderDatabase::open(folder.path()).unwrap();
        let event = event.map(|event| event.add_path(database.root().join("x")));
        let notices = Notices::new(Progress::new(0, true));
        (notices.hear(&event, &database), notices.take_stale(), notices.is_blind())
    }

    #[test]
    fn lost_notices_are_made_up_for_and_a_limit_is_lived_with() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(hears(Ok(overflow)), (true, true, false));
        let failed = notify::Error::io(std::io::Error::other("failed"));
        assert_eq!(hears(Err(failed)), (true, true, false));
        let limit = notify::Error::new(ErrorKind::MaxFilesWatch);
        assert_eq!(hears(Err(limit)), (true, false, true));
    }

    #[test]
    fn edits_are_heard_and_reads_are_not() {
        for kind in [
            EventKind::Create(CreateKind::Any),
            EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
            EventKind::Remove(RemoveKind::Any),
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
        ] {
            assert_eq!(hears(Ok(Event::new(kind))), (true, false, false), "{kind:?}");
        }
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert_eq!(hears(Ok(Event::new(read))), (false, false, false));
    }

    #[tokio::test]
    async fn a_mount_that_changes_is_given_time() {
        let notices = Notices::new(Progress::new(0, true));
        let began = Instant::now();
        notices.mounts_changed();
        notices.next().await;
        assert!(began.elapsed() >= MOUNT_QUIET);
        assert!(notices.take_mounts());
        let began = Instant::now();
        notices.changed();
        notices.next().await;
        assert!(began.elapsed() >= QUIET);
    }
}
