//! Databases in memory, on connections of the application: an encrypted file is opened the same way.
//!
//! ```sh
//! cargo run --example own_connection
//! ```
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::sync::{Arc, Mutex};

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{BoxError, Client, RemoteWins};
use db_to_cloud_sqlite::SqliteDatabase;
use db_to_cloud_sqlite::rusqlite::functions::{Context, FunctionFlags};
use db_to_cloud_sqlite::rusqlite::{Connection, Result};

/// A connection as the application makes it, with a function that its index needs. For SQLCipher the key
/// would be set here.
fn connect() -> Result<Arc<Mutex<Connection>>> {
    let connection = Connection::open_in_memory()?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let fold = |c: &Context<'_>| Ok(c.get::<String>(0)?.to_lowercase());
    connection.create_scalar_function("fold", 1, flags, fold)?;
    connection.execute_batch(
        "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL);
        CREATE INDEX folded ON notes (fold(text))",
    )?;
    Ok(Arc::new(Mutex::new(connection)))
}

/// Syncs the table on this connection, which stays the application's.
async fn client(
    connection: Arc<Mutex<Connection>>,
    cloud: MemoryAdapter,
) -> Result<Client, BoxError> {
    let database = SqliteDatabase::on(connection, ["notes"])?;
    let state = database.state("cloud").await?;
    let (database, state) = (Arc::new(database), Arc::new(state));
    Ok(Client::builder(Arc::new(cloud), database, state, Arc::new(RemoteWins)).build())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let cloud = MemoryAdapter::new();
    let (laptop, phone) = (connect()?, connect()?);
    let on_laptop = client(laptop.clone(), cloud.clone()).await?;
    let on_phone = client(phone.clone(), cloud).await?;
    lock(&laptop)?.execute("INSERT INTO notes VALUES ('a', 'Milk')", [])?;
    on_laptop.sync().await?;
    on_phone.sync().await?;
    let found = "SELECT text FROM notes WHERE fold(text) = 'milk'";
    let text: String = lock(&phone)?.query_row(found, [], |row| row.get(0))?;
    println!("the phone has {text:?}");
    Ok(())
}

fn lock(connection: &Mutex<Connection>) -> Result<std::sync::MutexGuard<'_, Connection>, BoxError> {
    connection.lock().map_err(|_| "a thread panicked".into())
}

#[cfg(test)]
#[test]
fn it_runs_to_its_end() {
    main().unwrap();
}
