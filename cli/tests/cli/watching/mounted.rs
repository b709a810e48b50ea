//! Mounts inside the watched folder. They need the right to mount: `cargo xtask test` runs them where that
//! is allowed, and says where it is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::watcher::{Watcher, until};
use crate::world::World;

/// Something that is mounted until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    #[track_caller]
    fn new(arguments: &[&str], on: &Path) -> Self {
        let output = Command::new("mount").args(arguments).arg(on).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Self(on.to_owned())
    }

    fn tmpfs(on: &Path) -> Self {
        fs::create_dir_all(on).unwrap();
        Self::new(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"], on)
    }

    /// Shows a folder at another place.
    fn bind(what: &Path, on: &Path) -> Self {
        fs::create_dir_all(on).unwrap();
        Self::new(&["--bind", what.to_str().unwrap()], on)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// Two devices in sync, `a` with 30 files of its own and a drive with 6 more at `a/m`.
fn with_drive() -> (World, Mounted) {
    let world = World::new(&["a", "b", "drive"]);
    (0..30).for_each(|i| world.write(&format!("a/{i}"), format!("note {i}")));
    (0..6).for_each(|i| world.write(&format!("drive/{i}"), format!("on the drive {i}")));
    let drive = Mounted::bind(&world.path("drive"), &world.path("a/m"));
    world.sync("a");
    world.sync("b");
    (world, drive)
}

fn on_b(world: &World) -> usize {
    (0..6).filter(|i| world.exists(&format!("b/m/{i}"))).count()
}

#[test]
#[ignore = "needs the right to mount"]
fn files_on_a_drive_that_comes_are_synced_and_watched() {
    let world = World::new(&["a"]);
    world.write("a/x", "x");
    let a = Watcher::start(&world, "a", &[]);
    let outside = Mounted::tmpfs(&world.path("outside"));
    for i in 0..5 {
        world.write(&format!("outside/deep/{i}"), "text");
    }
    let _drive = Mounted::bind(&world.path("outside"), &world.path("a/m"));
    until("the files on it", || a.sum("pushed") == 6);
    world.write("a/m/deep/0", "edited");
    until("an edit on it", || a.sum("pushed") == 7);
    world.write("a/m/new/folder/x", "text");
    until("a new folder on it", || a.sum("pushed") == 8);
    drop(outside);
}

#[test]
#[ignore = "needs the right to mount"]
fn a_mount_that_restarts_is_no_delete_and_is_watched_again() {
    let (world, drive) = with_drive();
    let a = Watcher::start(&world, "a", &[]);
    drop(drive);
    world.write("a/0", "edited meanwhile");
    std::thread::sleep(Duration::from_secs(2));
    let _drive = Mounted::bind(&world.path("drive"), &world.path("a/m"));
    until("the edit", || a.sum("pushed") == 1);
    // Through the mount, below a folder that was there before.
    world.write("a/m/0", "edited on the drive");
    until("an edit on the drive", || a.sum("pushed") == 2);
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
    assert_eq!(a.told(), "");
}

#[test]
#[ignore = "needs the right to mount"]
fn a_drive_that_goes_away_is_told_once_and_its_files_stay_elsewhere() {
    let (world, drive) = with_drive();
    let a = Watcher::start(&world, "a", &[]);
    drop(drive);
    until("it is told", || a.count("is not mounted any more") == 1);
    world.write("a/0", "edited meanwhile");
    until("the other files go on", || a.sum("pushed") == 1);
    world.write("a/1", "edited meanwhile");
    until("and on", || a.sum("pushed") == 2);
    world.run(["sync", "b", "cloud"]);
    assert_eq!((on_b(&world), a.count("is not mounted any more")), (6, 1), "{}", a.told());
    world.write("drive/0", "edited while away");
    let _drive = Mounted::bind(&world.path("drive"), &world.path("a/m"));
    until("it is back", || a.count("is mounted again") == 1);
    until("what was edited on it", || a.sum("pushed") == 3);
    world.write("a/m/1", "edited when it was back");
    until("an edit on it", || a.sum("pushed") == 4);
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
#[ignore = "needs the right to mount"]
fn the_folder_itself_is_a_drive_that_goes_away() {
    let world = World::new(&["a", "b", "drive"]);
    (0..20).for_each(|i| world.write(&format!("drive/{i}"), "text"));
    let drive = Mounted::bind(&world.path("drive"), &world.path("a"));
    let a = Watcher::start(&world, "a", &[]);
    drop(drive);
    until("it is told", || a.count("is not there, or another one is in its place") == 1);
    world.write("drive/0", "edited while away");
    let _drive = Mounted::bind(&world.path("drive"), &world.path("a"));
    until("what was edited meanwhile", || a.sum("pushed") == 21);
    world.write("a/1", "edited");
    until("an edit", || a.sum("pushed") == 22);
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

/// The limit holds for a namespace of users that is the process's own.
#[test]
#[ignore = "needs the right to make a namespace of users"]
fn beyond_the_limit_for_watched_folders_the_folder_is_compared() {
    let world = World::new(&["a"]);
    (0..20).for_each(|i| world.write(&format!("a/{i}/x"), "text"));
    let line = format!(
        "echo 5 > /proc/sys/user/max_inotify_watches; exec {} sync a cloud --watch --json",
        env!("CARGO_BIN_EXE_db-to-cloud")
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", &line]).current_dir(world.path("."));
    let a = Watcher::run(&mut command);
    until("it is told", || a.count("compared every 30 s (OS file watch limit reached") == 1);
    until("a first sync", || a.sum("pushed") == 20);
    (0..20).for_each(|i| world.write(&format!("a/{i}/y"), "text"));
    until("edits in all folders", || a.sum("pushed") == 40);
    assert_eq!(a.count("compared every"), 1, "{}", a.told());
}

/// A folder of this machine as sshfs shows one of another.
struct Sshfs {
    processes: Vec<Child>,
    _mounted: Mounted,
}

impl Sshfs {
    fn new(what: &Path, on: &Path) -> Self {
        fs::create_dir_all(on).unwrap();
        let (from_server, to_sshfs) = std::io::pipe().unwrap();
        let (from_sshfs, to_server) = std::io::pipe().unwrap();
        let mut server = Command::new("/usr/lib/openssh/sftp-server");
        server.stdin(from_sshfs).stdout(to_sshfs).stderr(Stdio::null());
        let mut sshfs = Command::new("sshfs");
        sshfs.args(["-f", "-o", "passive"]).arg(format!(":{}", what.display())).arg(on);
        sshfs.stdin(from_server).stdout(to_server).stderr(Stdio::null());
        let start = |command: &mut Command| command.spawn().expect("apt-get install sshfs");
        let processes = vec![start(&mut server), start(&mut sshfs)];
        drop((server, sshfs));
        until("sshfs", || {
            let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
            table.lines().any(|line| line.contains(on.to_str().unwrap()))
        });
        Self { processes, _mounted: Mounted(on.to_owned()) }
    }
}

impl Drop for Sshfs {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[test]
#[ignore = "needs the right to mount"]
fn what_other_machines_write_to_a_share_is_found() {
    let world = World::new(&["a", "far"]);
    world.write("a/x", "x");
    world.write("far/1", "1");
    let _share = Sshfs::new(&world.path("far"), &world.path("a/share"));
    let a = Watcher::start(&world, "a", &[]);
    until("the files on it", || a.sum("pushed") == 2);
    until("it is told", || a.count("(FUSE) that does not tell of edits by other machines") == 1);
    assert!(
        a.told().contains("a/share\" is on") && a.told().contains("every 30 s"),
        "{}",
        a.told()
    );
    world.write("far/2", "2");
    until("a file that another machine wrote", || a.sum("pushed") == 3);
    world.write("far/2", "two");
    until("its edit", || a.sum("pushed") == 4);
    assert_eq!(a.count("does not tell"), 1, "{}", a.told());
}
