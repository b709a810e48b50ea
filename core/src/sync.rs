//! One sync, from start to report. Each file holds one part of the protocol:
//!
//! | file | rules |
//! |---|---|
//! | `compare` | C4: finds edits whose QueueChange was lost |
//! | `intents` | P8: settles writes that a stop interrupted |
//! | `attempt` | U4, U5, U7, W3: sends a commit and finds out what became of it |
//! | `tail` | P1, P3, P9: reads the log, decides when to jump to a snapshot |
//! | `pull` | P1, P4, P9: the loop of a pull |
//! | `snapshot` | P2: the difference between a snapshot and the index |
//! | `absorb` | P4, P6: what can be applied at once and what cannot |
//! | `apply` | P5, P7, P8: fetches bytes and writes them into the application |
//! | `settle` | P8, U6: what a client remembers once a change is on both sides |
//! | `conflict` | P6, P10: what became of changes that could not be applied at once |
//! | `history` | P6: whether local bytes are an older version that the log names |
//! | `resolve` | P6, P7, P8: puts a conflict to the application and does as it says |
//! | `push` | U3, U8: reading, storing and committing at once; commit by commit |
//! | `queue` | U1, U2: queued documents are read and named |
//! | `upload` | U2, U3: documents into the storage |
//! | `diverged` | D1 |
//! | `overwritten` | W4 |
//! | `checkpoint` | K1 |
//! | `gc` | G1, G2, D2 |
//! | `instead` | K1 and K2 switched off, in a test build only |
//!
//! `holds(Rule::…)` is true in what is shipped: `crate::planted` tells what it is for.

mod apply;
mod attempt;
mod checkpoint;
mod compare;
mod deferred;
mod diverged;
mod facts;
mod gc;
mod history;
#[cfg(db_to_cloud_mutants)]
mod instead;
mod intents;
mod overwritten;
mod preview;
mod pull;
mod push;
mod queue;
mod resolve;
mod settle;
mod snapshot;
mod tail;
mod upload;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use preview::Preview;
use resolve::contested;

use crate::client::{Inner, SyncOptions};
use crate::ledger::Position;
use crate::planted::{Rule, holds};
use crate::server::HeldLock;
use crate::{
    Atomicity, DeferReason, Deferred, DocumentId, Error, ErrorKind, Event, LockPolicy, Report, Vid,
};

/// Lost races after which a sync gives up; by then it has waited for minutes.
const RACES: u32 = 12;
/// How often the queue is walked again because conflicts were decided or a pull came between.
const ROUNDS: u32 = 4;
/// Lost races after which the lock is taken (rule L2).
const CALM_RACES: u32 = 2;

/// One sync under way.
pub(crate) struct Session<'a> {
    client: &'a Inner,
    options: SyncOptions,
    report: Mutex<Report>,
    /// Documents set aside in this sync: not asked again before the next.
    deferred: Mutex<HashSet<DocumentId>>,
    /// Uploads of this sync that no commit holds yet. They may go into a later commit of the same
    /// sync, as if it had been slow (rule U2 mints new names for every new sync).
    uploads: Mutex<upload::Uploads>,
    /// Versions whose bytes were found missing in the storage.
    missing: Mutex<HashSet<Vid>>,
    history: futures::lock::Mutex<Option<history::History>>,
    /// The newest entry that was found in the storage in this sync (rule P3).
    found: AtomicU64,
    /// The storage is known to be weak.
    weak: AtomicBool,
}

/// The lock of this sync, if it holds one.
type Lock = Option<HeldLock>;

impl<'a> Session<'a> {
    /// Runs one sync. May be dropped at any await.
    pub(crate) async fn run(client: &'a Inner, options: SyncOptions) -> Result<Report, Error> {
        let _claim = client.ledger.claim().await?;
        let began = client.environment.monotonic();
        let before = client.server.metered();
        let mut position = client.ledger.metadata_read().await?;
        client.emit(Event::Start);
        let session = Self::new(client, options);
        session.look_at_strength(&mut position, false).await?;
        session.sync(&mut position).await?;
        client.emit(Event::Done);
        let mut report = session.report.into_inner().unwrap_or_else(PoisonError::into_inner);
        let after = client.server.metered();
        report.version = position.version;
        report.requests = after.0.since(&before.0);
        report.bytes_up = after.1 - before.1;
        report.bytes_down = after.2 - before.2;
        report.elapsed = client.environment.monotonic().saturating_sub(began);
        Ok(report)
    }

