//! A folder whose files are the documents: the [`Database`](db_to_cloud::Database) of
//! `db-to-cloud sync ./notes <REMOTE>`. For Linux, macOS and
//! Windows.
//!
//! # What is a document
//! - Every regular file, hidden ones too. Its id is the path within the folder with `/` between the
//!   segments, its bytes as they are: names are not normalised, so that two names are one document
//!   only where the file system says so. Its revision is the SHA-256 of its content.
//! - Not a document: what lies in `.db-to-cloud` (the state of the sync, at any level), symbolic
//!   links, which are never followed, sockets, pipes, devices, and files whose name is not UTF-8.
//!   [`FolderDatabase::skipped`] tells which they were.
//! - Not a document either: the files of a storage of db-to-cloud ([`is_storage`]) that lies in the
//!   folder, at any level. Other files beside them are documents.
//! - Empty folders are not synced: a folder comes with its first file and goes with its last.
//! - Beside the content only this is synced, with each edit of it: who may not use the file (the
//!   [attribute](db_to_cloud::Attributes) `private`: `true`, or `"others"`), and whether the owner may execute it
//!   (`executable`). A replaced file keeps its other permission bits, but not its owner, its extended
//!   attributes or its hard links.
//!
//! # What is ignored
//! Files named `.db-to-cloud-ignore`, at any level, hold patterns in the syntax of `.gitignore`. As
//! with git they keep files *out*: a document that is synced already stays so. `.gitignore` and the
//! excludes of git mean nothing here.
//!
//! What this device uploads is decided here alone: an ignore file that a sync wrote has no effect before a
//! person accepts it ([`FolderDatabase::accept_patterns`]) or edits it. One with a line that cannot be understood
//! ends the listing with an error that names the line.
//!
//! # What is guarded
//! Files that programs obey without being asked, such as the hooks of git and the start files of shells, are
//! [refused](db_to_cloud::Outcome::Refused) until [`FolderDatabase::open_guard`].
//!
//! # What is mounted inside
//! A document on a file system that is not mounted now answers with [`FolderError::NotMounted`]: it is not taken
//! for deleted, and nothing is written in its place.
//!
//! # What is selected
//! A device may sync a [`Selection`] of the files, by patterns of the same syntax
//! ([`FolderDatabase::set_selection`]). The others stay as they are, here and in the storage.
//!
//! # What is never lost
//! A write or delete from another device is made only if the file is what was compared; an edit
//! made meanwhile by any program wins and becomes a conflict. See `install.rs` and `limbo.rs` for
//! how, and [`FolderDatabase`] for what remains.
//!
//! ```
//! use db_to_cloud::{Database, Document, Outcome, Write};
//! use db_to_cloud_folder::FolderDatabase;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), db_to_cloud::BoxError> {
//! # let folder = tempfile::tempdir()?;
//! # let notes = folder.path();
//! let database = FolderDatabase::open(notes)?;
//! let document = Some(Document::of_content("hello"));
//! let id = "2026/november.md".into();
//! let write = Write { id, document, expected: None, moved_from: None };
//! assert!(matches!(database.apply(vec![write]).await[..], [Outcome::Done]));
//! assert_eq!(std::fs::read_to_string(notes.join("2026/november.md"))?, "hello");
//! # Ok(())
//! # }
//! ```

#[cfg(not(any(unix, windows)))]
compile_error!("db-to-cloud-folder runs on Unix and on Windows");

mod apply;
mod arrivals;
mod attributes;
mod batch;
mod cache;
mod content;
mod copies;
mod database;
mod decisions;
mod epochs;
mod error;
mod folders;
mod guarded;
#[cfg(test)]
mod hammer;
mod install;
mod limbo;
mod limbos;
mod memory;
mod mounts;
mod obstacle;
mod path;
mod patterns;
mod record;
mod respell;
mod root;
mod selection;
mod shared;
mod skipped;
mod stamp;
mod state_folder;
mod storage;
mod survey;
mod sweep;
mod sys;
mod walk;
mod windows_names;

pub use copies::{conflict_copy_id, is_conflict_copy};
pub use database::FolderDatabase;
pub use error::FolderError;
pub use selection::Selection;
pub use skipped::{SkipReason, Skipped, path_text};
pub use storage::is_storage;
