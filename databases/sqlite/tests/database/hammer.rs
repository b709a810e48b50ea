//! The proof: programs that know nothing of db-to-cloud edit the databases of two devices by SQL
//! while two others sync them through a folder, and all of them are killed at random. At the end both
//! have the same rows, every row whose insert was committed is there, and no row whose delete was.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use db_to_cloud::{Client, RemoteWins, Report};
use db_to_cloud_fs::FsAdapter;
use db_to_cloud_sqlite::SqliteDatabase;
use rusqlite::Connection;

use crate::world::{shell, shell_as};

const TABLES: [&str; 4] = ["kept", "shared", "lists", "items"];
/// `kept` has rows that one editor alone changes; the others are everybody's.
const SCHEMA: &str = "PRAGMA journal_mode = WAL;
    CREATE TABLE kept (id TEXT PRIMARY KEY, n INTEGER, data BLOB);
    CREATE TABLE shared (id INTEGER PRIMARY KEY, text TEXT, r REAL);
    CREATE TABLE lists (id TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE items (id TEXT, list TEXT NOT NULL REFERENCES lists ON DELETE CASCADE, n,
        PRIMARY KEY (list, id)) WITHOUT ROWID;";

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// One of the programs: what it does, and to which device.
struct Program {
    role: &'static str,
    device: &'static str,
    process: Option<Child>,
}

impl Program {
    fn start(&mut self, folder: &Path, seed: u64) {
        let exact = format!("hammer::{}", self.role);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &exact, "--ignored", "--nocapture"])
            .env("HAMMER_FOLDER", folder)
            .env("HAMMER_DEVICE", self.device)
            .env("HAMMER_SEED", seed.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(child.unwrap());
    }

    /// SIGKILL; says whether it was still alive, as it must be.
    fn kill(&mut self) -> bool {
        let Some(mut child) = self.process.take() else { return true };
        let alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        alive
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn database(folder: &Path, device: &str) -> PathBuf {
    folder.join(format!("{device}.db"))
}

async fn client(folder: &Path, device: &str) -> (SqliteDatabase, Client) {
    let database = SqliteDatabase::open(database(folder, device), TABLES).unwrap();
    let state = Arc::new(database.state("folder").await.unwrap());
    let adapter = Arc::new(FsAdapter::open(folder.join("cloud")).unwrap());
    let client = Client::builder(adapter, Arc::new(database.clone()), state, Arc::new(RemoteWins));
    (database, client.with_device(device).build())
}

#[tokio::test]
async fn no_committed_edit_is_lost_when_everything_is_killed_at_random() {
    let seed = std::env::var("DB_TO_CLOUD_SEED").map_or(8, |seed| seed.parse().unwrap());
    let seconds = std::env::var("DB_TO_CLOUD_SECONDS").map_or(12, |s| s.parse().unwrap());
    println!("DB_TO_CLOUD_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("cloud")).unwrap();
    for device in ["laptop", "phone"] {
        let app = Connection::open(database(folder, device)).unwrap();
        app.execute_batch(SCHEMA).unwrap();
        drop(client(folder, device).await);
    }
    kill_at_random(folder, seed, Duration::from_secs(seconds));
    let (on_laptop, on_phone) = (client(folder, "laptop").await, client(folder, "phone").await);
    for _ in 0..8 {
        for (_, client) in [&on_laptop, &on_phone] {
            client.sync().await.unwrap();
        }
    }
    for (database, client) in [&on_laptop, &on_phone] {
        let Report { pushed, pulled, deleted, deferred, .. } = client.sync().await.unwrap();
        assert_eq!((pushed, pulled, deleted, deferred), (0, 0, 0, vec![]), "all is synced");
        assert_eq!(database.held().await.unwrap(), []);
    }
    for table in TABLES {
        let all = format!("SELECT * FROM {table} ORDER BY 1, 2");
        let [a, b] =
            ["laptop", "phone"].map(|device| shell_as("-quote", &database(folder, device), &all));
        assert!(a == b, "{table} differs");
        println!("{table}: {} rows", a.lines().count());
    }
    for device in ["laptop", "phone"] {
        let path = database(folder, device);
        assert_eq!(shell(&path, "PRAGMA integrity_check; PRAGMA foreign_key_check"), "ok");
        check_journals(folder, &path);
    }
}

fn kill_at_random(folder: &Path, seed: u64, time: Duration) {
    let mut random = Random(seed);
    let program = |role, device| Program { role, device, process: None };
    let mut programs = [
        program("edits", "laptop"),
        program("edits", "laptop"),
        program("edits", "phone"),
        program("syncs", "laptop"),
        program("syncs", "phone"),
    ];
    let end = Instant::now() + time;
    programs.iter_mut().for_each(|program| program.start(folder, random.below(1 << 60)));
    let mut kills = 0;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20 + random.below(300)));
        let program = &mut programs[usize::try_from(random.below(5)).unwrap()];
        assert!(program.kill(), "{} on the {} ended by itself", program.role, program.device);
        program.start(folder, random.below(1 << 60));
        kills += 1;
    }
    println!("{kills} kills");
    assert!(kills > 20, "only {kills} kills");
}