    /// Rule C4 alone: whether anything was queued.
    pub(crate) async fn compare_now(client: &'a Inner) -> Result<bool, Error> {
        let _claim = client.ledger.claim().await?;
        let position = client.ledger.metadata_read().await?;
        let session = Self::new(client, SyncOptions::default());
        session.settle_intents(&position).await?;
        Ok(session.compare().await? > 0)
    }

    fn new(client: &'a Inner, options: SyncOptions) -> Self {
        Self {
            client,
            options,
            report: Mutex::default(),
            deferred: Mutex::default(),
            uploads: Mutex::default(),
            missing: Mutex::default(),
            history: futures::lock::Mutex::default(),
            found: AtomicU64::new(0),
            weak: AtomicBool::new(false),
        }
    }

    async fn sync(&self, position: &mut Position) -> Result<(), Error> {
        self.settle_intents(position).await?;
        if !self.client.is_compared() && holds(Rule::C4) {
            self.compare().await?;
            self.client.set_compared(true);
        }
        let mut lock = None;
        let synced = self.rounds(position, &mut lock).await;
        let maintained = match synced {
            Ok(()) => self.maintain(position, &mut lock).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = maintained {
            // The documents are synced; what was left undone is tried again another day.
            tracing::warn!(%error, "maintenance of the storage failed");
        }
        if let Some(lock) = lock
            && let Err(error) = self.client.server.unlock(lock).await
        {
            // It expires by itself.
            tracing::warn!(%error, "the lock could not be released");
        }
        synced?;
        position.synced = Some(self.client.environment.now());
        self.client.ledger.save(position).await
    }

    /// Pulls and pushes until everything is pushed.
    async fn rounds(&self, position: &mut Position, lock: &mut Lock) -> Result<(), Error> {
        let has_changes = self.has_changes().await?;
        if has_changes && !self.may_race_beside(position).await? {
            self.look_at_strength(position, true).await?;
        }
        if has_changes && (self.is_weak() || self.client.config.lock == LockPolicy::Always) {
            self.take_lock(position, lock).await?;
        }
        if let Err(e) = self.settle_attempt(position, lock).await {
            // Starting over drops the attempt.
            self.accept(position, e).await?;
        }
        let mut winner = None;
        let mut pauses = self.client.server.race_pauses();
        let (mut races, mut rounds) = (0, 0);
        while races < RACES {
            let lost = match self.round(position, winner.take(), lock).await? {
                // What is left then is pushed by the next sync.
                push::Outcome::Again if rounds < ROUNDS => {
                    rounds += 1;
                    continue;
                }
                push::Outcome::Done | push::Outcome::Again => return Ok(()),
                push::Outcome::Lost(lost) => lost,
            };
            races += 1;
            winner = Some(lost);
            let calm = self.client.config.lock != LockPolicy::Never;
            if calm && races >= CALM_RACES && lock.is_none() {
                self.take_lock(position, lock).await?;
                winner = None;
            } else if (2..RACES).contains(&races) {
                self.client.environment.sleep(pauses.next_pause()).await;
                winner = None;
            }
        }
        Err(Error::new(ErrorKind::Locked, "sync").with_message(
            "other devices committed first each time: nothing is lost, sync again later",
        ))
    }

    /// One pull, and a push of what is queued then. A client that is likely near the head uploads
    /// while it pulls.
    async fn round(
        &self,
        position: &mut Position,
        winner: Option<tail::Winner>,
        lock: &mut Lock,
    ) -> Result<push::Outcome, Error> {
        let near = position.version > 0 && winner.is_none() && !position.resyncing;
        let beside = near && self.has_changes().await?;
        if !beside {
            self.pull_or_accept(position, winner).await?;
            if !self.has_changes().await? {
                return Ok(push::Outcome::Done);
            }
        }
        let before = self.moved();
        let outcome = self.push(position, lock, beside).await?;
        match outcome {
            // What the pull decided may have been queued behind the walk through the queue.
            push::Outcome::Done
                if beside && self.moved() != before && self.has_changes().await? =>
            {
                self.push(position, lock, false).await
            }
            outcome => Ok(outcome),
        }
    }

    /// Documents that the pulls of this sync have written, deleted or asked about.
    fn moved(&self) -> u64 {
        let report = self.report();
        report.pulled + report.deleted + report.conflicts
    }

    /// A pull, which starts over if the storage diverged and that is allowed.
    pub(super) async fn pull_or_accept(
        &self,
        position: &mut Position,
        winner: Option<tail::Winner>,
    ) -> Result<(), Error> {
        match self.pull(position, winner).await {
            Err(e) => {
                self.accept(position, e).await?;
                self.pull(position, None).await
            }
            pulled => pulled,
        }
    }

    /// Starts over if the remote diverged and the application, or the weakness of the storage,
    /// allows it; any other error stays one.
    async fn accept(&self, position: &mut Position, error: Error) -> Result<(), Error> {
        if error.kind() != ErrorKind::Diverged {
            return Err(error);
        }
        if self.is_next_overwritten(position).await? {
            return self.start_over(position).await;
        }
        let overwritten = self.is_overwritten(position).await?;
        if overwritten && self.take_back(position).await? {
            return Ok(());
        }
        if overwritten || self.options.accept_remote || !holds(Rule::D1) {
            return self.start_over(position).await;
        }
        Err(error)
    }

    async fn has_changes(&self) -> Result<bool, Error> {
        let ledger = &self.client.ledger;
        Ok(ledger.is_any_queued().await? || ledger.attempt().await?.is_some())
    }

    /// Whether the probe is still to come and can wait until documents are uploaded, to run beside
    /// them: not if the storage may be refused, or if a lock or an old commit depends on its outcome.
    async fn may_race_beside(&self, position: &Position) -> Result<bool, Error> {
        let config = &self.client.config;
        let now = config.require_strong || config.lock == LockPolicy::Always;
        let unknown = self.strength(position).is_none();
        Ok(unknown && !now && self.client.ledger.attempt().await?.is_none())
    }

    /// Whether create is atomic, if that is known.
    fn strength(&self, position: &Position) -> Option<bool> {
        match self.client.server.capabilities().create {
            Atomicity::Atomic => Some(true),
            Atomicity::Weak => Some(false),
            Atomicity::Probe => position.atomic,
        }
    }

    /// S3: whether the storage is weak, by its word or by the probe. A client that only reads need
    /// not know: it is probed when something is `to_be_written`.
    async fn look_at_strength(
        &self,
        position: &mut Position,
        to_be_written: bool,
    ) -> Result<(), Error> {
        let atomic = match self.strength(position) {
            None if to_be_written => Some(self.probe(position).await?),
            known => known,
        };
        self.client.server.set_atomic(atomic == Some(true));
        let weak = atomic == Some(false);
        if weak && self.client.config.require_strong {
            return Err(Error::new(ErrorKind::WeakStorage, "sync").with_message(
                "this storage cannot create an object only if it is absent: use another, or do \
                 not require a strong one",
            ));
        }
        if !self.weak.swap(weak, Relaxed) && weak {
            self.client.emit(Event::WeakStorage);
        }
        Ok(())
    }

    /// Races real requests, once, and remembers the outcome.
    async fn probe(&self, position: &mut Position) -> Result<bool, Error> {
        let atomic = self.client.server.probe().await?;
        position.atomic = Some(atomic);
        self.client.ledger.save(position).await?;
        Ok(atomic)
    }

    /// Whether the storage is known to be weak.
    fn is_weak(&self) -> bool {
        self.weak.load(Relaxed)
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a document aside for this sync and says so.
    fn defer(&self, id: &DocumentId, reason: DeferReason, detail: impl ToString) {
        let mut deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        if !deferred.insert(id.clone()) {
            return;
        }
        let detail = detail.to_string();
        tracing::warn!(?reason, detail, "a document was set aside");
        self.report().deferred.push(Deferred { id: id.clone(), reason, detail });
        self.client.emit(Event::Deferred { id: id.clone() });
    }

    fn is_deferred(&self, id: &DocumentId) -> bool {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}
