//! What the status line says of the sync.

use std::error::Error as _;
use std::time::Duration;

use db_to_cloud::{Error, ErrorKind, Event, SyncOptions, Timestamp};

use crate::sync::Told;

/// Where the sync stands, as far as it told.
#[derive(Debug, Default)]
pub struct Status {
    phase: Phase,
    progress: Progress,
    /// Notes that the last sync set aside for another reason than a conflict, and why.
    aside: Vec<String>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Starting,
    Running(String),
    Synced(Timestamp),
    Retry(String, Timestamp),
    Stopped(Error),
}

/// What a sync has done so far.
#[derive(Debug, Default)]
struct Progress {
    pull: u64,
    pulled: u64,
    push: u64,
    uploaded: u64,
}

/// How the line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// All is well.
    Good,
    /// Something goes on.
    Busy,
    /// It passes by itself.
    Waiting,
    /// Only the person can help.
    Stuck,
}

impl Status {
    /// Takes in what the sync told at this time.
    pub fn told(&mut self, told: Told, now: Timestamp) {
        match told {
            Told::Step(event) => self.step(event),
            Told::Synced(report) => {
                let aside = report.deferred.into_iter();
                let aside = aside.filter(|d| d.reason != db_to_cloud::DeferReason::Conflict);
                self.aside = aside.map(|deferred| deferred.detail).collect();
                self.phase = Phase::Synced(now);
            }
            Told::Retry(error, pause) => {
                let again = Timestamp::from_millis(now.as_millis() + pause.as_millis() as u64);
                self.phase = Phase::Retry(reason(&error), again);
            }
            Told::Stopped(error) => self.phase = Phase::Stopped(error),
        }
    }

    fn step(&mut self, event: Event) {
        let progress = &mut self.progress;
        match event {
            Event::Start => *progress = Progress::default(),
            Event::Pull { total } => progress.pull += total,
            Event::Push { total } => progress.push += total,
            Event::Pulled { .. } => progress.pulled += 1,
            Event::Uploaded { .. } => progress.uploaded += 1,
            Event::Waiting { owner } => {
                self.phase = Phase::Running(format!("waiting for {owner}, which is syncing"));
                return;
            }
            _ => return,
        }
        // A look that finds nothing does not make the line flicker.
        match self.progress {
            Progress { push: 0, pull: 0, .. } => {}
            Progress { push: 0, pull, pulled, .. } => {
                self.phase = Phase::Running(format!("pulling {} of {pull}", pulled.min(pull)));
            }
            // A lost race uploads some notes again.
            Progress { push, uploaded, .. } => {
                self.phase = Phase::Running(format!("pushing {} of {push}", uploaded.min(push)));
            }
        }
    }

    /// The line at this time.
    pub fn line(&self, now: Timestamp) -> (String, Mood) {
        match &self.phase {
            Phase::Starting => ("connecting".to_owned(), Mood::Busy),
            Phase::Running(what) => (what.clone(), Mood::Busy),
            Phase::Synced(_) if !self.aside.is_empty() => {
                (format!("{} not synced: {}", self.aside.len(), self.aside[0]), Mood::Stuck)
            }
            Phase::Synced(time) => (format!("synced {}", ago(*time, now)), Mood::Good),
            Phase::Retry(reason, again) => {
                let left = again.since(now).unwrap_or_default();
                (format!("{reason}: again in {}", rounded(left)), Mood::Waiting)
            }
            Phase::Stopped(error) => (stopped(error), Mood::Stuck),
        }
    }

    /// What the person must agree to before the next sync, if anything.
    pub fn question(&self) -> Option<(String, SyncOptions)> {
        let Phase::Stopped(error) = &self.phase else { return None };
        let mut options = SyncOptions::default();
        match error.kind() {
            ErrorKind::TooManyDeletes => options.accept_deletes = true,
            ErrorKind::Diverged => options.accept_remote = true,
            _ => return None,
        }
        Some((error.to_string(), options))
    }
}

fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::TimedOut => "offline".to_owned(),
        ErrorKind::Throttled => "the storage asks for a pause".to_owned(),
        ErrorKind::Locked => "another device is syncing".to_owned(),
        ErrorKind::Busy => "another window syncs these notes".to_owned(),
        _ => error.to_string(),
    }
}

fn stopped(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Unauthorized => format!("sign in again, then press s: {error}"),
        ErrorKind::TooManyDeletes | ErrorKind::Diverged => {
            "not synced: press s for a question".to_owned()
        }
        _ => {
            let mut line = format!("not synced, press s to try again: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                line += &format!(": {error}");
                cause = error.source();
            }
            line
        }
    }
}

/// How long ago something was, for people.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> String {
    match now.since(time).unwrap_or_default() {
        age if age < Duration::from_secs(1) => "just now".to_owned(),
        age => format!("{} ago", rounded(age)),
    }
}

fn rounded(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86400 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use db_to_cloud::Report;

    use super::*;

    fn line(told: impl IntoIterator<Item = Told>, seconds: u64) -> String {
        let mut status = Status::default();
        told.into_iter().for_each(|told| status.told(told, Timestamp::from_millis(7)));
        status.line(Timestamp::from_millis(7 + 1000 * seconds)).0
    }

    #[test]
    fn it_tells_how_far_a_sync_is_and_how_long_ago_it_was() {
        let pulled = || {
            let (id, action) = ("a".into(), db_to_cloud::Action::Put);
            Told::Step(Event::Pulled { id, action })
        };
        let start = || Told::Step(Event::Start);
        let pull = Told::Step(Event::Pull { total: 400 });
        assert_eq!(line([], 0), "connecting");
        assert_eq!(line([start(), pull, pulled(), pulled()], 0), "pulling 2 of 400");
        let synced = || Told::Synced(Report::default());
        assert_eq!(line([synced()], 0), "synced just now");
        assert_eq!(line([synced()], 3), "synced 3 s ago");
        assert_eq!(line([synced()], 7200), "synced 2 h ago");
        assert_eq!(line([synced(), start()], 3), "synced 3 s ago", "an idle look shows nothing");
    }

    #[test]
    fn it_tells_when_it_tries_again_and_when_the_person_must_do_something() {
        let error = |kind| Error::new(kind, "list");
        let put_off = Told::Retry(error(ErrorKind::Unavailable), Duration::from_secs(25));
        assert_eq!(line([put_off], 5), "offline: again in 20 s");
        let stopped = |kind| line([Told::Stopped(error(kind))], 0);
        assert!(stopped(ErrorKind::Unauthorized).starts_with("sign in again, then press s: list"));
        assert_eq!(stopped(ErrorKind::Diverged), "not synced: press s for a question");
        let full = error(ErrorKind::Full).with_source("quota of 2 GB");
        let full = line([Told::Stopped(full)], 0);
        assert!(full.ends_with("list: storage full: quota of 2 GB"), "{full}");
    }
}
