//! SQLite for db-to-cloud: the tables of an application's database as documents, and the client
//! state.
//!
//! [`SqliteDatabase`] attaches to tables that are there already. Triggers queue every edit in its
//! own transaction, whoever makes it, so that none can be lost; the rest is
//! [`Client::sync`](db_to_cloud::Client::sync).
//!
//! ```
//! use std::sync::Arc;
//! use db_to_cloud::{Client, RemoteWins, memory::MemoryAdapter};
//! use db_to_cloud_sqlite::SqliteDatabase;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (laptop, phone) = (folder.path().join("laptop.db"), folder.path().join("phone.db"));
//! # for path in [&laptop, &phone] {
//! #     let app = rusqlite::Connection::open(path)?;
//! #     app.execute_batch("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)")?;
//! # }
//! let cloud = MemoryAdapter::new();
//! let client = async |path| -> Result<Client, Box<dyn std::error::Error>> {
//!     let database = SqliteDatabase::open(path, ["notes"])?;
//!     let state = Arc::new(database.state("my-bucket").await?);
//!     let adapter = Arc::new(cloud.clone());
//!     Ok(Client::builder(adapter, Arc::new(database), state, Arc::new(RemoteWins)).build())
//! };
//! let (on_laptop, on_phone) = (client(&laptop).await?, client(&phone).await?);
//!
//! let app = rusqlite::Connection::open(&laptop)?;
//! app.execute("INSERT INTO notes VALUES ('a', 'hello')", [])?;
//! on_laptop.sync().await?;
//! assert_eq!(on_phone.sync().await?.pulled, 1);
//! # let app = rusqlite::Connection::open(&phone)?;
//! # let text: String = app.query_row("SELECT text FROM notes", [], |row| row.get(0))?;
//! # assert_eq!(text, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! [`SqliteState`] alone is the durable [`StateStore`](db_to_cloud::state::StateStore) of a client with any other
//! database: one SQLite file, in which each remote has its records under a name that the
//! application chooses.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod addresses;
mod apart;
mod attach;
mod batch;
mod builder;
mod cell;
mod children;
mod circle;
mod claim;
mod connections;
mod database;
mod document;
mod drain;
mod epoch;
mod error;
mod extra;
mod foreign_keys;
mod guard;
mod index_sql;
mod join;
mod joined;
mod key;
mod known;
mod lent;
mod lift;
mod list;
mod look;
mod migrate;
mod missing;
mod order;
mod own;
mod parents;
mod place;
mod plain;
mod possible;
mod probe;
mod problem;
mod queue;
mod read;
mod records;
mod referred;
mod rename;
mod revive;
mod schema;
mod shape;
mod state;
mod statements;
mod store;
mod survey;
mod table;
mod taken;
mod together;
mod transaction;
mod triggers;
mod turn;
mod unique;
mod waiting;
mod write;

pub use builder::SqliteDatabaseBuilder;
pub use connections::Connections;
pub use database::SqliteDatabase;
pub use error::SqliteError;
pub use queue::queue_change;
pub use state::SqliteState;
pub use survey::Found;
pub use table::Table;

/// The version of rusqlite whose connections an application lends ([`SqliteDatabase::on`]) and whose errors
/// [`SqliteError`] has.
pub use rusqlite;
