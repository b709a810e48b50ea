//! Devices and one cloud: folders of a temporary one, or a server's as the cloud.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use db_to_cloud_test_servers::{KEY_ID, PASSWORD, SECRET};
use serde_json::Value;
use tempfile::TempDir;

/// The files of a folder, without those of the sync itself.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

pub(crate) struct World {
    folder: TempDir,
    cloud: String,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// What a sync with `--json` reports.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_db-to-cloud"));
    command.stdin(Stdio::null());
    command
}

impl World {
    /// Devices with these names, each with an empty folder. There is no cloud yet.
    pub(crate) fn new(devices: &[&str]) -> Self {
        Self::with_cloud(devices, "cloud".to_owned())
    }

    /// The same, with another cloud; if it is a URL, it is one of a test server.
    pub(crate) fn with_cloud(devices: &[&str], cloud: String) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), cloud };
        for device in devices {
            fs::create_dir(world.path(device)).unwrap();
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Where the devices meet, as on a command line.
    pub(crate) fn cloud(&self) -> &str {
        &self.cloud
    }

    /// The binary with the world's folder as the current one, and what the test servers ask for.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = binary();
        command.args(arguments).current_dir(self.path("."));
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env_remove("AWS_SESSION_TOKEN").env("WEBDAV_PASSWORD", PASSWORD);
        command.env_remove("WEBDAV_PASSWORD_FILE").env_remove("WEBDAV_TOKEN");
        command.env("XDG_CONFIG_HOME", self.path("config")).env_remove("DB_TO_CLOUD_TOKENS");
        command
    }

    /// Runs the binary.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// A sync of a device's folder with the cloud that must end with this code.
    #[track_caller]
    pub(crate) fn sync_as(&self, code: i32, device: &str, more: &[&str]) -> Run {
        let run = self.run(["sync", device, self.cloud(), "--device", device].iter().chain(more));
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
        self.run(["sync", device, self.cloud(), "--json"].iter().chain(more)).report()
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
