//! Rules G1, G2 and D2: objects that nothing names are deleted after the grace period; objects that
//! are named and gone are put again by a client that has their bytes.

use std::collections::HashSet;
use std::time::Duration;

use super::Maintain;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::{DeferredChange, GcClock, LogPosition, SyncedVersion};
use crate::model::{Error, Folder, Key, VersionId};
use crate::planted::{Rule, holds};

const STEP: usize = 1000;

/// What the head of the log names: 16 bytes a document.
struct LiveSet {
    vids: HashSet<VersionId>,
    keys: HashSet<String>,
}

impl Maintain<'_> {
    /// A run is due a quarter of the grace period after the one before.
    pub(super) async fn is_gc_due(&self) -> Result<bool, Error> {
        let clock = self.cx.client.sync_state.gc_clock().await?;
        let now = self.cx.client.environment.now();
        if clock.last_run == crate::Timestamp::default() {
            // A new client: its first run is due in a while.
            let mut batch = Batch::new();
            batch.gc_clock(&GcClock { last_run: now, ..clock });
            self.cx.client.sync_state.metadata_write(batch).await?;
            return Ok(false);
        }
        // A clock that went back counts as due: it starts counting anew.
        Ok(now.since(clock.last_run).is_none_or(|passed| passed >= self.cx.client.config.grace / 4))
    }

    /// Rule G1: list, **then** read the head; what is not named is a candidate, and is deleted once
    /// it has stayed one for the grace period by this client's own count.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn collect(&self, position: &LogPosition) -> Result<(), Error> {
        let documents = self.cx.client.storage.list_all(Folder::Documents).await?;
        let snapshots = self.cx.client.storage.list_all(Folder::Snapshots).await?;
        if !self.is_at_head(position).await? {
            return Ok(());
        }
        self.cx.look_for_lost(&documents).await?;
        // With v at the head, the head's documents are the indexed and the pending ones.
        let (named, snapshot) = self.named().await?;
        let unnamed = |key: &Key| match key.vid() {
            Some(vid) => !named.vids.contains(&vid),
            None => !named.keys.contains(key.as_str()),
        };
        let mut candidates: Vec<Key> =
            documents.iter().filter(|key| key.vid().is_some() && unnamed(key)).cloned().collect();
        if !named.keys.is_empty() {
            candidates.extend(snapshots.into_iter().filter(|key| unnamed(key)));
        }
        let age = self.advance_clock().await?;
        let old = self.note(&candidates, age).await?;
        self.retain_candidates(&candidates).await?;
        let last = position.version;
        if !old.is_empty() && self.cx.first_break(position, snapshot, last).await?.is_some() {
            // Of a mixed log this device may know one branch only (rule D8).
            tracing::warn!("the log is not one chain: nothing is deleted");
            return Ok(());
        }
        self.delete(old).await?;
        self.cx.put_missing_again(&documents).await
    }

    /// Whether the head is the entry that this client has applied: no client committed since, and the
    /// log did not go back to a backup whose documents this client takes for superseded.
    async fn is_at_head(&self, position: &LogPosition) -> Result<bool, Error> {
        let slots = position.version..=position.version + 1;
        let slots = self.cx.client.storage.changes_read_many(slots).await?;
        let [Some((last, _)), None] = &slots[..] else { return Ok(false) };
        Ok(Some(last.commit()) == position.anchor)
    }

    /// And the last entry of the newest snapshot.
    async fn named(&self) -> Result<(LiveSet, u64), Error> {
        let mut named = LiveSet { vids: HashSet::new(), keys: HashSet::new() };
        let mut pages = self.cx.client.sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            named.vids.extend(page.iter().map(|(_, indexed)| indexed.vid));
        }
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let changes = page.iter().filter_map(|(_, pending)| pending.change.as_ref());
            named.vids.extend(changes.map(|change| change.vid));
        }
        // The application is asked about these yet (rule D7).
        let lost = self.cx.client.sync_state.lost().await?;
        named.vids.extend(lost.0.iter().filter(|lost| lost.found).map(|lost| lost.change.vid));
        // Without a snapshot that counts (rule P13), none is a candidate.
        let usable = self.cx.client.storage.usable_snapshot(1..=u64::MAX, false).await?;
        let snapshot = usable.as_ref().map_or(0, |usable| usable.snapshot.seq);
        if let Some(usable) = usable {
            named.keys.insert(usable.key.to_string());
            named.keys.extend(usable.snapshot.parts.into_iter().map(|part| part.key));
        }
        Ok((named, snapshot))
    }

    /// Moves the client's own count on by the time since the last run, a third of the grace period
    /// at the most.
    async fn advance_clock(&self) -> Result<u64, Error> {
        let mut clock = self.cx.client.sync_state.gc_clock().await?;
        let now = self.cx.client.environment.now();
        let passed = now.since(clock.last_run).unwrap_or(Duration::ZERO);
        clock.age += passed.min(self.cx.client.config.grace / 3).as_secs();
        clock.last_run = now;
        let mut batch = Batch::new();
        batch.gc_clock(&clock);
        self.cx.client.sync_state.metadata_write(batch).await?;
        Ok(clock.age)
    }

    /// Remembers new candidates; answers those that were seen a grace period ago.
    async fn note(&self, candidates: &[Key], age: u64) -> Result<Vec<Key>, Error> {
        let grace = self.cx.client.config.grace.as_secs() * u64::from(holds(Rule::G1));
        let mut old = Vec::new();
        for step in candidates.chunks(STEP) {
            let names: Vec<_> = step.iter().map(Key::to_string).collect();
            let seen = self.cx.client.sync_state.gc_seen(&names).await?;
            let mut batch = Batch::new();
            for (key, seen) in step.iter().zip(seen) {
                match seen {
                    None => batch.gc_seen(key.as_str(), Some(age)),
                    Some(seen) if age.saturating_sub(seen) >= grace => old.push(key.clone()),
                    Some(_) => {}
                }
            }
            self.cx.client.sync_state.metadata_write(batch).await?;
        }
        Ok(old)
    }

    /// What is no candidate now begins anew should it become one again.
    async fn retain_candidates(&self, candidates: &[Key]) -> Result<(), Error> {
        let candidates: HashSet<&str> = candidates.iter().map(Key::as_str).collect();
        let mut after: Option<String> = None;
        loop {
            let page =
                self.cx.client.sync_state.raw_page(Table::GcSeen, after.as_deref(), STEP).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut batch = Batch::new();
            for (key, _) in page.iter().filter(|(key, _)| !candidates.contains(key.as_str())) {
                batch.gc_seen(key, None);
            }
            self.cx.client.sync_state.metadata_write(batch).await?;
        }
    }

    /// The only place where documents are deleted (rule G2).
    async fn delete(&self, keys: Vec<Key>) -> Result<(), Error> {
        for step in keys.chunks(STEP) {
            tracing::info!(objects = step.len(), "deleting what nothing names any more");
            let answers = self.cx.client.storage.delete_many(step).await;
            let mut batch = Batch::new();
            for (key, answer) in step.iter().zip(answers) {
                answer?;
                batch.gc_seen(key.as_str(), None);
            }
            self.cx.client.sync_state.metadata_write(batch).await?;
        }
        Ok(())
    }
}
