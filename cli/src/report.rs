//! The outcome of a sync, for people and for scripts.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use db_to_cloud::{DeferReason, DocumentId, Error, Report, Requests, Timestamp};
use db_to_cloud_folder::{SkipReason, Skipped};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, note};
use crate::side::Waiting;

/// The report as `--json` prints it. Its keys are a promise.
#[derive(Debug, Serialize)]
struct Json {
    version: u64,
    pulled: u64,
    pushed: u64,
    deleted: u64,
    conflicts: u64,
    deferred: usize,
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
}

/// A line of `--watch --json`. Its keys are a promise, those of the report among them.
#[derive(Debug, Serialize)]
struct JsonLine {
    time: String,
    /// `synced`.
    event: &'static str,
    #[serde(flatten)]
    report: Json,
}

/// The line that says that syncs fail for now.
#[derive(Debug, Serialize)]
struct JsonTrouble {
    time: String,
    /// `put-off`.
    event: &'static str,
    error: String,
}

/// Lines of one kind that are shown without `-v`.
const LINES: usize = 20;

/// Prints the outcome.
pub(crate) fn print(report: &Report, json: bool) -> Result<(), Failure> {
    match json {
        true => output::json(&Json::from(report)),
        false => output::result(summary(report)),
    }
}

/// Prints the outcome of one sync of several.
pub(crate) fn print_line(time: Timestamp, report: &Report, json: bool) -> Result<(), Failure> {
    match json {
        true => output::json(&JsonLine {
            time: time.to_string(),
            event: "synced",
            report: Json::from(report),
        }),
        false => output::result(format_args!("{time}  {}", summary(report))),
    }
}

/// Prints for scripts that syncs fail for now.
pub(crate) fn print_trouble(time: Timestamp, error: &Error) -> Result<(), Failure> {
    let (time, error) = (time.to_string(), error.to_string());
    output::json(&JsonTrouble { time, event: "put-off", error })
}

/// 0, or 3 if something needs a look.
pub(crate) fn exit_code(report: &Report, skipped: &[Skipped], waiting: &Waiting) -> ExitCode {
    let is_left_out =
        |s: &Skipped| matches!(s.reason, SkipReason::Unreadable(_) | SkipReason::KeptIn(_));
    let look = skipped.iter().any(is_left_out)
        || waiting.is_incomplete()
        || !report.copies.is_empty()
        || !report.deferred.is_empty();
    ExitCode::from(if look { 3 } else { 0 })
}

fn summary(report: &Report) -> String {
    format!(
        "synced: {} pulled, {} pushed, {} deleted, version {} ({:.1} s)",
        report.pulled,
        report.pushed,
        report.deleted,
        report.version,
        report.elapsed.as_secs_f64()
    )
}

/// The ways on where the storage has lost documents.
const WAYS: [&str; 2] = ["--verify", "--give-up-missing"];

fn missing(report: &Report) -> usize {
    report.deferred.iter().filter(|deferred| deferred.reason == DeferReason::Missing).count()
}

impl From<&Report> for Json {
    fn from(report: &Report) -> Self {
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
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            elapsed_ms: report.elapsed.as_millis(),
        }
    }
}

/// Tells what needs a look.
pub(crate) fn explain(report: &Report, verbose: bool) {
    if report.is_new_storage {
        note("there was no storage in this place: a new one was begun");
    }
    if report.put_again > 0 {
        note(format_args!("put again, as the storage had lost them: {}", report.put_again));
    }
    let given_up = report
        .given_up
        .iter()
        .map(|id| format!("lost by the storage, and replaced by what this device has: {id}"));
    tell(given_up, verbose);
    let copies = report.copies.iter().map(|copy| format!("kept both: this device's is {copy}"));
    tell(copies, verbose);
    if !report.copies.is_empty() {
        note("hint: join each copy with the file it is named after, then delete the copy");
    }
    let deferred = report.deferred.iter().map(|deferred| {
        format!("not synced: {}: {}: {}", deferred.id, reason(deferred.reason), deferred.detail)
    });
    tell(deferred, verbose);
    let mut hints: Vec<_> = report.deferred.iter().map(|d| advice(d.reason)).collect();
    hints.sort_unstable();
    hints.dedup();
    hints.iter().for_each(|hint| note(format_args!("hint: {hint}")));
}

