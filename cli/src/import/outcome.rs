//! The outcome of an import, for people and for scripts.

use std::collections::HashSet;
use std::process::ExitCode;

use db_to_cloud::{DeferReason, Deferred, Report, Requests};
use serde::Serialize;

use super::log::Old;
use crate::failure::Failure;
use crate::output::{self, note};
use crate::report;

/// The report as `--json` prints it. Its keys are a promise.
#[derive(Debug, Serialize)]
struct Json {
    /// Documents of the old storage.
    documents: usize,
    /// Those that this import wrote.
    imported: u64,
    /// Those that were there already, with the same bytes.
    present: u64,
    /// What was reported and needs a look.
    problems: usize,
    version: u64,
    requests: Requests,
    bytes_up: u64,
    bytes_down: u64,
    elapsed_ms: u128,
}

/// Prints it; 0, or 3 if something needs a look.
pub(super) fn tell(
    old: &Old,
    report: &Report,
    json: bool,
    verbose: bool,
) -> Result<ExitCode, Failure> {
    // What is in the new storage only is of no concern, although a sync would write it here.
    let ours: HashSet<_> = old.documents.iter().map(|document| &document.id).collect();
    let deferred: Vec<_> = report.deferred.iter().filter(|d| ours.contains(&d.id)).collect();
    let problems = old.problems.iter().map(|p| format!("not as it was: {}: {}", p.what, p.why));
    let left = deferred.iter().map(|deferred| explain(deferred));
    report::tell(problems.chain(left), verbose);
    let (documents, problems) = (old.documents.len(), old.problems.len() + deferred.len());
    let present = (documents as u64).saturating_sub(report.pushed + deferred.len() as u64);
    if problems > 0 {
        note(
            "hint: docs/from-db-to-cloud-js.md says what to do about each; the old storage is as it was",
        );
    }
    let outcome = Json {
        documents,
        imported: report.pushed,
        present,
        problems,
        version: report.version,
        requests: report.requests,
        bytes_up: report.bytes_up,
        bytes_down: report.bytes_down,
        elapsed_ms: report.elapsed.as_millis(),
    };
    match json {
        true => output::json(&outcome)?,
        false => output::result(format_args!(
            "imported: {} of {documents} documents, {present} were there, {problems} to look at ({:.1} s)",
            report.pushed,
            report.elapsed.as_secs_f64()
        ))?,
    }
    Ok(ExitCode::from(if problems == 0 { 0 } else { 3 }))
}

fn explain(deferred: &Deferred) -> String {
    let Deferred { id, reason, detail } = deferred;
    match reason {
        DeferReason::Conflict => {
            format!("left as it is: {id}: the new storage has another version of it, or deleted it")
        }
        DeferReason::Refused => {
            format!("left as it is: {id}: it was changed or deleted in the new storage")
        }
        _ => format!("not imported: {id}: {}: {detail}", report::reason(*reason)),
    }
}
