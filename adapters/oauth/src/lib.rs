//! Sign-in by OAuth 2 for the adapters that need it.

mod token;

pub use token::{AccessToken, StaticToken, TokenProvider};
