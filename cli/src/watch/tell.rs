//! What a watch tells: a line for each sync that did something, and each trouble once.

use std::time::{Duration, SystemTime};

use db_to_cloud::{DeferReason, DocumentId, Error, Report, Timestamp};
use db_to_cloud_folder::Skipped;

use crate::failure::{Failure, advice};
use crate::output::note;
use crate::report;
use crate::side::Waiting;
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
    skipped: Vec<Skipped>,
    waiting: Waiting,
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
            skipped: Vec::new(),
            waiting: Waiting::default(),
        }
    }

    pub(super) fn synced(&mut self, report: &Report) -> Result<(), Failure> {
        let deferred: Vec<_> = report.deferred.iter().map(|d| (d.id.clone(), d.reason)).collect();
        let changed = report.pulled + report.pushed + report.deleted > 0;
        let news = deferred != self.deferred || !report.copies.is_empty();
        self.shown.0.above(|| {
            if news {
                report::explain(report, self.verbose);
            }
            match changed || news || self.expected {
                true => report::print_line(now(), report, self.json),
                false => Ok(()),
            }
        })?;
        (self.deferred, self.expected, self.in_trouble) = (deferred, false, false);
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
                    true => report::print_trouble(now(), error),
                    false => Ok(()),
                }
            })?;
        }
        (self.in_trouble, self.expected) = (true, true);
        let seconds = pause.as_secs_f64().ceil();
        self.shown.0.rest(format!("cannot sync now: {error}; next try in {seconds} s"));
        Ok(())
    }

    pub(super) fn tell_skipped(&mut self, skipped: Vec<Skipped>) {
        if skipped != self.skipped {
            self.shown.0.above(|| report::explain_skipped(&skipped, self.verbose));
            self.skipped = skipped;
        }
    }

    /// What cannot be in the tables yet.
    pub(super) fn tell_waiting(&mut self, waiting: Waiting) {
        if waiting != self.waiting {
            self.shown.0.above(|| report::explain_waiting(&waiting, self.verbose));
            self.waiting = waiting;
        }
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
