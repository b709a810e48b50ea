//! Client state of db-to-cloud in SQLite.
//!
//! [`SqliteState`] is the durable [`State`](db_to_cloud::state::State) of a client: one SQLite file,
//! in which each remote has its records under a name that the application chooses.
//!
//! ```
//! use db_to_cloud::state::{State, Table, Update};
//! use db_to_cloud_sqlite::SqliteState;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("sync.sqlite");
//! let state = SqliteState::open(path, "my-bucket")?;
//! let record = Update { table: Table::Metadata, key: "v".into(), value: Some(b"7".to_vec()) };
//! state.write(vec![], vec![record]).await?;
//! assert_eq!(state.read(Table::Metadata, &["v".into()]).await?, [Some(b"7".to_vec())]);
//! # Ok(())
//! # }
//! ```

mod attach;
mod batch;
mod cell;
mod claim;
mod database;
mod document;
mod drain;
mod error;
mod extra;
mod key;
mod list;
mod migrate;
mod order;
mod own;
mod parents;
mod problem;
mod queue;
mod read;
mod records;
mod schema;
mod shape;
mod state;
mod statements;
mod table;
mod triggers;
mod unique;
mod write;

pub use database::{SqliteDatabase, SqliteDatabaseBuilder};
pub use error::SqliteError;
pub use queue::queue_change;
pub use state::SqliteState;
pub use table::Table;