/// Tells what is no document and why; without `-v` only what may surprise.
pub(crate) fn explain_skipped(skipped: &[Skipped], verbose: bool) {
    let surprise = |s: &&Skipped| {
        use SkipReason::{KeptIn, NotAccepted, Storage, Unreadable};
        verbose || matches!(s.reason, Unreadable(_) | NotAccepted | KeptIn(_) | Storage)
    };
    tell(skipped.iter().filter(surprise).map(|s| format!("skipped: {s}")), verbose);
    if skipped.iter().any(|s| s.reason == SkipReason::NotAccepted) {
        note(
            "hint: look at the patterns; --accept-ignore lets them decide what goes out from here",
        );
    }
}

/// Says what is kept without being rows, by tables, and which tables are left out.
pub(crate) fn explain_waiting(waiting: &Waiting, verbose: bool) {
    let mut tables = BTreeMap::<String, usize>::new();
    let for_others: HashSet<_> = waiting.for_others.iter().collect();
    for id in waiting.held.iter().filter(|id| !for_others.contains(id)) {
        *tables.entry(table(id)).or_default() += 1;
    }
    for (table, count) in &tables {
        note(format_args!("held, and no rows here yet: {count} of the table {table}"));
    }
    if !tables.is_empty() {
        note("hint: they become rows once their table is there and named with --table");
    }
    let others = waiting.for_others.iter();
    let others =
        others.map(|id| format!("not synced: {id}: the row that it refers to has not come"));
    tell(others, verbose);
    if !waiting.for_others.is_empty() {
        note(
            "hint: they are kept, and become rows when those rows come: if these are missing on the \
             other device too, add them there, or end the reference",
        );
    }
    for (table, why) in &waiting.aside {
        note(format_args!("not synced: the table {table:?}: {why}"));
    }
    if !waiting.aside.is_empty() {
        note("hint: edits of its rows are kept, and synced when the table can be read again");
    }
}

/// The table of a row, as its id names it.
fn table(id: &DocumentId) -> String {
    let id = id.to_string();
    let parts: Result<Vec<serde_json::Value>, _> = serde_json::from_str(&id);
    parts.ok().and_then(|parts| parts.first().map(ToString::to_string)).unwrap_or(id)
}

/// Shows lines of one kind; without `-v` not all of many.
pub(crate) fn tell(lines: impl Iterator<Item = String>, verbose: bool) {
    let lines: Vec<String> = lines.collect();
    let shown = if verbose { lines.len() } else { LINES };
    lines.iter().take(shown).for_each(note);
    if lines.len() > shown {
        note(format_args!("… and {} more: -v shows all", lines.len() - shown));
    }
}

/// Why a document was set aside, for people.
pub(crate) fn reason(reason: DeferReason) -> &'static str {
    match reason {
        DeferReason::Conflict => "in conflict",
        DeferReason::Unreadable => "cannot be read",
        DeferReason::Refused => "cannot be written here",
        DeferReason::Missing => "missing in the storage",
        DeferReason::NotFetched => "the storage did not give it",
        DeferReason::NotStored => "the storage did not take it",
        DeferReason::KeepsChanging => "it changed while it was synced",
        _ => "set aside",
    }
}

fn advice(reason: DeferReason) -> &'static str {
    match reason {
        DeferReason::Conflict => "to settle conflicts choose with --on-conflict, then sync again",
        DeferReason::Unreadable => {
            "let this user read the files or rows, and mount the drives that they lie on, then sync again; \
             if a drive is gone for good, --forget-drive takes its documents for deleted"
        }
        DeferReason::Refused => {
            "remove what is in the way here, then sync again; --open-guard takes files that programs obey"
        }
        DeferReason::Missing => {
            "sync the device that wrote the missing document with --verify, then this one; if its \
             bytes do not come back, --give-up-missing puts what this device has in their place"
        }
        DeferReason::NotFetched | DeferReason::NotStored => "mend the storage, then sync again",
        DeferReason::KeepsChanging => "sync again when the files are at rest",
        _ => "sync again",
    }
}
