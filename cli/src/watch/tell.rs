//! What a watch tells: a line for each sync that did something, and each trouble once.

use std::path::Path;
use std::time::{Duration, SystemTime};

use db_to_cloud::{DeferReason, DocumentId, Error, Report, Timestamp};

use crate::failure::{Failure, advice};
use crate::output::note;
use crate::progress::Progress;
use crate::report;
use crate::side::LeftOut;
use crate::sync::Shown;

pub(super) struct Teller {
    shown: Shown,
    json: bool,
    verbose: bool,
    /// Whether a line for a sync that did nothing is due: for the first one, and after a trouble.
    expected: bool,
    /// Syncs fail for now, and this was told.
    in_trouble: bool,
    deferred: Vec<(DocumentId, DeferReason)>,
    left_out: LeftOut,
    /// It is another one than in the line before.
    left_out_is_news: bool,
}

impl Teller {
    pub(super) fn new(shown: Shown, json: bool, verbose: bool) -> Self {
        Self {
            shown,
            json,
            verbose,
            expected: true,
            in_trouble: false,
            deferred: Vec::new(),
            left_out: LeftOut::default(),
            left_out_is_news: false,
        }
    }

    /// What shows lines of others above the bar.
    pub(super) fn progress(&self) -> Progress {
        self.shown.0.clone()
    }

    pub(super) fn synced(&mut self, report: &Report) -> Result<(), Failure> {
        let deferred: Vec<_> = report.deferred.iter().map(|d| (d.id.clone(), d.reason)).collect();
        let changed = report.pulled + report.pushed + report.deleted > 0;
        let news = deferred != self.deferred || !report.copies.is_empty();
        let is_due = changed || news || self.expected || self.left_out_is_news;
        self.shown.0.above(|| {
            if news {
                report::explain(report, self.verbose);
            }
            match is_due {
                true => report::print_line(now(), report, &self.left_out, self.json),
                false => Ok(()),
            }
        })?;
        (self.deferred, self.expected, self.in_trouble) = (deferred, false, false);
        self.left_out_is_news = false;
        let open = match self.deferred.len() {
            0 => String::new(),
            count => format!(", {count} documents could not be synced"),
        };
        let state = format!("in sync at version {}{open}; waiting for changes", report.version);
        self.shown.0.rest(state);
        Ok(())
    }

    pub(super) fn put_off(&mut self, error: &Error, pause: Duration) -> Result<(), Failure> {
        if !self.in_trouble || self.verbose {
            self.shown.0.above(|| {
                note(format_args!("cannot sync now: {error}"));
                note(format_args!("hint: {}; it is tried again until it works", advice(error)));
                match self.json {
                    true => report::print_trouble(now(), error.to_string()),
                    false => Ok(()),
                }
            })?;
        }
        (self.in_trouble, self.expected) = (true, true);
        let seconds = pause.as_secs_f64().ceil();
        self.shown.0.rest(format!("cannot sync now: {error}; next try in {seconds} s"));
        Ok(())
    }

    /// What arrived and may be executed.
    pub(super) fn tell_executables(&mut self, executables: &[String]) {
        if !executables.is_empty() {
            self.shown.0.above(|| report::explain_executables(executables, self.verbose));
        }
    }

    /// What is in the folder and is no document, and what cannot be in the tables yet.
    pub(super) fn tell_left_out(&mut self, left_out: LeftOut) {
        let before = std::mem::replace(&mut self.left_out, left_out);
        let LeftOut { skipped, waiting } = &self.left_out;
        if *skipped != before.skipped {
            self.shown.0.above(|| report::explain_skipped(skipped, self.verbose));
            let needs_look = self.left_out.needs_look() || before.needs_look();
            self.left_out_is_news |= needs_look;
        }
        if *waiting != before.waiting {
            self.shown.0.above(|| report::explain_waiting(waiting, self.verbose));
            self.left_out_is_news = true;
        }
    }
}

/// Nothing can be synced, as the folder is not there.
pub(super) fn lost(path: &Path, json: bool) -> Result<(), Failure> {
    let what = format!("the folder {path:?} is not there, or another one is in its place");
    note(format_args!("{what}: nothing is synced until it is back"));
    note(
        "hint: is its drive mounted? was it moved? to sync what is there now, start the watch again",
    );
    match json {
        true => report::print_trouble(now(), what),
        false => Ok(()),
    }
}

/// The folder is there again, and synced.
pub(super) fn back(path: &Path) {
    note(format_args!("the folder {path:?} is back"));
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
