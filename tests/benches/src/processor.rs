//! The time that the processors spent on this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time on all processors since this process began, waiting left out.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // It is never negative, and its second number is below a second.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
