//! What all parts of one sync share: the client with its settings, and what was found so far.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::pull::OtherEntry;
use crate::local::Selects;
use crate::local::state::Claim;
use crate::model::format::Change;
use crate::model::{DeferReason, Deferred, DeferredChange, DocumentId, Error, Event, Report};
use crate::model::{Kept, MakerId, Seen, Stamp, VersionId};
use crate::protocol::{Lineage, Local};
use crate::sync::{Shared, SyncOptions};

/// The shared side of one sync.
pub(super) struct Context<'a> {
    pub client: &'a Shared,
    pub options: SyncOptions,
    report: Mutex<Report>,
    /// Documents deferred in this sync: not asked about again before the next.
    deferred: Mutex<HashSet<DocumentId>>,
    /// Versions that were given up for lost in this sync (rule D6).
    given_up: Mutex<HashSet<VersionId>>,
    /// The newest entry that was found in the storage in this sync (rule P3).
    pub(super) found: AtomicU64,
    /// Documents whose local version was queued upon a remote one without a question (rule T2).
    pub(super) kept: AtomicU64,
    /// The name under which this state makes edits, once it was looked up (rule T1).
    maker: futures::lock::Mutex<Option<MakerId>>,
    /// The storage is known to be weak.
    weak: AtomicBool,
    /// This device is about to begin the storage: it found none, in this sync or in one that was cut.
    pub(super) begins: AtomicBool,
    /// What this look at the storage is part of.
    pub(super) purpose: Purpose,
    /// While it is held, no other sync of this device uses the state.
    claim: Mutex<Option<Claim>>,
    /// Which documents are synced, for the whole of this sync (rule C8).
    pub(super) selection: OnceLock<Option<Arc<dyn Selects>>>,
    /// What the slot of this number held at the first look, until it is used.
    next_slot: Mutex<Option<(u64, Option<OtherEntry>)>>,
}

/// What a look at the storage is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A sync that the application asked for.
    Sync,
    /// One of the syncs of a watch: it need not see the anchor each time.
    Watch,
    /// It changes nothing but which state of this device is used.
    Preview,
}

impl<'a> Context<'a> {
    pub(super) fn new(client: &'a Shared, options: SyncOptions, purpose: Purpose) -> Self {
        Self {
            client,
            options,
            report: Mutex::default(),
            deferred: Mutex::default(),
            given_up: Mutex::default(),
            found: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            maker: futures::lock::Mutex::default(),
            weak: AtomicBool::new(false),
            begins: AtomicBool::new(false),
            purpose,
            claim: Mutex::default(),
            selection: OnceLock::new(),
            next_slot: Mutex::default(),
        }
    }

    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_report(self) -> Report {
        self.report.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Defers a document for this sync and reports it.
    pub(super) fn defer(&self, id: &DocumentId, reason: DeferReason, detail: impl ToString) {
        let mut deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        if !deferred.insert(id.clone()) {
            return;
        }
        let detail = detail.to_string();
        tracing::warn!(?reason, detail, "a document was deferred");
        self.report().deferred.push(Deferred { id: id.clone(), reason, detail });
        self.client.emit(Event::Deferred { id: id.clone() });
    }

    pub(super) fn is_deferred(&self, id: &DocumentId) -> bool {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// What this device has takes the place of this version, whose bytes are lost (rule D6).
    pub(super) fn give_up(&self, id: &DocumentId, pending: &DeferredChange) {
        let vid = pending.change.as_ref().map(|change| change.vid);
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).extend(vid);
        self.report().given_up.push(id.clone());
    }

    pub(super) fn is_given_up(&self, vid: VersionId) -> bool {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).contains(&vid)
    }

    /// Whether this deferred change was given up, so that it does not keep its document from being pushed.
    pub(super) fn is_open(&self, pending: &DeferredChange) -> bool {
        pending.change.as_ref().is_some_and(|change| self.is_given_up(change.vid))
    }

    /// Whether the storage is known to be weak.
    pub(super) fn is_weak(&self) -> bool {
        self.weak.load(Relaxed)
    }

    /// The storage turned out to be weak, or not; says whether it was known to be weak before.
    pub(super) fn set_weak(&self, weak: bool) -> bool {
        self.weak.swap(weak, Relaxed)
    }

    /// Keeps the claim of the state to the end of this sync, and gives the one before it back.
    pub(super) fn keep_claim(&self, claim: Option<Claim>) {
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = claim;
    }

    /// Keeps what the slot of this number holds for the pull that reads it next.
    pub(super) fn keep_slot(&self, slot: Option<(u64, Option<OtherEntry>)>) {
        *self.next_slot.lock().unwrap_or_else(PoisonError::into_inner) = slot;
    }

    pub(super) fn take_slot(&self) -> Option<(u64, Option<OtherEntry>)> {
        self.next_slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether edits are queued, or a commit was sent whose outcome is not known.
    pub(super) async fn has_changes(&self) -> Result<bool, Error> {
        let sync_state = &self.client.sync_state;
        Ok(sync_state.is_any_queued().await? || sync_state.attempt().await?.is_some())
    }

    /// Documents that the pulls of this sync have written, deleted, queued, asked about or
    /// given up.
    pub(super) fn moved(&self) -> u64 {
        let report = self.report();
        let kept = self.kept.load(Relaxed) + report.given_up.len() as u64;
        report.pulled + report.deleted + report.conflicts + kept
    }

    /// What a new edit is named by (rule T1).
    async fn stamp(&self) -> Result<Stamp, Error> {
        let environment = &self.client.environment;
        let mut known = self.maker.lock().await;
        let maker = match *known {
            Some(maker) => maker,
            None => self.client.sync_state.maker(environment.random()).await?,
        };
        *known = Some(maker);
        Ok(Stamp::new(maker, environment.now(), environment.random()))
    }

    /// Which edits a local version contains that is pushed; `None` if that need not be said.
    pub(super) async fn edits_of_pushed(
        &self,
        lineage: Lineage<'_>,
        local: Local<'_>,
    ) -> Result<Option<Seen>, Error> {
        Ok(match lineage.names_edits(None) {
            true => Some(lineage.pushed(local, self.stamp().await?)),
            false => None,
        })
    }

    /// The same of a local version that goes upon this one of the storage.
    pub(super) async fn edits_of_kept(
        &self,
        lineage: Lineage<'_>,
        local: Local<'_>,
        theirs: &Change,
    ) -> Result<Option<Box<Kept>>, Error> {
        Ok(match lineage.names_edits(Some(theirs)) {
            true => Some(Box::new(lineage.kept(local, theirs, self.stamp().await?))),
            false => None,
        })
    }
}
