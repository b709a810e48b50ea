//! Devices and one cloud, all of them folders of a temporary one.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

/// The files of a folder, without those of the sync itself.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

pub(crate) struct World(TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_db-to-cloud"));
    command.stdin(Stdio::null());
    command
}

impl World {
    /// Devices with these names, each with an empty folder. There is no cloud yet.
    pub(crate) fn new(devices: &[&str]) -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for device in devices {
            fs::create_dir(world.path(device)).unwrap();
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// Runs the binary with the world's folder as the current one.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        let output = binary().args(arguments).current_dir(self.path(".")).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// A sync of a device's folder with the cloud that must end with this code.
    #[track_caller]
    pub(crate) fn sync_as(&self, code: i32, device: &str, more: &[&str]) -> Run {
        let run = self.run(["sync", device, "cloud", "--device", device].iter().chain(more));
        assert_eq!(run.code, Some(code), "{run:?}");
        run
    }

    /// A sync that must go well.
    #[track_caller]
    pub(crate) fn sync(&self, device: &str) -> Run {
        self.sync_as(0, device, &[])
    }

    /// The report of a sync.
    #[track_caller]
    pub(crate) fn report(&self, device: &str, more: &[&str]) -> Value {
        let run = self.run(["sync", device, "cloud", "--json"].iter().chain(more));
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
    }

    /// Writes a file, with the folders it is in.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes a file that says it was edited so many seconds after 1970.
    pub(crate) fn write_dated(&self, path: &str, bytes: impl AsRef<[u8]>, seconds: u64) {
        self.write(path, bytes);
        let file = fs::File::options().write(true).open(self.path(path)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.path(path)).unwrap()).unwrap()
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    pub(crate) fn tree(&self, folder: &str) -> Tree {
        let mut tree = Tree::new();
        let root = self.path(folder);
        if root.exists() {
            collect(&root, &root, &mut tree);
        }
        tree
    }

    /// The names of a folder's files.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        self.tree(folder).into_keys().collect()
    }
}

fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name() == Some(OsStr::new(".db-to-cloud")) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, tree);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            tree.insert(name, fs::read(&path).unwrap());
        }
    }
}
