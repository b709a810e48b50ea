//! What the benchmarks of the core are made with: a storage that is as far away as one likes, and a
//! clock of the processor. The benchmarks themselves are in `benches/core`; run them by
//! `cargo xtask bench core`.

mod processor;
mod slow;

pub use processor::processor_time;
pub use slow::{CONCURRENCY, SlowAdapter};
