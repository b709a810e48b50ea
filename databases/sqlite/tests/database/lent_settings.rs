//! What the application has set on a connection that it lends.

use std::collections::BTreeMap;

use db_to_cloud::Database;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_sqlite::SqliteDatabase;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::lent::{Lent, all, client, prepared, run};
use crate::lent_files::Each;

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";

fn memory(schema: &str) -> Lent {
    prepared(Connection::open_in_memory().unwrap(), schema)
}

#[tokio::test]
async fn a_connection_that_cannot_roll_back_is_refused() {
    let lent = memory(NOTES);
    run(&lent, "PRAGMA journal_mode = OFF");
    let error = SqliteDatabase::on(lent.clone(), ["notes"]).unwrap_err();
    assert!(error.to_string().contains("journal_mode"), "{error}");
    run(&lent, "PRAGMA journal_mode = MEMORY");
    SqliteDatabase::on(lent, ["notes"]).unwrap();
}

/// Reading it all the same, a sync would push what is rolled back afterwards.
#[tokio::test]
async fn what_is_not_committed_is_not_read() {
    let uri = "file:lent_uncommitted?mode=memory&cache=shared";
    let app = Connection::open_with_flags(uri, OpenFlags::default()).unwrap();
    app.execute_batch(&format!("{NOTES}; INSERT INTO notes VALUES ('a', 'one')")).unwrap();
    let open = move || {
        let connection = Connection::open_with_flags(uri, OpenFlags::default())?;
        connection.pragma_update(None, "read_uncommitted", true)?;
        Ok(connection)
    };
    let database = SqliteDatabase::on(Each(open), ["notes"]).unwrap();
    let id = "[\"notes\",\"a\"]".into();
    let before = database.get(&id).await.unwrap();
    app.execute_batch("BEGIN; UPDATE notes SET text = 'two'").unwrap();
    // The table may be locked meanwhile.
    let meanwhile = database.get(&id).await;
    app.execute_batch("ROLLBACK").unwrap();
    if let Ok(meanwhile) = meanwhile {
        assert_eq!(meanwhile, before);
    }
    assert!(before.is_some());
    assert_eq!(database.get(&id).await.unwrap(), before);
}

#[tokio::test]
async fn a_function_lower_that_knows_more_letters_loses_nothing() {
    // What other devices have in columns that this one lacks is kept beside the row.
    let cloud = MemoryAdapter::new();
    let old = memory("CREATE TABLE Äpfel (id TEXT PRIMARY KEY, text TEXT)");
    let lower = |c: &rusqlite::functions::Context<'_>| Ok(c.get::<String>(0)?.to_lowercase());
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    old.lock().unwrap().create_scalar_function("lower", 1, flags, lower).unwrap();
    let new = memory("CREATE TABLE Äpfel (id TEXT PRIMARY KEY, text TEXT, more TEXT)");
    let on_old = client(old.clone(), &["Äpfel"], &cloud).await;
    let on_new = client(new.clone(), &["Äpfel"], &cloud).await;
    run(&new, "INSERT INTO Äpfel VALUES ('a', 'one', 'kept')");
    on_new.sync().await.unwrap();
    on_old.sync().await.unwrap();
    run(&old, "UPDATE Äpfel SET text = 'two'");
    assert_eq!(on_old.sync().await.unwrap().pushed, 1);
    // A device that comes later has only what the old one wrote.
    let later = memory("CREATE TABLE Äpfel (id TEXT PRIMARY KEY, text TEXT, more TEXT)");
    client(later.clone(), &["Äpfel"], &cloud).await.sync().await.unwrap();
    assert_eq!(all(&later, "SELECT text || ' ' || more FROM Äpfel"), ["two kept"]);
}

