//! A folder of many small files synced through a folder: a sync with nothing to do beside a bare walk, and
//! a push of a few changed files beside `rsync -a`. `cargo xtask bench folder`; `DB_TO_CLOUD_FILES` is the
//! number of files, `DB_TO_CLOUD_ROUNDS` how often each is measured.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at a failure"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use db_to_cloud::{Client, Database, RemoteWins, Report};
use db_to_cloud_folder::FolderDatabase;
use db_to_cloud_fs::FsAdapter;
use db_to_cloud_sqlite::SqliteState;
use futures::StreamExt;

/// Files of one folder.
const IN_A_FOLDER: usize = 100;
/// Files that change between two pushes.
const CHANGED: usize = 100;
/// A file of the last moment is not trusted by its time.
const SETTLED: Duration = Duration::from_millis(2500);

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let number = |name, default| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let files = number("DB_TO_CLOUD_FILES", 50_000);
    let rounds = number("DB_TO_CLOUD_ROUNDS", 7);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let at = |name: &str| temporary.path().join(name);
    for name in ["a", "b", "cloud", "copy"] {
        fs::create_dir(at(name)).unwrap();
    }
    println!("{files} files, the better half of {rounds} rounds; all in milliseconds\n");
    (0..files).for_each(|i| write(&at("a"), i, "the first"));
    std::thread::sleep(SETTLED);
    let sync = |device: &str| {
        let start = Instant::now();
        let report = runtime.block_on(sync(&at(device), &at("cloud"), device));
        (start.elapsed(), report)
    };
    show("first push", sync("a").0, None);
    show("first pull", sync("b").0, None);
    show("next sync of what was pulled", sync("b").0, None);
    let unread = runtime.block_on(unread(&at("b")));
    println!("  of it files that have to be read: {unread}");
    std::thread::sleep(SETTLED);
    sync("a");
    let (idle, walk) = in_turns(rounds, || sync("a").0, || timed(|| _ = walk(&at("a"))));
    show("sync with nothing to do", idle, Some(("bare walk", walk)));
    rsync(&at("a"), &at("copy"));
    let mut turn = 0;
    let mut change = || {
        turn += 1;
        let step = (files / CHANGED).max(1);
        (0..CHANGED.min(files)).for_each(|i| write(&at("a"), i * step, &format!("change {turn}")));
        std::thread::sleep(SETTLED);
    };
    let (mut pushes, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        change();
        let (elapsed, report) = sync("a");
        assert_eq!(report.pushed as usize, CHANGED.min(files));
        pushes.push(elapsed);
        copies.push(timed(|| rsync(&at("a"), &at("copy"))));
    }
    show("push of 100 changed", middle(pushes), Some(("rsync -a", middle(copies))));
}

fn write(folder: &Path, i: usize, what: &str) {
    let folder = folder.join(format!("d{:04}", i / IN_A_FOLDER));
    fs::create_dir_all(&folder).unwrap();
    let text = format!("{what} content of file {i}, a note of a few words and some more. ");
    fs::write(folder.join(format!("{i:06}.md")), text.repeat(3)).unwrap();
}

/// One sync as of a program that was just started.
async fn sync(folder: &Path, cloud: &Path, device: &str) -> Report {
    let database = FolderDatabase::open(folder).unwrap();
    let state = SqliteState::open(database.state_dir().join("state.sqlite"), "bench").unwrap();
    let storage = FsAdapter::open(cloud).unwrap();
    let (database, resolver) = (Arc::new(database), Arc::new(RemoteWins));
    let client = Client::builder(Arc::new(storage), database, Arc::new(state), resolver);
    client.with_device(device).build().sync().await.unwrap()
}

/// How many files are listed without a revision, which have to be read.
async fn unread(folder: &Path) -> usize {
    let database = FolderDatabase::open(folder).unwrap();
    let listed: Vec<_> = database.list().collect().await;
    listed.iter().filter(|item| matches!(item, Ok(listed) if listed.revision.as_ref().is_ok_and(Option::is_none))).count()
}

/// What each sync has to do at least: look at each file.
fn walk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let size = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => walk(&entry.path()),
        false => entry.metadata().unwrap().len(),
    };
    entries.map(size).sum()
}

fn rsync(from: &Path, to: &Path) {
    let mut command = Command::new("rsync");
    command.args(["-a", "--delete", "--exclude", ".db-to-cloud"]);
    let from = format!("{}/", from.display());
    assert!(command.arg(from).arg(to).status().expect("install rsync").success());
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn in_turns(
    rounds: usize,
    one: impl Fn() -> Duration,
    other: impl Fn() -> Duration,
) -> (Duration, Duration) {
    let (ones, others) = (0..rounds).map(|_| (one(), other())).unzip();
    (middle(ones), middle(others))
}

/// The median of the better half: other work on the machine only makes it slower.
fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 4]
}

fn show(what: &str, time: Duration, peer: Option<(&str, Duration)>) {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    match peer {
        None => println!("{what:32} {:9.1}", millis(time)),
        Some((name, peer)) => println!(
            "{what:32} {:9.1}   {name:10} {:9.1}   {:.2} times",
            millis(time),
            millis(peer),
            time.as_secs_f64() / peer.as_secs_f64()
        ),
    }
}
