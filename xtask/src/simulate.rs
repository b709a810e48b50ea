//! `cargo xtask simulate`: long runs of the simulator.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{USAGE, exit_code, run_with};

const CARGO: &[&str] = &[
    "test",
    "--release",
    "--locked",
    "--package",
    "db-to-cloud-tests",
    "--test",
    "simulator",
    "--",
    "--nocapture",
    // Not the test of the traces.
    "storage",
];

/// Plays new seeds for some time, or one seed again.
pub(crate) fn simulate(arguments: &[String]) -> ExitCode {
    let Some((seconds, seed)) = parse(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let environment = match seed {
        Some(seed) => vec![("DB_TO_CLOUD_SEED", seed.to_string())],
        None => {
            // Where nobody has been before: a second has room for a million runs.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let first = now.as_secs() * 1_000_000;
            println!("== seeds from {first} on, for {seconds} s");
            vec![
                ("DB_TO_CLOUD_FROM", first.to_string()),
                ("DB_TO_CLOUD_RUNS", format!("{seconds}s")),
            ]
        }
    };
    exit_code(run_with(&("simulate", CARGO), &environment))
}

/// The seconds, and the seed if one is given.
fn parse(arguments: &[String]) -> Option<(u64, Option<u64>)> {
    let (mut seconds, mut seed) = (600, None);
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--seconds" => seconds = value.parse().ok()?,
            [name, value] if name == "--seed" => seed = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some((seconds, seed))
}
