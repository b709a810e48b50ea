//! Which folders the system is asked to watch. Linux watches single folders: those that appear are added
//! here, with all that is below them. On other systems one request is for everything below the folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use db_to_cloud_folder::FolderDatabase;
use notify::event::{CreateKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::oneshot;

use super::notices::Notices;

/// Whether each folder is watched by itself.
const SINGLE: bool = cfg!(any(target_os = "linux", target_os = "android"));

enum Task {
    /// Watch all folders anew; then answer.
    All(oneshot::Sender<()>),
    /// Something appeared here: if it is a folder, watch it and all below.
    Appeared(PathBuf),
    /// Permissions changed here: if it is a folder that could not be watched, try again.
    Permissions(PathBuf),
}

/// Watches until it is dropped. A thread of its own does it, as it walks through all folders.
pub(super) struct Tree(Arc<Sender<Task>>);

impl Tree {
    /// Starts; nothing is watched yet.
    pub(super) fn start(folder: Arc<FolderDatabase>, notices: Arc<Notices>) -> Self {
        let (sender, tasks) = channel();
        let sender = Arc::new(sender);
        let worker = Worker {
            folder,
            notices,
            sender: Arc::downgrade(&sender),
            watcher: None,
            closed: HashSet::new(),
        };
        std::thread::spawn(move || worker.run(&tasks));
        Self(sender)
    }

    /// Watches all folders that there are now, and forgets those before. What happened in between is not
    /// told: compare afterwards.
    pub(super) async fn watch_anew(&self) {
        let (done, answer) = oneshot::channel();
        if self.0.send(Task::All(done)).is_ok() {
            // Without an answer the thread has ended, with the process.
            let _ = answer.await;
        }
    }
}

struct Worker {
    folder: Arc<FolderDatabase>,
    notices: Arc<Notices>,
    /// What the system tells of goes this way, until the tree is dropped.
    sender: Weak<Sender<Task>>,
    watcher: Option<RecommendedWatcher>,
    /// Folders that this user may not read.
    closed: HashSet<PathBuf>,
}

impl Worker {
    fn run(mut self, tasks: &Receiver<Task>) {
        while let Ok(task) = tasks.recv() {
            match task {
                Task::All(done) => {
                    self.watch_all();
                    // Nobody waits if the watch has ended.
                    let _ = done.send(());
                }
                Task::Appeared(path) => self.appeared(path),
                Task::Permissions(path) if self.closed.remove(&path) => self.appeared(path),
                Task::Permissions(_) => {}
            }
        }
    }

    fn watch_all(&mut self) {
        self.watcher = None;
        self.closed.clear();
        let root = self.folder.root().to_owned();
        let watched = self.new_watcher().and_then(|mut watcher| {
            if !SINGLE {
                watcher.watch(&root, RecursiveMode::Recursive)?;
            }
            self.watcher = Some(watcher);
            if SINGLE { self.add_below(root).map(drop) } else { Ok(()) }
        });
        match watched {
            Ok(()) => self.notices.set_seeing(),
            Err(error) => self.notices.set_blind(&error),
        }
    }

    fn new_watcher(&self) -> notify::Result<RecommendedWatcher> {
        let (folder, notices, sender) =
            (self.folder.clone(), self.notices.clone(), self.sender.clone());
        let told = move |event: notify::Result<Event>| {
            if notices.hear(&event, &folder)
                && SINGLE
                && let Ok(event) = event
                && let Some(sender) = sender.upgrade()
            {
                // The thread ends when the tree is dropped, and then nothing is to be watched.
                tasks_of(event).for_each(|task| drop(sender.send(task)));
            }
        };
        RecommendedWatcher::new(told, Config::default().with_follow_symlinks(false))
    }

    /// Files may have been written below before the folder was watched: they are found by a comparison.
    fn appeared(&mut self, path: PathBuf) {
        match self.add_below(path) {
            Ok(true) => self.notices.changed(),
            Ok(false) => {}
            Err(error) => {
                self.notices.lose(&error);
                self.notices.changed();
            }
        }
    }

    /// Watches a folder, before it is read, and all below. Whether there was one. The error is the last one:
    /// a folder that cannot be watched holds up no other, unless the system's limit is reached.
    fn add_below(&mut self, path: PathBuf) -> notify::Result<bool> {
        let (mut left, mut is_any, mut failed) = (vec![path], false, None);
        while let Some(path) = left.pop() {
            match self.add(&path) {
                Ok(true) => {
                    is_any = true;
                    left.extend(folders_in(&path));
                }
                Ok(false) => {}
                Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => return Err(error),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(is_any), Err)
    }

    /// Whether there is such a folder, which is watched now. It may be gone again, and this user may not be
    /// allowed to read it.
    fn add(&mut self, path: &Path) -> notify::Result<bool> {
        let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let Some(watcher) = self.watcher.as_mut().filter(|_| is_folder) else { return Ok(false) };
        if !self.folder.concerns_documents(path) {
            return Ok(false);
        }
        match watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => Ok(true),
            Err(error) if is_closed(&error) => {
                self.closed.insert(path.to_owned());
                Ok(false)
            }
            Err(error) if path.symlink_metadata().is_ok() => Err(error),
            Err(_) => Ok(false),
        }
    }
}

fn is_closed(error: &notify::Error) -> bool {
    matches!(&error.kind, ErrorKind::Io(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// The folders in a folder. One that cannot be read is told of by the comparison.
fn folders_in(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// What an event leaves to do. A folder that is moved into the folder is told of by its new name only.
fn tasks_of(event: Event) -> impl Iterator<Item = Task> {
    let task: Option<fn(PathBuf) -> Task> = match event.kind {
        EventKind::Create(CreateKind::Folder)
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Task::Appeared),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Task::Permissions),
        _ => None,
    };
    task.into_iter().flat_map(move |task| event.paths.clone().into_iter().map(task))
}
