//! db-to-cloud through a folder: a local disk, a USB stick, a network share.
//!
//! ```
//! use std::sync::Arc;
//!
//! use db_to_cloud::{Adapter, Created, Key};
//! use db_to_cloud_fs::FsAdapter;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), db_to_cloud::Error> {
//! # let drive = tempfile::tempdir().unwrap();
//! # let drive = drive.path();
//! let storage: Arc<dyn Adapter> = Arc::new(FsAdapter::open(drive.join("notes"))?);
//! let slot = Key::change(1);
//! assert_eq!(storage.create(&slot, "first".into()).await?, Created::New);
//! assert_eq!(storage.create(&slot, "second".into()).await?, Created::Occupied);
//! assert_eq!(storage.get(&slot).await?.unwrap(), "first");
//! # Ok(()) }
//! ```
//!
//! Each object is a file of the same name. A write goes to a file in the hidden folder `.tmp`, is
//! forced to the disk, and only then gets its name: by `rename` for
//! [`put`](db_to_cloud::Adapter::put), by `link`, which refuses a name in use, for
//! [`create`](db_to_cloud::Adapter::create). A crash leaves the old content, the new, or nothing.
//!
//! # Who may read it
//! A storage is private, for a document may be: a folder that is made here has the mode 0700, and so
//! have its folders; its files, temporary ones too, have 0600 from their first moment on. So it is in
//! a folder that was there before, whatever the umask, unless that folder is evidently shared between
//! users:
//! - Others may write it, and it has no sticky bit. What is made in it then has its bits for group and
//!   others.
//! - Its group may write it, and it has the set-group-ID bit, a default access control list, or a group
//!   that is not the one of this process. Then the bits of the group follow.
//!
//! What is there already keeps its mode; but a copy is not made as a second name of a file that others
//! may read. In a shared folder another user's files can be replaced and deleted, as the folders allow it.
//! To share a storage, make its folder first, with `mkdir -m 2770`.
//!
//! # Where nothing can be written
//! A storage on a drive that is mounted read-only, or that is full, is opened and read. A write is an
//! error that names the storage and the cause.
//!
//! Which file does what: `adapter.rs` the trait, `open.rs` finds out what the file system can do,
//! `tree.rs` opens files without following links, `modes.rs` says who may read them, `temp.rs` and `write.rs` write them, `list.rs`
//! lists them, `names.rs` all that lies around, `wait.rs` waits for another commit, `error.rs` says what went wrong.
//!
//! What it guarantees on which file system is in the `README.md`. On Windows folders
//! are opened so that nobody can rename or remove them meanwhile, and no link is followed; what is made there is as
//! private as the folder around it, as its access list is inherited.

mod adapter;
mod carrier;
mod config;
mod error;
mod list;
#[cfg(unix)]
mod modes;
mod names;
mod open;
mod seen;
mod sys;
mod temp;
mod tree;
mod wait;
mod write;

pub use adapter::FsAdapter;
pub use config::Sharing;
