//! Syncs whenever there is something to sync.

mod due;
mod options;

use std::time::Duration;

pub use options::WatchOptions;

use super::Client;
use crate::local::state::Table;
use crate::model::{Error, ErrorKind, Report, Timestamp};
use crate::sync::{Purpose, SyncOptions};

/// Tells when a [`Client`] should sync, and syncs: made by [`Client::watch`], driven by a loop of the
/// application's.
///
/// ```
/// # use std::sync::Arc;
/// # use db_to_cloud::{Client, RemoteWins, WatchOptions, Watched, memory::*};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), db_to_cloud::Error> {
/// # let storage = Arc::new(MemoryAdapter::new());
/// # let state = Arc::new(MemoryState::new());
/// # let client =
/// #     Client::builder(storage, Arc::new(MemoryDatabase::new()), state, Arc::new(RemoteWins)).build();
/// let mut watch = client.watch(WatchOptions::default());
/// loop {
///     watch.changed().await; // the first time at once
///     match watch.sync().await? {
///         Watched::Synced(report) => println!("{} pulled, {} pushed", report.pulled, report.pushed),
///         Watched::Retry { error, after } => println!("{error}: again in {after:?}"),
///     }
/// #   break;
/// }
/// # Ok(()) }
/// ```
///
/// It syncs
/// - when it starts;
/// - when another device may have committed something, if the [`Adapter`](crate::Adapter) can wait
///   for that, and else at intervals that grow while nothing changes;
/// - soon after an edit was queued: by this client, at the end of a burst, or by another process
///   with the same state;
/// - again, after a growing pause, if a sync failed for now.
///
/// [`WatchOptions`] says how long each of these takes. An edit that was not queued is not seen:
/// [`Client::compare`] finds and queues such edits.
///
/// Both futures may be dropped at any moment and begun again: no change and no edit is forgotten, and
/// no pause starts anew. A sync that is dropped is due again at once. One watch a client: the
/// storage notifies one of them of a change.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    options: WatchOptions,
    /// For the next sync alone.
    decided: SyncOptions,
    /// Why a sync is due, once it is; until it has been done.
    cause: Option<Cause>,
    /// When the last sync ended. All times are monotonic.
    synced: Duration,
    /// Not before, as the last sync failed.
    retry: Option<Duration>,
    /// The storage notified of a change, or the device slept.
    notified: bool,
    /// The clock on the wall and the monotonic one at one moment: while a device sleeps only the first
    /// goes on.
    clocks: (Timestamp, Duration),
    /// The first and the last edit of the burst under way.
    burst: Option<(Duration, Duration)>,
    /// Edits of this process that are known.
    noted: u64,
    /// Records of the queue that the last sync could not push.
    stuck: u64,
    /// Documents that the last sync set aside: they may be synced soon.
    deferred: usize,
    asking: Asking,
    /// Syncs one after another that changed nothing;
    idle: u32,
    /// that the storage called for in vain;
    futile: u32,
    /// that failed.
    failed: u32,
}

/// Why a sync is due.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The watch starts.
    Start,
    /// An edit was queued here.
    Edit,
    /// Another device may have committed something, or this one slept meanwhile.
    Remote,
    /// It is time to look.
    Time,
    /// The sync before failed for now.
    Retry,
}

/// What became of a sync that a [`Watch`] made.
#[derive(Debug)]
pub enum Watched {
    /// It ended well. It may have found nothing to do.
    Synced(Report),
    /// It failed for now: the storage cannot be reached, asks for fewer requests, is locked, or
    /// another sync runs on the same state. The next one is due after this pause.
    Retry {
        /// What went wrong.
        error: Error,
        /// How long [`Watch::changed`] waits.
        after: Duration,
    },
}

/// Whether the storage is asked to wait for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Yes,
    /// It failed to: not before the next sync.
    Later,
    /// It cannot.
    Never,
}

