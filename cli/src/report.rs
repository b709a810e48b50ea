//! The outcome of a sync, for people and for scripts.

mod json;
mod skipped;

use std::collections::BTreeMap;
use std::process::ExitCode;

use db_to_cloud::{DeferReason, DocumentId, Report, Timestamp};

pub(crate) use json::print_trouble;
pub(crate) use skipped::explain_skipped;

use crate::failure::Failure;
use crate::output::{self, note};
use crate::side::{LeftOut, Waiting};

/// Lines of one kind that are shown without `-v`.
const LINES: usize = 20;

/// Prints the outcome.
pub(crate) fn print(report: &Report, left_out: &LeftOut, json: bool) -> Result<(), Failure> {
    match json {
        true => json::print(report, left_out),
        false => output::result(summary(report)),
    }
}

/// Prints the outcome of one sync of several.
pub(crate) fn print_line(
    time: Timestamp,
    report: &Report,
    left_out: &LeftOut,
    json: bool,
) -> Result<(), Failure> {
    match json {
        true => json::print_line(time, report, left_out),
        false => output::result(format_args!("{time}  {}", summary(report))),
    }
}

/// 0, or 3 if something needs a look.
pub(crate) fn exit_code(report: &Report, left_out: &LeftOut) -> ExitCode {
    let look = left_out.needs_look() || !report.copies.is_empty() || !report.deferred.is_empty();
    ExitCode::from(if look { 3 } else { 0 })
}

fn summary(report: &Report) -> String {
    let excluded = match report.excluded {
        0 => String::new(),
        excluded => format!(", {excluded} left out"),
    };
    format!(
        "synced: {} pulled, {} pushed, {} deleted{excluded}, version {} ({:.1} s)",
        report.pulled,
        report.pushed,
        report.deleted,
        report.version,
        report.elapsed.as_secs_f64()
    )
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
    let copies = report.copies.iter().map(|c| format!("kept both: this device's is {}", c.copy));
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

/// Names the programs that came from other devices: a person should know of them (rule F4).
pub(crate) fn explain_executables(paths: &[String], verbose: bool) {
    let lines = paths.iter().map(|path| format!("arrived, and may be executed: {path}"));
    tell(lines, verbose);
}

/// Says what is kept without being rows, by tables, and which tables are left out.
pub(crate) fn explain_waiting(waiting: &Waiting, verbose: bool) {
    let mut tables = BTreeMap::<String, usize>::new();
    for id in waiting.without_table() {
        *tables.entry(table_name(id)).or_default() += 1;
    }
    for (table, count) in &tables {
        note(format_args!("held, and no rows here yet: {count} of the table {table:?}"));
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
fn table_name(id: &DocumentId) -> String {
    let id = id.to_string();
    let parts: Result<Vec<serde_json::Value>, _> = serde_json::from_str(&id);
    let name = parts.ok().and_then(|parts| parts.first()?.as_str().map(str::to_owned));
    name.unwrap_or(id)
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
