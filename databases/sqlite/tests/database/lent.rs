//! Connections that the application lends.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{BoxError, Client, ErrorKind, RemoteWins};
use db_to_cloud_sqlite::{Connections, SqliteDatabase, SqliteError};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

pub(crate) type Lent = Arc<Mutex<Connection>>;

pub(crate) async fn client(
    connections: impl Connections + 'static,
    tables: &[&str],
    cloud: &MemoryAdapter,
) -> Client {
    let database = SqliteDatabase::on(connections, tables.iter().copied()).unwrap();
    let state = Arc::new(database.state("cloud").await.unwrap());
    let cloud = Arc::new(cloud.clone());
    Client::builder(cloud, Arc::new(database), state, Arc::new(RemoteWins)).build()
}

/// A table with an id by a collation, an index by a function, and a trigger that calls it, all of which only
/// the application has; and one that counts.
const OWN: &str = "
    CREATE TABLE notes (id TEXT PRIMARY KEY COLLATE OWN, text TEXT);
    CREATE UNIQUE INDEX folded ON notes (fold(text));
    CREATE TABLE counts (id TEXT PRIMARY KEY, n INTEGER);
    CREATE TABLE words (word TEXT);
    INSERT INTO counts VALUES ('notes', 0);
    CREATE TRIGGER counting AFTER INSERT ON notes BEGIN
        UPDATE counts SET n = n + 1; INSERT INTO words VALUES (fold(NEW.text)); END";

pub(crate) fn prepared(connection: Connection, schema: &str) -> Lent {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let fold = |c: &rusqlite::functions::Context<'_>| Ok(c.get::<String>(0)?.to_uppercase());
    connection.create_scalar_function("fold", 1, flags, fold).unwrap();
    connection.create_collation("OWN", |a, b| a.to_lowercase().cmp(&b.to_lowercase())).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.execute_batch(schema).unwrap();
    Arc::new(Mutex::new(connection))
}

pub(crate) fn run(lent: &Lent, sql: &str) {
    lent.lock().unwrap().execute_batch(sql).unwrap();
}

pub(crate) fn all(lent: &Lent, sql: &str) -> Vec<String> {
    let lent = lent.lock().unwrap();
    let mut statement = lent.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn databases_in_memory_with_functions_of_their_own_sync_and_stay_the_applications() {
    let cloud = MemoryAdapter::new();
    let memory = || prepared(Connection::open_in_memory().unwrap(), OWN);
    let (laptop, phone) = (memory(), memory());
    let on_laptop = client(laptop.clone(), &["notes", "counts"], &cloud).await;
    let on_phone = client(phone.clone(), &["notes", "counts"], &cloud).await;
    on_laptop.sync().await.unwrap();
    on_phone.sync().await.unwrap();
    run(&laptop, "INSERT INTO notes VALUES ('a', 'milk'), ('b', 'oats')");
    assert_eq!(on_laptop.sync().await.unwrap().pushed, 3);
    assert_eq!(on_phone.sync().await.unwrap().pulled, 3);
    assert_eq!(all(&phone, "SELECT text || ' ' || n FROM notes, counts"), ["milk 2", "oats 2"]);
    assert_eq!(all(&phone, "SELECT word FROM words"), ["MILK", "OATS"]);
    // The application's own writes on the connection are as ever.
    run(&phone, "INSERT INTO notes VALUES ('c', 'soup')");
    assert_eq!(all(&phone, "SELECT n || '' FROM counts"), ["3"]);
    on_phone.sync().await.unwrap();
    on_laptop.sync().await.unwrap();
    assert_eq!(
        all(&laptop, "SELECT text || ' ' || n FROM notes, counts WHERE notes.id = 'C'"),
        ["soup 3"]
    );
    assert_eq!(all(&phone, "SELECT name FROM sqlite_temp_schema"), [""; 0]);
    assert_eq!(all(&phone, "SELECT foreign_keys || '' FROM pragma_foreign_keys"), ["1"]);
    let functions = "SELECT name FROM pragma_function_list WHERE name LIKE 'db_to_cloud%'";
    assert_eq!(all(&phone, functions), [""; 0]);
    assert_eq!(on_phone.sync().await.unwrap().pushed, 0);
    SqliteDatabase::detach_on(&phone).unwrap();
    let ours = "SELECT name FROM sqlite_schema WHERE name LIKE 'db\\_to\\_cloud%' ESCAPE '\\'";
    assert_eq!(all(&phone, ours), [""; 0]);
    assert_eq!(all(&phone, "SELECT n || '' FROM counts"), ["3"]);
}

#[tokio::test]
async fn a_file_that_is_locked_exclusively_is_synced_on_the_connection_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = MemoryAdapter::new();
    let path = folder.path().join("app.db");
    let schema = "PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE notes (id TEXT PRIMARY KEY);
        INSERT INTO notes VALUES ('a')";
    let lent = prepared(Connection::open(&path).unwrap(), schema);
    let client_here = client(lent.clone(), &["notes"], &cloud).await;
    assert!(Connection::open(&path).unwrap().execute_batch("SELECT * FROM notes").is_err());
    assert_eq!(client_here.sync().await.unwrap().pushed, 1);
    run(&lent, "INSERT INTO notes VALUES ('b')");
    assert_eq!(client_here.sync().await.unwrap().pushed, 1);
    let lock = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
    assert!(lock.into_iter().any(|name| name.to_string_lossy().ends_with("-lock-1")));
}