/// All settings of a connection that can be read.
fn settings(lent: &Lent) -> BTreeMap<String, String> {
    let lent = lent.lock().unwrap();
    let names = "SELECT name FROM pragma_pragma_list WHERE name NOT IN ('data_version', 'freelist_count',
        'incremental_vacuum', 'integrity_check', 'optimize', 'page_count', 'quick_check', 'schema_version',
        'shrink_memory', 'wal_checkpoint', 'foreign_key_check', 'function_list', 'index_info', 'index_list',
        'index_xinfo', 'table_info', 'table_list', 'table_xinfo', 'foreign_key_list', 'case_sensitive_like',
        'module_list')";
    let mut names = lent.prepare(names).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let value = |name: String| {
        let read = |row: &rusqlite::Row<'_>| Ok(format!("{:?}", row.get_ref(0)?));
        let value = lent.query_row(&format!("PRAGMA {name}"), [], read).unwrap_or_default();
        (name, value)
    };
    let mut all: BTreeMap<_, _> = names.map(|name| value(name.unwrap())).collect();
    for config in [
        DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY,
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        DbConfig::SQLITE_DBCONFIG_DEFENSIVE,
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        DbConfig::SQLITE_DBCONFIG_DQS_DML,
    ] {
        all.insert(format!("{config:?}"), lent.db_config(config).unwrap().to_string());
    }
    all
}

#[tokio::test]
async fn the_settings_of_a_connection_stay_and_do_not_disturb_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = MemoryAdapter::new();
    let all_set = "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF;
        PRAGMA synchronous = OFF; PRAGMA cache_size = 77; PRAGMA busy_timeout = 321; PRAGMA temp_store = MEMORY;
        PRAGMA reverse_unordered_selects = ON; PRAGMA read_uncommitted = ON; PRAGMA wal_autocheckpoint = 17;
        PRAGMA legacy_alter_table = ON; PRAGMA case_sensitive_like = ON; PRAGMA user_version = 5";
    let schema = format!(
        "{NOTES}; CREATE UNIQUE INDEX one ON notes (text);
        CREATE TABLE counts (id TEXT PRIMARY KEY, n INTEGER);
        CREATE TABLE parts (id TEXT PRIMARY KEY, note TEXT REFERENCES notes (id) ON DELETE CASCADE);
        CREATE TRIGGER counting AFTER INSERT ON notes BEGIN
            INSERT INTO counts VALUES ('n', 1) ON CONFLICT DO UPDATE SET n = n + 1; END"
    );
    let mut devices = Vec::new();
    for (name, settings) in [("a.db", ""), ("b.db", all_set)] {
        let connection = Connection::open(folder.path().join(name)).unwrap();
        let lent = prepared(connection, &format!("{schema}; {settings}"));
        if !settings.is_empty() {
            let lent = lent.lock().unwrap();
            lent.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
            lent.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).unwrap();
            lent.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).unwrap();
        }
        devices.push(lent);
    }
    let before: Vec<_> = devices.iter().map(settings).collect();
    let tables = ["notes", "counts", "parts"];
    let on_a = client(devices[0].clone(), &tables, &cloud).await;
    let on_b = client(devices[1].clone(), &tables, &cloud).await;
    run(
        &devices[0],
        "INSERT INTO notes VALUES ('a', '1'), ('b', '2'); INSERT INTO parts VALUES ('p', 'a')",
    );
    for client in [&on_a, &on_b] {
        client.sync().await.unwrap();
    }
    run(
        &devices[0],
        "UPDATE notes SET text = -text; UPDATE notes SET text = 3 + text; DELETE FROM parts",
    );
    for client in [&on_a, &on_b] {
        assert_eq!(client.sync().await.unwrap().deferred, []);
    }
    assert_eq!(on_b.sync().await.unwrap().pushed, 0);
    for lent in &devices {
        let rows = "SELECT group_concat(notes.id || text || ' ' || n, ',' ORDER BY notes.id) FROM notes, counts";
        assert_eq!(all(lent, rows), ["a2 2,b1 2"]);
    }
    let after: Vec<_> = devices.iter().map(settings).collect();
    assert_eq!(before, after);
}
