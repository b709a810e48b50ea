//! Tables of a SQLite database synced through a folder: what the triggers cost, and how many rows a
//! second come and go, beside a bare INSERT of the same rows. `cargo xtask bench sqlite`; `DB_TO_CLOUD_ROWS`
//! is the number of rows, `DB_TO_CLOUD_ROUNDS` that of the bulk inserts, `DB_TO_CLOUD_JOURNAL` the only
//! journal mode.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at a failure"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use db_to_cloud::{Client, RemoteWins, Report};
use db_to_cloud_benches::processor_time;
use db_to_cloud_fs::FsAdapter;
use db_to_cloud_sqlite::SqliteDatabase;
use rusqlite::{Connection, params};

/// Notes of some 250 bytes: `u` with a random text as id, `n` with a number.
const SCHEMA: &str = "
    CREATE TABLE u (id TEXT PRIMARY KEY, title TEXT, body TEXT, done INTEGER, at REAL);
    CREATE TABLE n (id INTEGER PRIMARY KEY, title TEXT, body TEXT, done INTEGER, at REAL);
    CREATE TABLE m (id INTEGER PRIMARY KEY, title TEXT, body TEXT, done INTEGER, at REAL,
        slug TEXT UNIQUE);";

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let number = |name, default| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let (rows, rounds) = (number("DB_TO_CLOUD_ROWS", 100_000), number("DB_TO_CLOUD_ROUNDS", 5));
    let only = std::env::var("DB_TO_CLOUD_JOURNAL").ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for journal in ["DELETE", "WAL"] {
        if only.as_ref().is_some_and(|only| only != journal) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder: folder.path().to_owned(), journal };
        println!("\njournal mode {journal}");
        inserts(&place, rows, rounds);
        runtime.block_on(syncs(&place, rows));
    }
}

/// Where the databases are, and in which journal mode.
struct Place {
    folder: PathBuf,
    journal: &'static str,
}

impl Place {
    fn new_database(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        let app = Connection::open(&path).unwrap();
        app.pragma_update_and_check(None, "journal_mode", self.journal, |_| Ok(())).unwrap();
        app.execute_batch(SCHEMA).unwrap();
        path
    }
}

/// Inserts rows in one transaction, as an import does.
fn insert(path: &Path, table: &str, rows: u32) -> Duration {
    let mut app = Connection::open(path).unwrap();
    app.pragma_update(None, "synchronous", "NORMAL").unwrap();
    let body = "Some words of a note that somebody wrote. ".repeat(5);
    let start = Instant::now();
    let transaction = app.transaction().unwrap();
    {
        let values =
            if table == "m" { "?1, ?2, ?3, ?4, ?5, 'slug ' || ?1" } else { "?1, ?2, ?3, ?4, ?5" };
        let sql = format!("INSERT INTO {table} VALUES ({values})");
        let mut statement = transaction.prepare(&sql).unwrap();
        for i in 0..rows {
            let at = f64::from(i) + 0.25;
            let title = format!("Note {i}");
            // Scattered, as random ids are.
            let scattered = i.wrapping_mul(2_654_435_761);
            match table {
                "u" => statement.execute(params![
                    format!("{scattered:08x}-{i:08x}"),
                    title,
                    body,
                    0,
                    at
                ]),
                _ => statement.execute(params![i, title, body, 0, at]),
            }
            .unwrap();
        }
    }
    transaction.commit().unwrap();
    start.elapsed()
}

/// A bulk insert with and without triggers, in turns.
fn inserts(place: &Place, rows: u32, rounds: u32) {
    println!("bulk insert of {rows} rows in one transaction, medians of {rounds} rounds");
    println!("{:32}{:>10}{:>10}{:>8}", "id", "without", "with", "ratio");
    let kinds = [
        ("u", "a scattered text"),
        ("n", "an ascending number"),
        ("m", "a number, and a UNIQUE text"),
    ];
    for (table, what) in kinds {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let plain = place.new_database(&format!("{table}{round}-plain.db"));
            let watched = place.new_database(&format!("{table}{round}-watched.db"));
            drop(SqliteDatabase::open(&watched, [table]).unwrap());
            without.push(insert(&plain, table, rows));
            with.push(insert(&watched, table, rows));
            for path in [plain, watched] {
                std::fs::remove_file(path).unwrap();
            }
        }
        let (without, with) = (median(without), median(with));
        let ratio = with / without;
        println!("{what:32}{without:>8.3} s{with:>8.3} s{ratio:>8.2}");
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

struct Device {
    path: PathBuf,
    client: Client,
}

impl Device {
    async fn open(place: &Place, name: &str) -> Self {
        let path = place.folder.join(name);
        if !path.exists() {
            place.new_database(name);
        }
        let database = SqliteDatabase::open(&path, ["u"]).unwrap();
        let state = Arc::new(database.state("folder").await.unwrap());
        let adapter = Arc::new(FsAdapter::open(place.folder.join("cloud")).unwrap());
        let client = Client::builder(adapter, Arc::new(database), state, Arc::new(RemoteWins));
        Self { path, client: client.with_device(name).build() }
    }

    async fn sync(&self, what: &str) -> Report {
        let (start, processor) = (Instant::now(), processor_time());
        let report = self.client.sync().await.unwrap();
        let (time, processor) = (start.elapsed(), processor_time() - processor);
        let documents = report.pushed + report.pulled;
        print(what, documents, time, processor);
        report
    }
}

fn print(what: &str, rows: u64, time: Duration, processor: Duration) {
    let rate = rows as f64 / time.as_secs_f64();
    println!(
        "{what:36}{rows:>8} rows{:>10.4} s{rate:>10.0} rows/s{:>10.4} s of processor",
        time.as_secs_f64(),
        processor.as_secs_f64(),
    );
}

/// The rows alone, in a table without triggers.
fn bare(place: &Place, rows: u32) {
    let path = place.new_database("bare.db");
    let processor = processor_time();
    let time = insert(&path, "u", rows);
    print("bare INSERT, one transaction", u64::from(rows), time, processor_time() - processor);
}

async fn syncs(place: &Place, rows: u32) {
    println!("\nsyncs through a folder on the same disk");
    std::fs::create_dir(place.folder.join("cloud")).unwrap();
    bare(place, rows);
    let path = place.new_database("laptop.db");
    insert(&path, "u", rows);
    let start = Instant::now();
    let laptop = Device::open(place, "laptop.db").await;
    println!("first attach: {:.3} s", start.elapsed().as_secs_f64());
    laptop.sync("first push").await;
    let phone = Device::open(place, "phone.db").await;
    phone.sync("first pull on another device").await;
    for round in 0..3 {
        let app = Connection::open(&laptop.path).unwrap();
        let sql = "UPDATE u SET done = done + 1 WHERE rowid % ?1 = ?2";
        app.execute(sql, [rows / 100, round]).unwrap();
        laptop.sync("push of 100 changed").await;
        phone.sync("pull of 100 changed").await;
    }
    for _ in 0..3 {
        phone.sync("idle").await;
    }
    drop(phone);
    let start = Instant::now();
    let phone = Device::open(place, "phone.db").await;
    println!("opening: {:.4} s", start.elapsed().as_secs_f64());
    phone.sync("idle, first of a program").await;
}