/// Each editor wrote down what it had committed.
fn check_journals(folder: &Path, database: &Path) {
    let there: std::collections::HashMap<_, _> = shell(database, "SELECT id, n FROM kept")
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(id, n)| (id.to_owned(), n.parse::<i64>().unwrap()))
        .collect();
    let mut last = std::collections::HashMap::new();
    for journal in std::fs::read_dir(folder.join("journals")).unwrap() {
        let text = std::fs::read_to_string(journal.unwrap().path()).unwrap();
        // A line that the kill cut off was not promised to anybody.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let (id, n) = line.trim_end().split_once(' ').unwrap();
            last.insert(id.to_owned(), n.parse::<i64>().unwrap());
        }
    }
    assert!(last.len() > 100, "only {} rows", last.len());
    let mut kept = 0;
    for (id, n) in last {
        // An editor may have been killed between its commit and its note, one step on.
        match n {
            -1 => assert_eq!(there.get(&id), None, "{id} was deleted"),
            n => {
                kept += 1;
                let found = there.get(&id).copied();
                let next = |then: Option<i64>| then.is_some_and(|then| then > n && then <= n + 2);
                let is_next = next(found) || (found.is_none() && is_deleted_at_last(&id));
                assert!(found == Some(n) || is_next, "{id} was {n} and is {found:?}");
            }
        }
    }
    assert!(kept > 50, "only {kept} rows were kept");
}

/// Every other row of an editor goes in the end.
fn is_deleted_at_last(id: &str) -> bool {
    id.rsplit('-').next().unwrap().parse::<u64>().unwrap() % 2 == 1
}

/// What the two children are told.
fn told() -> (PathBuf, String, Random) {
    let var = |name| std::env::var(name).unwrap();
    let seed = var("HAMMER_SEED").parse().unwrap();
    (var("HAMMER_FOLDER").into(), var("HAMMER_DEVICE"), Random(seed))
}

#[tokio::test]
#[ignore = "started and killed by the test above, in its own process"]
async fn syncs() {
    let (folder, device, _) = told();
    let (_database, client) = client(&folder, &device).await;
    loop {
        // The two devices hinder each other, as they may.
        let _ = client.sync().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
#[ignore = "started and killed by the test above, in its own process"]
fn edits() {
    let (folder, device, mut random) = told();
    let mut app = Connection::open(database(&folder, &device)).unwrap();
    app.busy_timeout(Duration::from_secs(30)).unwrap();
    app.pragma_update(None, "foreign_keys", true).unwrap();
    let me = format!("{device}-{}", random.below(1 << 40));
    std::fs::create_dir_all(folder.join("journals")).unwrap();
    let mut journal = std::fs::File::create_new(folder.join("journals").join(&me)).unwrap();
    for step in 0.. {
        let transaction =
            app.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        let id = format!("{me}-{}", step / 3);
        // Inserted, edited and, every other one, deleted; what is deleted was 2 before.
        let (sql, n) = match (step % 3, step / 3 % 2) {
            (0, _) => ("INSERT INTO kept VALUES (?1, ?2, randomblob(9))", 0),
            (1, 0) => ("REPLACE INTO kept VALUES (?1, ?2, randomblob(9))", 1),
            (1, _) => ("UPDATE kept SET n = ?2 WHERE id = ?1", 2),
            (_, 0) => ("UPDATE kept SET n = ?2, data = NULL WHERE id = ?1", 2),
            _ => ("DELETE FROM kept WHERE id = ?1 AND ?2 = -1", -1),
        };
        assert_eq!(transaction.execute(sql, (&id, n)).unwrap(), 1);
        for _ in 0..random.below(4) {
            transaction.execute_batch(&everybodys(&mut random)).unwrap();
        }
        transaction.commit().unwrap();
        writeln!(journal, "{id} {n}").unwrap();
        std::thread::sleep(Duration::from_millis(random.below(12)));
    }
}

/// An edit of rows that others edit too.
fn everybodys(random: &mut Random) -> String {
    let (id, other, n) = (random.below(40), random.below(40), random.below(1000));
    match random.below(9) {
        0 => format!("REPLACE INTO shared VALUES ({id}, 'text {n}', {n} / 7.0)"),
        1 => format!(
            "INSERT INTO shared VALUES ({id}, '{n}', 1) ON CONFLICT DO UPDATE SET text = {n}"
        ),
        2 => format!("DELETE FROM shared WHERE id = {id}"),
        3 => format!("UPDATE OR REPLACE shared SET id = {other} WHERE id = {id}"),
        4 => format!("INSERT OR IGNORE INTO lists VALUES ('list {}', {n})", id % 8),
        5 => format!("DELETE FROM lists WHERE id = 'list {}' AND {n} < 300", id % 8),
        6 => format!("UPDATE lists SET name = '{n}' WHERE id = 'list {}'", id % 8),
        7 => format!(
            "INSERT OR IGNORE INTO items SELECT 'item {id}', id, {n} FROM lists
                WHERE id = 'list {}'",
            other % 8
        ),
        _ => format!("UPDATE items SET n = {n} WHERE id = 'item {id}'"),
    }
}
