//! A small notes program in the terminal, as a model of an application that syncs with db-to-cloud.
//!
//! | file | what it does |
//! |---|---|
//! | `note`, `store` | the application's own notes in its own SQLite database; they know of no sync |
//! | `sync` | **the sync**: ten lines to set it up, and a loop in the background |
//! | `remote` | which storage a URL means: to be copied |
//! | `conflicts` | conflicts are kept for the person, and hold up nothing else |
//! | `status` | what the sync told, in words |
//! | `app` | what a key does, without a terminal |
//! | `view` | how it looks |
//! | `main` | the terminal |

mod app;
mod conflicts;
mod note;
pub mod remote;
mod status;
mod store;
pub mod sync;
mod view;

pub use app::App;
pub use conflicts::{Choice, Conflicts, Person, Versions};
pub use note::Note;
pub use status::{Mood, Status};
pub use store::Store;
