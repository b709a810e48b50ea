//! One sync, from start to report.
//!
//! [`Session`] holds the order of a sync and its only loop: recover, scan, then rounds of pull, upload
//! and commit, then maintenance. Each part of it is a module with a struct of its own, which returns an
//! outcome and calls no other part. `docs/rules.md` names the place of each rule.
//!
//! | module | does |
//! |---|---|
//! | `identify` | which storage it is, and whether it is as this device left it |
//! | `recover` | what an earlier sync left open; another storage |
//! | `scan` | finds edits that were not queued |
//! | `pull` | reads the log, decides, writes into the application |
//! | `push` | reads, uploads and commits what is queued |
//! | `heal` | ends a join of branches that were mixed in one log |
//! | `maintain` | snapshots and garbage collection |
//! | `preview` | what a sync would do: the same reader and the same decisions |
//! | `repair` | no sync: damaged entries, by consent |
//!
//! Below them, usable by all: `context` (what they share), `anchor`, `chain`, `strength`, `lock`, `brake`, `restored`,
//! `selection` (documents that are excluded here), `stop` (ends a sync early), `commit` (sends an entry and finds its outcome), `mark_synced`, `last_entry`,
//! `whole` (documents that the log names), `found` (bytes that are there again).

mod anchor;
mod brake;
mod chain;
mod commit;
mod context;
mod found;
mod heal;
mod identify;
mod last_entry;
mod lock;
mod maintain;
mod mark_synced;
mod preview;
mod pull;
mod push;
mod recover;
mod repair;
mod restored;
mod scan;
mod selection;
mod shared;
mod stop;
mod strength;
mod whole;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::channel::{mpsc, oneshot};
use futures::future::join;

pub use preview::Preview;
pub use shared::SyncOptions;
pub(crate) use shared::{Config, Shared};

use context::Context;
pub(crate) use context::Purpose;
use heal::Heal;
use identify::{Found, Identify};
use maintain::Maintain;
use pull::{OtherEntry, Pull};
use push::{Changed, Outcome, Push, Queue};
use recover::Recover;
use scan::Scan;

use crate::local::ChangeTracking;
use crate::model::LogPosition;
use crate::model::{Error, ErrorKind, Event, Folder, Report};
use crate::planted::{Rule, holds};
use crate::storage::HeldLock;
use crate::storage::LockPolicy;

/// How often one sync turns to another state of this device, or goes on with a storage that diverged.
const TURNS: usize = 4;
/// Lost races after which a sync gives up; by then it has waited for minutes.
const RACES: u32 = 12;
/// How often the queue is walked again because conflicts were decided or a pull came between.
const ROUNDS: u32 = 4;
/// Lost races after which the lock is taken (rule L2).
const RACES_BEFORE_LOCK: u32 = 2;

/// One sync under way.
pub(crate) struct Session<'a> {
    cx: &'a Context<'a>,
    recover: Recover<'a>,
    scan: Scan<'a>,
    pull: Pull<'a>,
    push: Push<'a>,
    heal: Heal<'a>,
    maintain: Maintain<'a>,
}

/// The lock of this sync, if it holds one.
type Lock = Option<HeldLock>;

impl<'a> Session<'a> {
    fn new(cx: &'a Context<'a>) -> Self {
        Self {
            cx,
            recover: Recover::new(cx),
            scan: Scan::new(cx),
            pull: Pull::new(cx),
            push: Push::new(cx),
            heal: Heal::new(cx),
            maintain: Maintain::new(cx),
        }
    }

