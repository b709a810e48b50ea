//! What was measured, as text.

use std::time::Duration;

use crate::{BYTES, CONCURRENCY, STEPS};

/// The ways, in the order in which they are made.
const WAYS: [&str; 4] =
    ["db-to-cloud, files", "db-to-cloud, memory", "one by one", "rclone copy, files"];
const ONE_BY_ONE: usize = 2;
const RCLONE: usize = 3;

/// Times in seconds of each step and way, and requests.
pub(crate) struct Table {
    times: Vec<[Vec<f64>; 4]>,
    requests: Vec<[usize; 4]>,
}

impl Table {
    pub(crate) fn new(requests: Vec<[usize; 4]>) -> Self {
        Self { times: vec![Default::default(); STEPS.len()], requests }
    }

    pub(crate) fn add(&mut self, step: usize, way: usize, time: Duration) {
        self.times[step][way].push(time.as_secs_f64());
    }

    pub(crate) fn print(&self, rounds: usize) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        println!(
            "{BYTES} bytes a document, {CONCURRENCY} requests at once, medians of {rounds} round(s); \
             load average at the end {load}\n\
             ratios: how many times as long as rclone, how many times as fast as one by one, each \
             within a round (least to most)"
        );
        for (step, name) in STEPS.iter().enumerate() {
            println!(
                "\n{name:<28}{:>9}{:>9}   {:<22}faster than one by one",
                "requests", "seconds", "of rclone's time"
            );
            for way in 0..WAYS.len() {
                self.print_row(step, way);
            }
        }
    }

    fn print_row(&self, step: usize, way: usize) {
        let times = &self.times[step];
        let [_, seconds, _] = spread(times[way].iter().copied());
        let requests = self.requests[step][way];
        let ratio = |over: usize, under: usize| {
            if over == under {
                return "-".to_owned();
            }
            let [least, median, most] =
                spread(times[over].iter().zip(&times[under]).map(|(over, under)| over / under));
            if times[over].len() == 1 {
                return format!("{median:.2}");
            }
            format!("{median:.2} ({least:.2} to {most:.2})")
        };
        let (of_rclone, faster) = (ratio(way, RCLONE), ratio(ONE_BY_ONE, way));
        println!("  {:<26}{requests:>9}{seconds:>9.3}   {of_rclone:<22}{faster}", WAYS[way]);
    }
}

/// The least, the median and the most.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}
