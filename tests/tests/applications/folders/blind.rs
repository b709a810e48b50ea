//! A folder on a file system that takes names for the same which differ in case only, as those of
//! macOS and Windows do: exFAT by FUSE.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Folder;
use crate::plan::Editors;
use crate::seeds::play_all;

/// An exFAT file system in a file, unmounted in the end.
struct Mounted {
    folder: tempfile::TempDir,
    device: String,
}

impl Mounted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (image, path) = (folder.path().join("image"), folder.path().join("mount"));
        std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        std::fs::create_dir(&path).unwrap();
        run("mkfs.exfat", &[&image]);
        let device = run("losetup", &[Path::new("--find"), Path::new("--show"), &image]);
        let mounted = Self { folder, device: device.trim().to_owned() };
        run("mount.exfat-fuse", &[Path::new(&mounted.device), &path]);
        mounted
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        let _ = Command::new("losetup").arg("--detach").arg(&self.device).status();
    }
}

/// Runs a program and gives back what it printed.
fn run(program: &str, arguments: &[&Path]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs the right to mount, and exfat-fuse"]
fn one_device_at_a_time_works_in_a_folder_and_another_ignores_case() {
    let mounted = Mounted::new();
    play_all(&[Folder { is_blind: true }], Editors::One, 40, Some(&mounted.path()));
}