    /// Runs one sync, at most until `stop` gives the error that it ends with. May be dropped at any
    /// await; then it leaves its lock behind.
    pub(crate) async fn run(
        client: &Shared,
        options: SyncOptions,
        purpose: Purpose,
        stop: impl Future<Output = Error>,
    ) -> Result<Report, Error> {
        let began = client.environment.monotonic();
        let before = client.storage.metered();
        let cx = Context::new(client, options, purpose);
        let session = Session::new(&cx);
        let position = stop::until(client, Box::pin(session.sync()), stop).await?;
        client.emit(Event::Done);
        let mut report = cx.into_report();
        report.storage = position.genesis;
        let after = client.storage.metered();
        report.version = position.version;
        report.requests = after.0.since(&before.0);
        report.bytes_up = after.1 - before.1;
        report.bytes_down = after.2 - before.2;
        report.elapsed = client.environment.monotonic().saturating_sub(began);
        Ok(report)
    }

    /// The scan alone (rule C4): whether anything was queued.
    pub(crate) async fn scan_now(client: &Shared) -> Result<bool, Error> {
        let _claim = client.sync_state.claim().await?;
        let position = client.sync_state.metadata_read().await?;
        let cx = Context::new(client, SyncOptions::default(), Purpose::Sync);
        cx.look_up_selection().await?;
        Recover::new(&cx).recover_writes(&position).await?;
        cx.select().await?;
        Ok(Scan::new(&cx).compare(true).await? > 0)
    }

