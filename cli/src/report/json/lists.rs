//! What needs a look, by name. A list holds the first ones only; the count beside it is that of all.

use std::borrow::Cow;

use db_to_cloud::{ConflictCopy, DeferReason, Deferred, DocumentId, Report};
use db_to_cloud_folder::{Skipped, path_text};
use serde::Serialize;

use crate::report::table_name;
use crate::side::{LeftOut, Waiting};

/// The longest list.
const MOST: usize = 1000;

/// The lists of a report. Its keys are a promise.
#[derive(Debug, Serialize)]
pub(super) struct Lists<'a> {
    /// Documents that were set aside; `deferred` is how many.
    needs_look: Vec<NeedsLook<'a>>,
    copies_count: usize,
    copies: Vec<&'a ConflictCopy>,
    skipped_count: usize,
    /// What lies in a folder and is no document, and first what somebody has to look at.
    skipped: Vec<SkippedJson<'a>>,
    waiting_count: usize,
    waiting: Vec<WaitingJson<'a>>,
}

/// A document that was set aside.
#[derive(Debug, Serialize)]
struct NeedsLook<'a> {
    id: &'a DocumentId,
    reason: DeferReason,
    detail: &'a str,
    /// The option that goes on; null if the next sync tries again by itself.
    way: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct SkippedJson<'a> {
    path: Cow<'a, str>,
    /// The name is not UTF-8, and `path` shows it as [`path_text`] does.
    escaped: bool,
    reason: &'static str,
    detail: String,
}

/// What is not in the tables as it should be.
#[derive(Debug, Serialize)]
struct WaitingJson<'a> {
    /// The row; null if it is a whole table.
    id: Option<&'a DocumentId>,
    table: String,
    reason: &'static str,
    detail: Option<&'a str>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(report: &'a Report, left_out: &'a LeftOut) -> Self {
        let LeftOut { skipped, waiting } = left_out;
        Self {
            needs_look: report.deferred.iter().take(MOST).map(NeedsLook::of).collect(),
            copies_count: report.copies.len(),
            copies: report.copies.iter().take(MOST).collect(),
            skipped_count: skipped.len(),
            skipped: sorted(skipped).take(MOST).map(SkippedJson::of).collect(),
            waiting_count: WaitingJson::all(waiting).count(),
            waiting: WaitingJson::all(waiting).take(MOST).collect(),
        }
    }
}

fn sorted(skipped: &[Skipped]) -> impl Iterator<Item = &Skipped> {
    let look = skipped.iter().filter(|skipped| skipped.reason.needs_look());
    look.chain(skipped.iter().filter(|skipped| !skipped.reason.needs_look()))
}

impl<'a> NeedsLook<'a> {
    fn of(deferred: &'a Deferred) -> Self {
        let Deferred { id, reason, detail } = deferred;
        let way = match reason {
            DeferReason::Conflict => Some("--on-conflict"),
            DeferReason::Refused => Some("--retry-refused"),
            DeferReason::Missing => Some("--verify"),
            _ => None,
        };
        Self { id, reason: *reason, detail, way }
    }
}

impl<'a> SkippedJson<'a> {
    fn of(skipped: &'a Skipped) -> Self {
        Self {
            path: path_text(&skipped.path),
            escaped: skipped.path.to_str().is_none(),
            reason: skipped.reason.code(),
            detail: skipped.reason.to_string(),
        }
    }
}

impl<'a> WaitingJson<'a> {
    fn all(waiting: &'a Waiting) -> impl Iterator<Item = Self> {
        let row =
            |reason| move |id| Self { id: Some(id), table: table_name(id), reason, detail: None };
        let aside = waiting.aside.iter().map(|(table, why)| Self {
            id: None,
            table: table.clone(),
            reason: "table-set-aside",
            detail: Some(why),
        });
        let for_others = waiting.for_others.iter().map(row("reference"));
        aside.chain(for_others).chain(waiting.without_table().map(row("no-table")))
    }
}