impl Watch {
    pub(super) fn new(client: Client, options: WatchOptions) -> Self {
        let clocks = (client.0.environment.now(), client.0.environment.monotonic());
        Self {
            client,
            options,
            decided: options.first,
            cause: Some(Cause::Start),
            synced: Duration::ZERO,
            retry: None,
            notified: false,
            clocks,
            burst: None,
            noted: 0,
            stuck: 0,
            deferred: 0,
            asking: Asking::Yes,
            idle: 0,
            futile: 0,
            failed: 0,
        }
    }

    /// Syncs, whether or not it is due.
    ///
    /// # Errors
    /// One that needs the user, such as [`ErrorKind::Diverged`], [`ErrorKind::TooManyDeletes`] or
    /// [`ErrorKind::Unauthorized`]: end the watch and show it. A sync is then due at once.
    pub async fn sync(&mut self) -> Result<Watched, Error> {
        self.sync_until(std::future::pending()).await
    }

    /// [`Watch::sync`], which ends early when `stop` is done, as [`Client::sync_until`] does. A sync
    /// is then due at once.
    ///
    /// # Errors
    /// As [`Watch::sync`]; and [`ErrorKind::Stopped`] if `stop` was done before the sync.
    pub async fn sync_until(
        &mut self,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Watched, Error> {
        let cause = *self.cause.get_or_insert(Cause::Time);
        let (noted, before) = (self.client.0.edits.count(), self.queued().await);
        match self.client.run(self.decided, Purpose::Watch, stop).await {
            Ok(report) => {
                let after = self.queued().await;
                self.note(cause, &report);
                // What was edited meanwhile is not stuck: it is looked at again.
                self.stuck = if report.pushed > 0 { 0 } else { before.min(after) };
                self.noted = noted;
                Ok(Watched::Synced(report))
            }
            Err(error) if passes(&error) => Ok(self.retry_later(error)),
            Err(error) => Err(error),
        }
    }

    fn note(&mut self, cause: Cause, report: &Report) {
        let changes = report.pulled + report.deleted + report.pushed;
        let set_aside = report.deferred.len() > self.deferred;
        let changed = changes > 0 || set_aside || !report.copies.is_empty();
        self.idle = if changed || cause == Cause::Start { 0 } else { self.idle + 1 };
        self.futile = match cause {
            _ if changed => 0,
            Cause::Remote => self.futile + 1,
            _ => self.futile,
        };
        self.deferred = report.deferred.len();
        (self.cause, self.retry, self.burst) = (None, None, None);
        (self.notified, self.failed) = (false, 0);
        self.decided = SyncOptions::default();
        self.synced = self.now();
        self.set_clocks();
        if self.asking == Asking::Later {
            self.asking = Asking::Yes;
        }
    }

    fn retry_later(&mut self, error: Error) -> Watched {
        let pause = self.options.poll(self.failed);
        // Devices that failed together must not come back together.
        let chance = f64::from(self.client.0.environment.random() as u32) / f64::from(u32::MAX);
        let after = pause.mul_f64(1.0 - chance / 2.0).max(error.retry_after().unwrap_or_default());
        self.failed += 1;
        (self.cause, self.retry) = (None, Some(self.now() + after));
        Watched::Retry { error, after }
    }

    fn set_clocks(&mut self) {
        self.clocks = (self.client.0.environment.now(), self.now());
    }

    fn now(&self) -> Duration {
        self.client.0.environment.monotonic()
    }

    /// How many edits are queued. If the state fails, the sync before or after says so.
    async fn queued(&self) -> u64 {
        self.client.0.sync_state.count(Table::Dirty).await.unwrap_or(self.stuck)
    }
}

/// Whether the same sync may succeed later without anybody's help.
fn passes(error: &Error) -> bool {
    error.is_transient() || matches!(error.kind(), ErrorKind::Busy | ErrorKind::Locked)
}