    /// Answers the place in the log that was reached.
    async fn sync(&self) -> Result<LogPosition, Error> {
        let client = self.cx.client;
        let (mut position, looked) = self.cx.enter(Some(self)).await?;
        if let Err(e) = looked {
            self.accept(&mut position, e).await?;
        }
        self.recover.finish_putting_back(&mut position).await?;
        self.find_edits(&position).await?;
        let mut lock = None;
        let synced = self.rounds_and_heal(&mut position, &mut lock).await;
        let maintained = match synced {
            Ok(()) => self.maintain.maintain(&mut position, &mut lock).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = maintained {
            // The documents are synced; what was left undone is tried again another day.
            tracing::warn!(%error, "maintenance of the storage failed");
        }
        self.unlock(lock).await;
        synced?;
        if self.cx.options.verify && position.version > 0 {
            self.verify(&mut position).await?;
        }
        position.synced = Some(client.environment.now());
        client.sync_state.save(&position).await?;
        Ok(position)
    }

    async fn unlock(&self, lock: Lock) {
        if let Some(lock) = lock
            && let Err(error) = self.cx.client.storage.unlock(lock).await
        {
            // It expires after its time.
            tracing::warn!(%error, "the lock could not be released");
        }
    }

    /// Looks at all documents of the storage (rules D2 and D7).
    async fn verify(&self, position: &mut LogPosition) -> Result<(), Error> {
        let listed = self.cx.client.storage.list_all(Folder::Documents).await?;
        self.cx.put_missing_again(&listed).await?;
        if !self.cx.look_for_lost(&listed).await? {
            return Ok(());
        }
        let mut lock = None;
        let synced = self.rounds(position, &mut lock).await;
        self.unlock(lock).await;
        synced
    }

    /// What was edited while no client ran (rule C4), once.
    async fn find_edits(&self, position: &LogPosition) -> Result<(), Error> {
        let client = self.cx.client;
        self.recover.recover_writes(position).await?;
        self.cx.select().await?;
        // A database that queues all edits itself may find something missing at any time.
        let is_cheap = client.database.tracking() == ChangeTracking::Transactional;
        if (is_cheap || !client.is_compared()) && holds(Rule::C4) {
            self.scan.compare(false).await?;
            client.set_compared(true);
        }
        Ok(())
    }

    /// Pulls and pushes, and ends a join for all devices (rule D8).
    async fn rounds_and_heal(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        self.rounds(position, lock).await?;
        self.heal.finish(position).await
    }

    /// Pulls and pushes until everything is pushed.
    async fn rounds(&self, position: &mut LogPosition, lock: &mut Lock) -> Result<(), Error> {
        self.prepare(position, lock).await?;
        let mut winner = None;
        let mut pauses = self.cx.client.storage.race_pauses();
        let (mut races, mut rounds) = (0, 0);
        while races < RACES {
            let lost = match self.round(position, winner.take(), lock).await? {
                // What is left then is pushed by the next sync.
                Outcome::Again if rounds < ROUNDS => {
                    rounds += 1;
                    continue;
                }
                Outcome::Done | Outcome::Again => return Ok(()),
                Outcome::Lost(lost) => lost,
            };
            races += 1;
            winner = Some(lost);
            let may_lock = self.cx.client.config.lock != LockPolicy::Never;
            if may_lock && races >= RACES_BEFORE_LOCK && lock.is_none() {
                self.cx.take_lock(position, lock).await?;
                winner = None;
            } else if (2..RACES).contains(&races) {
                self.cx.client.environment.sleep(pauses.next_pause()).await;
                winner = None;
            }
        }
        Err(Error::new(ErrorKind::Locked, "sync").with_message(
            "other devices committed first each time: nothing is lost, sync again later",
        ))
    }

    /// Before the first round: whether the storage is weak, the lock if it is needed, and the commit
    /// that an earlier sync left open.
    async fn prepare(&self, position: &mut LogPosition, lock: &mut Lock) -> Result<(), Error> {
        if self.cx.has_changes().await?
            && let Err(e) = self.prepare_push(position, lock).await
        {
            let refused = matches!(e.kind(), ErrorKind::Forbidden | ErrorKind::Full);
            // A storage that cannot be written can be read (rule L3), but not beyond a commit whose
            // outcome is not known.
            if refused && self.cx.client.sync_state.attempt().await?.is_none() {
                self.pull(position, None, lock).await?;
            }
            return Err(e);
        }
        match self.recover.recover_attempt(position, lock).await {
            // A resync drops the attempt.
            Err(e) => self.accept(position, e).await,
            Ok(()) => Ok(()),
        }
    }

    /// What is written before anything is pulled: the probe, if it cannot wait, and the lock.
    async fn prepare_push(&self, position: &mut LogPosition, lock: &mut Lock) -> Result<(), Error> {
        let cx = self.cx;
        if !cx.may_race_beside(position).await? {
            cx.look_at_strength(position, true).await?;
        }
        if cx.is_weak() || cx.client.config.lock == LockPolicy::Always {
            cx.take_lock(position, lock).await?;
        }
        Ok(())
    }

    /// One pull, and a push of what is queued then. A client that is likely near the head uploads
    /// while it pulls.
    async fn round(
        &self,
        position: &mut LogPosition,
        winner: Option<OtherEntry>,
        lock: &mut Lock,
    ) -> Result<Outcome, Error> {
        let near = position.version > 0 && winner.is_none() && !position.resyncing;
        let near = near && position.joining.is_none_or(|joining| joining.marked);
        // Nothing is uploaded before it is known that the documents belong together (rule C7).
        let near = near && !self.pull.is_meeting(position).await?;
        let beside = near && self.cx.has_changes().await?;
        if !beside {
            self.pull(position, winner, lock).await?;
            if !self.cx.has_changes().await? {
                return Ok(Outcome::Done);
            }
        }
        self.push(position, lock, beside).await
    }

    /// Commits all queued edits; with `pulls` after a pull that runs beside the uploads.
    async fn push(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
        pulls: bool,
    ) -> Result<Outcome, Error> {
        let (send, stored) = mpsc::channel(push::STORED);
        let (opened, opens) = oneshot::channel();
        let stop = AtomicBool::new(false);
        let commits = async {
            let before = self.cx.moved();
            let outcome = match self.gate(position, lock, pulls).await {
                Ok(pulled) => {
                    let moved = self.cx.moved() != before;
                    let changed = match (pulled, moved) {
                        (false, _) => Changed::Nothing,
                        (true, false) => Changed::Perhaps,
                        (true, true) => Changed::Documents,
                    };
                    // Nobody waits if the walk through the queue has failed.
                    let _ = opened.send(moved);
                    self.push.commit_stored(position, stored, lock, changed).await
                }
                Err(e) => {
                    drop(opened);
                    Err(e)
                }
            };
            stop.store(true, Relaxed);
            outcome
        };
        // Uploads that were begun are finished whatever becomes of the commits.
        let uploads = async {
            self.push.upload_queue(Queue::default(), send.clone(), &stop).await;
            // What the pull decided may be queued behind the walk through the queue.
            if opens.await == Ok(true) {
                self.push.upload_queue(Queue::again(), send, &stop).await;
            }
        };
        let outcome = join(uploads, commits).await.1?;
        if matches!(outcome, Outcome::Again) {
            self.pull.apply_deferred(position, true).await?;
        }
        Ok(outcome)
    }

    /// Nothing is committed before this client is at the head of the log, and before it is known
    /// whether the storage is weak (rule S3). If that has to be found out, by three races one after
    /// another, documents are uploaded meanwhile: their names are new, and no commit names them yet.
    /// Says whether a pull has run beside the uploads.
    async fn gate(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
        pulls: bool,
    ) -> Result<bool, Error> {
        if pulls {
            self.pull(position, None, lock).await?;
        }
        self.cx.look_at_strength(position, true).await?;
        let locks = self.cx.is_weak() && lock.is_none();
        if locks {
            // Pull and push under the lock (rule W3).
            self.cx.take_lock(position, lock).await?;
            self.pull.pull(position, None).await?;
        }
        Ok(pulls || locks)
    }

    /// A pull, which resyncs if the storage diverged and that is allowed. If it has joined branches that were
    /// mixed in the log, that is said there before anything is pushed (rule D8).
    async fn pull(
        &self,
        position: &mut LogPosition,
        winner: Option<OtherEntry>,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let mut winner = winner;
        for _ in 0..TURNS {
            match self.pull.pull(position, winner.take()).await {
                Err(e) => self.accept(position, e).await?,
                Ok(()) => match self.heal.mark(position, lock).await? {
                    None => return Ok(()),
                    lost => winner = lost,
                },
            }
        }
        Err(Error::new(ErrorKind::Busy, "sync")
            .with_message("the log of the storage changes all the time: sync again later"))
    }

    async fn accept(&self, position: &mut LogPosition, error: Error) -> Result<(), Error> {
        self.recover.accept(position, error).await?;
        self.push.forget_uploads();
        Ok(())
    }
}

impl Context<'_> {
    /// Claims the state and looks at the storage; and anew, if that is the storage of another state of
    /// this device. Answers the place in the log, and whether the storage is as it was.
    async fn enter(
        &self,
        session: Option<&Session<'_>>,
    ) -> Result<(LogPosition, Result<(), Error>), Error> {
        let (sync_state, identify) = (&self.client.sync_state, Identify::new(self));
        for turn in 0..=TURNS {
            let claims = self.purpose != Purpose::Preview;
            self.keep_claim(None);
            if claims {
                self.keep_claim(Some(sync_state.claim().await?));
            }
            self.look_up_selection().await?;
            let mut position = sync_state.metadata_read().await?;
            if turn == 0 && claims {
                self.client.emit(Event::Start);
            }
            self.look_at_strength(&mut position, false).await?;
            if let Some(session) = session.filter(|_| position.version > 0) {
                // An edit is found also if the storage cannot be reached.
                session.find_edits(&position).await?;
            }
            match identify.look(&mut position).await {
                Ok(Found::Here(next)) => {
                    self.keep_slot(next.map(|slot| (position.version + 1, slot)));
                    return Ok((position, Ok(())));
                }
                Ok(Found::Turned) => {}
                Err(e) if identify.parts(&e).await? => {}
                Err(e) => return Ok((position, Err(e))),
            }
            // The documents are compared with the index of that state.
            self.client.set_compared(false);
        }
        Err(Error::new(ErrorKind::Busy, "sync")
            .with_message("the storage at this address changes all the time: sync again later"))
    }
}