#[tokio::test]
async fn a_connection_in_a_transaction_is_refused_and_the_transaction_goes_on() {
    let cloud = MemoryAdapter::new();
    let lent =
        prepared(Connection::open_in_memory().unwrap(), "CREATE TABLE notes (id TEXT PRIMARY KEY)");
    run(&lent, "BEGIN; INSERT INTO notes VALUES ('a')");
    let error = SqliteDatabase::on(lent.clone(), ["notes"]).unwrap_err();
    assert!(matches!(error, SqliteError::Lent { .. }), "{error}");
    assert!(error.to_string().contains("in a transaction"), "{error}");
    run(&lent, "COMMIT");
    let client = client(lent.clone(), &["notes"], &cloud).await;
    run(&lent, "BEGIN; INSERT INTO notes VALUES ('b')");
    assert_eq!(client.sync().await.unwrap_err().kind(), ErrorKind::State);
    run(&lent, "COMMIT");
    assert_eq!(client.sync().await.unwrap().pushed, 2);
}

#[tokio::test]
async fn two_syncs_of_one_database_in_memory_exclude_each_other() {
    let cloud = MemoryAdapter::new();
    let lent =
        prepared(Connection::open_in_memory().unwrap(), "CREATE TABLE notes (id TEXT PRIMARY KEY)");
    let database = SqliteDatabase::on(lent.clone(), ["notes"]).unwrap();
    let state = database.state("cloud").await.unwrap();
    let claim = db_to_cloud::state::StateStore::claim(&state).await.unwrap();
    let client =
        Client::builder(Arc::new(cloud), Arc::new(database), Arc::new(state), Arc::new(RemoteWins));
    let client = client.build();
    assert_eq!(client.sync().await.unwrap_err().kind(), ErrorKind::Busy);
    drop(claim);
    client.sync().await.unwrap();
    // Also if it was opened twice; another database is another one.
    let again = SqliteDatabase::on(lent, ["notes"]).unwrap().state("cloud").await.unwrap();
    let _claim = db_to_cloud::state::StateStore::claim(&again).await.unwrap();
    assert_eq!(client.sync().await.unwrap_err().kind(), ErrorKind::Busy);
    let other =
        prepared(Connection::open_in_memory().unwrap(), "CREATE TABLE notes (id TEXT PRIMARY KEY)");
    let other = SqliteDatabase::on(other, ["notes"]).unwrap().state("cloud").await.unwrap();
    assert!(db_to_cloud::state::StateStore::claim(&other).await.is_ok());
}

/// Opens a connection for each use.
struct Fresh(PathBuf);

impl Connections for Fresh {
    fn with(
        &self,
        work: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), BoxError> {
        Ok(work(&mut Connection::open(&self.0)?)?)
    }
}

#[tokio::test]
async fn each_use_may_have_another_connection() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, n UNIQUE); CREATE TABLE total (id TEXT PRIMARY KEY, n);
        CREATE TRIGGER counts AFTER INSERT ON notes BEGIN
            INSERT INTO total VALUES ('n', 1) ON CONFLICT DO UPDATE SET n = n + 1; END";
    let mut clients = Vec::new();
    for name in ["a.db", "b.db"] {
        let path = folder.path().join(name);
        Connection::open(&path).unwrap().execute_batch(schema).unwrap();
        clients.push((path.clone(), client(Fresh(path), &["notes", "total"], &cloud).await));
    }
    let app = Connection::open(&clients[0].0).unwrap();
    app.execute_batch("INSERT INTO notes VALUES ('x', 1), ('y', 2)").unwrap();
    for (_, client) in &clients {
        client.sync().await.unwrap();
    }
    let swap = "UPDATE notes SET n = -n; UPDATE notes SET n = 3 + n";
    app.execute_batch(swap).unwrap();
    for (_, client) in &clients {
        assert_eq!(client.sync().await.unwrap().deferred, []);
    }
    let b = Connection::open(&clients[1].0).unwrap();
    let rows = "SELECT group_concat(notes.id || notes.n || ' ' || total.n) FROM notes, total";
    let rows: String = b.query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, "x2 2,y1 2");
}
