//! The outcome of a sync, for scripts.

mod lists;

use db_to_cloud::{DeferReason, Report, Requests, Timestamp};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;
use crate::side::LeftOut;
use lists::Lists;

/// The report as `--json` prints it. Its keys are a promise.
#[derive(Debug, Serialize)]
struct Json<'a> {
    version: u64,
    pulled: u64,
    pushed: u64,
    deleted: u64,
    conflicts: u64,
    deferred: usize,
    /// Documents of the storage that are not in the selection of this device.
    excluded: u64,
    requests: Requests,
    bytes_up: u64,
    bytes_down: u64,
    elapsed_ms: u128,
    /// Which storage it is; null before its first commit.
    storage: Option<String>,
    /// This sync has begun the storage.
    new_storage: bool,
    /// Documents that the storage had lost.
    put_again: u64,
    /// Deferred documents that the storage has lost.
    missing: usize,
    /// Lost documents that this device's took the place of.
    given_up: usize,
    /// What may be done about the deferred ones.
    ways: Vec<&'static str>,
    #[serde(flatten)]
    lists: Lists<'a>,
}

/// A line of `--watch --json`. Its keys are a promise, those of the report among them.
#[derive(Debug, Serialize)]
struct JsonLine<'a> {
    time: String,
    /// `synced`.
    event: &'static str,
    #[serde(flatten)]
    report: Json<'a>,
}

/// The line that says that syncs fail for now.
#[derive(Debug, Serialize)]
struct JsonTrouble {
    time: String,
    /// `put-off`.
    event: &'static str,
    error: String,
}

/// Prints the outcome as one object.
pub(super) fn print(report: &Report, left_out: &LeftOut) -> Result<(), Failure> {
    output::json(&Json::of(report, left_out))
}

/// Prints the outcome of one sync of several.
pub(super) fn print_line(
    time: Timestamp,
    report: &Report,
    left_out: &LeftOut,
) -> Result<(), Failure> {
    let report = Json::of(report, left_out);
    output::json(&JsonLine { time: time.to_string(), event: "synced", report })
}

/// Prints for scripts that syncs fail for now.
pub(crate) fn print_trouble(time: Timestamp, error: String) -> Result<(), Failure> {
    output::json(&JsonTrouble { time: time.to_string(), event: "put-off", error })
}

/// The ways on where the storage has lost documents.
const WAYS: [&str; 2] = ["--verify", "--give-up-missing"];

fn missing(report: &Report) -> usize {
    report.deferred.iter().filter(|deferred| deferred.reason == DeferReason::Missing).count()
}

impl<'a> Json<'a> {
    fn of(report: &'a Report, left_out: &'a LeftOut) -> Self {
        Self {
            version: report.version,
            storage: report.storage.map(|storage| storage.to_string()),
            new_storage: report.is_new_storage,
            put_again: report.put_again,
            missing: missing(report),
            given_up: report.given_up.len(),
            ways: if missing(report) > 0 { WAYS.to_vec() } else { Vec::new() },
            pulled: report.pulled,
            pushed: report.pushed,
            deleted: report.deleted,
            conflicts: report.conflicts,
            deferred: report.deferred.len(),
            excluded: report.excluded,
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            elapsed_ms: report.elapsed.as_millis(),
            lists: Lists::of(report, left_out),
        }
    }
}
