//! Sign-in by OAuth 2 for the adapters that need it: Dropbox and Google Drive.
//!
//! An adapter asks a [`TokenProvider`] for access tokens. [`Refreshing`] is the usual one: it keeps what
//! a [`SignIn`] gave in a [`TokenStore`] and renews it. An application that signs its users in by
//! itself brings its own provider.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use db_to_cloud_oauth::{Application, FileStore, Provider, Refreshing, SignIn, TokenStore};
//!
//! # async fn example() -> Result<(), db_to_cloud::Error> {
//! let store = FileStore::new("/home/ada/.config/notes/dropbox.json");
//! if store.load().await?.is_none() {
//!     let sign_in = SignIn::new(Provider::dropbox(), Application::new("the app key"))?;
//!     let attempt = sign_in.by_browser().await?;
//!     println!("open {}", attempt.url());
//!     store.save(&attempt.wait(Duration::from_secs(300)).await?).await?;
//! }
//! let tokens = Refreshing::new(Provider::dropbox(), Arc::new(store))?;
//! # Ok(()) }
//! ```
//!
//! Which file does what: `provider.rs` what is peculiar to a service, `application.rs` who asks,
//! `sign_in.rs` with `loopback.rs` and `answer.rs` how a user signs in, `tokens.rs` what comes of it,
//! `store.rs`, `file_store.rs` with `private.rs`, `keyring_store.rs` where it is kept, `refreshing.rs` with
//! `renewal.rs` and `current.rs` how it is renewed, `sign_out.rs` how it ends, `wire.rs` the requests, `error.rs` what went wrong,
//! `token.rs` what an adapter sees of all this.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod answer;
mod application;
mod current;
mod error;
mod file_store;
#[cfg(feature = "keyring")]
mod keyring_store;
mod loopback;
mod private;
mod provider;
mod refreshing;
mod renewal;
mod sign_in;
mod sign_out;
mod store;
mod token;
mod tokens;
mod wire;

pub use application::Application;
pub use file_store::FileStore;
#[cfg(feature = "keyring")]
pub use keyring_store::KeyringStore;
pub use provider::{DRIVE_APPDATA, DRIVE_FILE, Endpoints, Provider};
pub use refreshing::Refreshing;
pub use sign_in::{Attempt, SignIn};
pub use sign_out::{SignedOut, sign_out};
pub use store::{MemoryStore, StoreLock, TokenStore};
pub use token::{AccessToken, StaticToken, TokenProvider};
pub use tokens::Tokens;
