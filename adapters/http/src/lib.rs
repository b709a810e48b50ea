//! What the adapters that speak HTTP share: how many requests run at once, for how long one may run,
//! and for how long a service asks to be left alone.
//!
//! This crate is a part of the adapters, not of what an application uses.

#[cfg(feature = "reqwest")]
mod exchange;
mod pace;
mod pause;
mod retry_after;
mod start;
mod text;
mod time_limit;

#[cfg(feature = "reqwest")]
pub use exchange::{Answer, NoAnswer, exchange, exchange_start};
pub use pace::{Pace, Turn};
pub use pause::Paused;
pub use retry_after::retry_after;
pub use start::{first_bytes, is_of_nothing, length_of_start};
pub use text::{chain, is_of_tls, is_page, percent_decoded};
pub use time_limit::time_limit;
