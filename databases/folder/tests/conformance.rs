//! The suite that every database must pass.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{Database, DocumentId};
use db_to_cloud_conformance::database::{self, Application, Undo};
use db_to_cloud_folder::FolderDatabase;
use tempfile::TempDir;

/// A folder of notes.
struct Notes {
    folder: PathBuf,
    /// A small file system, where the test may mount one.
    is_small: bool,
    temporary: Option<TempDir>,
}

impl Notes {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_small = false;
        Self { folder: folder.path().to_owned(), is_small, temporary: Some(folder) }
    }

    /// On a file system in memory with room for 32 MiB.
    fn small() -> Self {
        let mut notes = Self::new();
        notes.is_small = true;
        let options = ["-t", "tmpfs", "-o", "size=32m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(&notes.folder).status().unwrap();
        assert!(mounted.success());
        notes
    }

    fn path(&self, id: &DocumentId) -> PathBuf {
        self.folder.join(id.as_str().unwrap())
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        if self.is_small && self.temporary.is_some() {
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        }
    }
}

/// Root may read everything.
#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(windows)]
fn is_root() -> bool {
    false
}

#[cfg(unix)]
fn make_unreadable(path: &Path) -> Undo {
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let path = path.to_owned();
    set(&path, 0o000).unwrap();
    Box::new(move || set(&path, 0o600).unwrap())
}

/// Another program has the file open for itself alone.
#[cfg(windows)]
fn make_unreadable(path: &Path) -> Undo {
    use std::os::windows::fs::OpenOptionsExt;
    let open = fs::File::options().read(true).write(true).share_mode(0).open(path).unwrap();
    Box::new(move || drop(open))
}

#[async_trait]
impl Application for Notes {
    async fn open(&self) -> Arc<dyn Database> {
        Arc::new(FolderDatabase::open(&self.folder).unwrap())
    }

    fn id(&self, n: usize) -> DocumentId {
        format!("notes {}/note {n}.md", n % 3).into()
    }

    fn bytes(&self, n: usize, version: usize) -> Bytes {
        let length = if self.is_small { 2000 } else { 80 };
        format!("note {n}, version {version}, {}", "x".repeat(length)).into()
    }

    /// As an editor saves: a new file is renamed into place.
    fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.path(id);
        let Some(bytes) = bytes else {
            let _ = fs::remove_file(&path);
            let _ = path.parent().map(fs::remove_dir);
            return;
        };
        let aside = tempfile::NamedTempFile::new_in(self.folder.join(".db-to-cloud"));
        let (_, aside) = aside.unwrap().keep().unwrap();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let new = aside.with_extension(next.to_string());
        fs::rename(&aside, &new).unwrap();
        fs::write(&new, bytes).unwrap();
        // A sync may take the folder away between the two, if it was empty.
        while fs::rename(&new, &path).is_err() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
    }

    /// A file and a folder of one name.
    fn rivals(&self) -> Option<[(DocumentId, Bytes); 2]> {
        Some([("rival".into(), "a file".into()), ("rival/inner.md".into(), "in a folder".into())])
    }

    fn refused(&self) -> Option<(DocumentId, Bytes)> {
        Some(("../outside.md".into(), "not in the folder".into()))
    }

    fn hide(&self, id: &DocumentId) -> Option<Undo> {
        if is_root() {
            return None;
        }
        Some(make_unreadable(&self.path(id)))
    }

    fn fill(&self) -> Option<Undo> {
        if !self.is_small {
            return None;
        }
        let path = self.folder.join(".db-to-cloud/filling");
        let mut filling = fs::File::create(&path).unwrap();
        while filling.write_all(&[1; 4096]).is_ok() {}
        Some(Box::new(move || fs::remove_file(path).unwrap()))
    }

    fn worker(&self) -> Option<Command> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "works_until_it_is_killed", "--ignored"]);
        command.env("CONFORMANCE_FOLDER", &self.folder);
        if self.is_small {
            command.env("CONFORMANCE_SMALL", "1");
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_conforms() {
    let outcome = database::run(|| Arc::new(Notes::new())).await;
    outcome.assert_passed();
    let mut skipped = vec![
        "inexact_bytes_are_said",
        "a_chain_of_unique_values_moves_in_one_batch",
        "a_full_disk_changes_nothing",
    ];
    if is_root() {
        skipped.insert(0, "unreadable_is_not_deleted");
    }
    assert_eq!(outcome.skipped(), skipped);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started and killed by the suite, in its own process"]
async fn works_until_it_is_killed() {
    let Some(folder) = std::env::var_os("CONFORMANCE_FOLDER") else { return };
    let is_small = std::env::var_os("CONFORMANCE_SMALL").is_some();
    let app = Notes { folder: folder.into(), is_small, temporary: None };
    database::work(&app, &Notes::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the right to mount"]
async fn a_folder_on_a_small_disk_conforms() {
    let outcome = database::run(|| Arc::new(Notes::small())).await;
    outcome.assert_passed();
    assert!(outcome.passed().contains(&"a_full_disk_changes_nothing"));
}
