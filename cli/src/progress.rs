//! What is seen while a sync runs: a bar on a terminal, and lines with `-v`.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use db_to_cloud::{Action, Event};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// Shows the events of a sync. Its clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    verbose: bool,
    count: Arc<Count>,
}

/// Changes done so far. A pushed document is done twice, when it is uploaded and when it is
/// committed; a pushed delete is only committed.
#[derive(Debug, Default)]
struct Count {
    total: AtomicU64,
    pulled: AtomicU64,
    uploaded: AtomicU64,
    committed: AtomicU64,
    waiting: AtomicU64,
}

/// How often the bar moves while nothing happens.
const TICK: Duration = Duration::from_millis(120);

impl Progress {
    /// A bar if standard error is a terminal, and neither a log nor questions are to scroll
    /// through it.
    pub(crate) fn new(verbose: u8, questions: bool) -> Self {
        let bar = match io::stderr().is_terminal() && verbose < 2 && !questions {
            true => ProgressBar::new(0).with_style(looking()),
            false => ProgressBar::hidden(),
        };
        Self { bar, verbose: verbose > 0, count: Arc::default() }
    }

    /// Shows one event.
    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Start => self.start(),
            Event::Comparing { documents } => {
                self.bar.set_message(format!("looking for edits: {documents} documents"));
            }
            Event::Pull { total } => self.add_total(total, "pull"),
            Event::Push { total } => self.add_total(total, "push"),
            Event::Pulled { id, action } => {
                self.count.pulled.fetch_add(1, Ordering::Relaxed);
                self.detail(match action {
                    Action::Put => format!("pulled {id}"),
                    Action::Delete => format!("deleted {id}"),
                });
            }
            Event::Uploaded { id } => {
                self.count.uploaded.fetch_add(1, Ordering::Relaxed);
                self.detail(format!("uploaded {id}"));
            }
            Event::Committed { changes, version } => {
                self.count.committed.fetch_add(changes, Ordering::Relaxed);
                self.detail(format!("committed {changes} changes as version {version}"));
            }
            Event::Conflict { id } => self.detail(format!("conflict {id}")),
            Event::Deferred { id } => self.detail(format!("deferred {id}")),
            Event::Waiting { owner } => self.waiting(&owner),
            Event::WeakStorage => self.line(
                "warning: this storage cannot create a file only if it is absent: commits are \
                 protected by a lock, so let one device sync at a time",
            ),
            _ => {}
        }
        self.advance();
    }

    /// Shows a state instead, between two syncs.
    pub(crate) fn rest(&self, state: String) {
        self.bar.disable_steady_tick();
        self.bar.set_style(resting());
        self.bar.set_message(output::harmless(&state));
    }

    /// Prints lines, above the bar.
    pub(crate) fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away, for good.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Counts anew: there may have been another sync before.
    fn start(&self) {
        let Count { total, pulled, uploaded, committed, waiting } = &*self.count;
        let counts = [total, pulled, uploaded, committed, waiting];
        counts.into_iter().for_each(|count| count.store(0, Ordering::Relaxed));
        self.bar.set_style(looking());
        self.bar.set_message("");
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(TICK);
        }
        self.detail("looking for edits".to_owned());
    }

    fn add_total(&self, more: u64, to: &str) {
        if more == 0 {
            return;
        }
        if self.count.total.fetch_add(more, Ordering::Relaxed) == 0 {
            self.bar.set_style(counting());
            self.bar.set_message("");
        }
        self.detail(format!("{more} changes to {to}"));
    }

    fn advance(&self) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let pushed = read(&self.count.uploaded).max(read(&self.count.committed));
        // A lost race uploads some documents again.
        let total = read(&self.count.total);
        self.bar.set_length(total);
        self.bar.set_position((read(&self.count.pulled) + pushed).min(total));
    }

    /// Told once, as it may take a minute.
    fn waiting(&self, owner: &str) {
        if self.count.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.line(format_args!("waiting for the lock, which {owner:?} holds"));
        }
    }

    fn detail(&self, line: String) {
        if self.verbose {
            self.line(line);
        }
    }

    fn line(&self, line: impl Display) {
        self.bar.suspend(|| output::note(line));
    }
}

fn looking() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn resting() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} changes  {elapsed}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
