//! Checked at the very moment at which they could break.

use db_to_cloud::format::{Change, Entry, ServerMetadata, Snapshot};
use db_to_cloud::memory::MemoryState;
use db_to_cloud::state::Table;
use db_to_cloud::{
    Action, Conflict, ContentHash, Document, DocumentId, Error, ErrorKind, Key, Write,
};
use serde_json::Value;

use crate::simulator::Kind;
use crate::simulator::cloud::Cloud;
use crate::simulator::shared::{Shared, lock};
use crate::simulator::state::{Place, place, record, records};
use crate::simulator::tokens::{self, Tokens};

/// Invariants 4 and 10: a write of a sync into the documents takes nothing away that nobody
/// deleted, whatever was lost, restored or damaged. One thing is allowed: a pull that was
/// interrupted and begins again may show an older version, as long as the head of the log has the
/// newer one. It never deletes.
pub(in crate::simulator) fn a_sync_takes_no_edit_away(
    shared: &Shared,
    device: usize,
    before: &Option<Document>,
    write: &Write,
) {
    let before = before.as_ref().map(tokens::of).unwrap_or_default();
    let after = write.document.as_ref().map(tokens::of).unwrap_or_default();
    let head = match write.document {
        Some(_) => lock(&shared.cloud).tokens(&write.id),
        None => Tokens::new(),
    };
    let oracle = lock(&shared.oracle);
    let must_stay = |token: &&String| !oracle.may_go(token) && !head.contains(*token);
    let taken: Vec<_> = before.difference(&after).filter(must_stay).collect();
    if !taken.is_empty() {
        let detail = format!("{taken:?} of {:?} on device {device}", write.id);
        shared.violate("a sync takes no edit away (4, 10)", detail);
    }
}

/// Invariants 5 and 10: a log that nobody took back continues for every reader, and whatever goes
/// wrong is said as what it is.
pub(in crate::simulator) fn an_error_has_a_cause(shared: &Shared, name: &str, error: &Error) {
    let cause = match error.kind() {
        ErrorKind::Diverged => {
            let cloud = lock(&shared.cloud);
            cloud.went_back || cloud.first_replaced
        }
        ErrorKind::Busy | ErrorKind::State | ErrorKind::Database | ErrorKind::InvalidInput => false,
        ErrorKind::NewerFormat | ErrorKind::Unsupported | ErrorKind::WeakStorage => false,
        _ => true,
    };
    if !cause {
        shared.violate("an error has a cause (5, 10)", format!("{name}: {error:?}"));
    }
}

/// Invariant 4: a client's version never goes back, but for a user's consent to start over; and by
/// one on weak storage, when its last commit was replaced (rule W4).
pub(in crate::simulator) fn a_version_never_goes_back(
    shared: &Shared,
    device: usize,
    before: &Place,
    after: &Place,
) {
    let least = match shared.kind {
        Kind::Strong => before.version,
        Kind::Weak => before.version.saturating_sub(1),
    };
    if before.generation == after.generation && after.version < least {
        let detail = format!("device {device}: {} after {}", after.version, before.version);
        shared.violate("a version never goes back (4)", detail);
    }
}

/// Invariant 5: a client stands on an entry that was in the log at that number.
pub(in crate::simulator) fn readers_stand_in_the_log(shared: &Shared, device: usize, at: &Place) {
    let cloud = lock(&shared.cloud);
    let known = |anchor| cloud.ever.get(&at.version).is_some_and(|ever| ever.contains(anchor));
    if at.version > 0 && !at.anchor.as_ref().is_some_and(known) {
        drop(cloud);
        shared.violate("readers see a prefix (5)", format!("device {device} stands on {at:?}"));
    }
}

/// Invariant 5: after a sync a client knows the newest version of each document up to its place in
/// the log: in its index, or as pending.
pub(in crate::simulator) fn readers_see_a_prefix(
    shared: &Shared,
    device: usize,
    state: &MemoryState,
) {
    let at = place(state);
    let cloud = lock(&shared.cloud);
    if cloud.log.get(&at.version).map(|entry| entry.commit) != at.anchor {
        // The storage went back, and this device did not notice yet.
        return;
    }
    let known = Known::of(state);
    let changes = cloud.log.range(..=at.version).flat_map(|(_, entry)| &entry.changes);
    let newest: std::collections::BTreeMap<&DocumentId, &Change> =
        changes.map(|change| (&change.id, change)).collect();
    let unknown = newest.values().find(|change| !known.has(change));
    let detail = unknown.map(|change| format!("device {device} at {at:?} lacks {change:?}"));
    drop(cloud);
    if let Some(detail) = detail {
        shared.violate("readers see a prefix (5)", detail);
    }
}

/// Invariant 9: a sync that went well leaves no commit open and no write half done.
pub(in crate::simulator) fn a_good_sync_leaves_nothing_open(
    shared: &Shared,
    name: &str,
    state: &MemoryState,
) {
    let attempt = record(state, Table::Metadata, "attempt").is_some();
    if attempt || !records(state, Table::Intents).is_empty() {
        let what = if attempt { "an attempt" } else { "intents" };
        shared.violate("a good sync leaves nothing open (9)", format!("{name} has {what}"));
    }
}

/// Complaint 14: nobody is asked to decide between his edit and the very version that he
/// edited, unless he edited an older one, a backup was restored somewhere, or a device put that version
/// in the place of one that was lost.
pub(in crate::simulator) fn nobody_is_asked_in_vain(shared: &Shared, conflict: &Conflict) {
    let cloud = lock(&shared.cloud);
    let id = &conflict.id;
    let has_cause = cloud.given_up.contains_key(id) || cloud.declared.contains(id);
    if shared.kind == Kind::Weak || cloud.went_back || cloud.rolled_back || has_cause {
        return;
    }
    drop(cloud);
    let remote = conflict.remote.as_ref().map(|remote| &remote.revision);
    if remote.is_some() && remote == conflict.base_revision.as_ref() {
        let detail = format!("{:?} in conflict with the version it was made of", conflict.id);
        shared.violate("nobody is asked in vain (14)", detail);
    }
}

/// The versions that a client knows.
struct Known {
    live: std::collections::BTreeMap<String, String>,
    pending: Vec<String>,
}

impl Known {
    fn of(state: &MemoryState) -> Self {
        let json = |(key, bytes): (String, Vec<u8>)| {
            Some((key, serde_json::from_slice::<Value>(&bytes).ok()?))
        };
        let vid = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let index = records(state, Table::Index).into_iter().filter_map(json);
        let pending = records(state, Table::Pending).into_iter().filter_map(json);
        Self {
            live: index.map(|(key, record)| (key, vid(&record["vid"]))).collect(),
            pending: pending.map(|(_, record)| vid(&record["change"]["vid"])).collect(),
        }
    }

    fn has(&self, change: &Change) -> bool {
        let vid = change.vid.to_string();
        let indexed = self.live.get(&change.id.to_key());
        let settled = match change.action {
            Action::Put => indexed == Some(&vid),
            Action::Delete => indexed.is_none(),
        };
        settled || self.pending.contains(&vid)
    }
}

/// Invariant 5: each number is given once, and each commit continues the one before.
pub(in crate::simulator) fn one_commit_a_number(
    shared: &Shared,
    cloud: &Cloud,
    n: u64,
    entry: &Entry,
) {
    let there = cloud.log.get(&n).map(|there| there.commit);
    if shared.kind == Kind::Strong && there.is_some() {
        shared.violate("one commit a number (5)", format!("slot {n} is written again"));
    }
    let before = cloud.log.get(&(n - 1)).map(|before| before.commit);
    if before != entry.prev {
        let detail = format!("slot {n} of {} does not continue the log", entry.client);
        shared.violate("one commit a number (5)", detail);
    }
}

/// Invariant 6: on weak storage nobody who lost the lock replaces a commit, as long as the lock
/// does what it is there for: no late write, no meddling, no sleeping holder. A late write may also land
/// between the look at the slot and the write of the holder, which replaces it then.
pub(in crate::simulator) fn nothing_of_an_old_lock_holder_is_reachable(
    shared: &Shared,
    cloud: &Cloud,
    n: u64,
    entry: &Entry,
    late: bool,
) {
    let there = cloud.log.get(&n).map(|there| there.commit);
    let replaces = there.is_some_and(|there| there != entry.commit && !cloud.late.contains(&there));
    if replaces && !late && !cloud.lock_in_doubt {
        let detail = format!("{} replaces commit {n} of another", entry.client);
        shared.violate("nothing of an old lock holder is reachable (6)", detail);
    }
}

/// Invariant 8: each document that a commit names is in the storage, whole, at that moment.
pub(in crate::simulator) fn what_a_commit_names_is_there(
    shared: &Shared,
    cloud: &Cloud,
    entry: &Entry,
) {
    if cloud.orphans.contains(&entry.commit) {
        return;
    }
    for change in entry.changes.iter().filter(|change| change.action == Action::Put) {
        let key = Key::document(&change.id, change.vid);
        let damaged = cloud.damage.as_ref().is_some_and(|(damaged, ..)| *damaged == key);
        let bytes = cloud.objects.get(&key);
        let whole = bytes.is_some_and(|bytes| ContentHash::of(bytes) == change.hash);
        if !whole && !damaged {
            let detail = format!("{} commits {key}, which is not there", entry.client);
            shared.violate("cleaning up removes nothing needed (8)", detail);
        }
    }
}

/// Invariant 8: what is deleted is named neither by the head of the log nor by the newest snapshot;
/// the log itself is never deleted.
pub(in crate::simulator) fn cleaning_up_removes_nothing_needed(
    shared: &Shared,
    cloud: &Cloud,
    key: &Key,
) {
    let live = cloud.head.values().filter(|change| change.action == Action::Put);
    let named = key.vid().is_some_and(|vid| live.into_iter().any(|change| change.vid == vid));
    let needed = named || key.slot().is_some() || newest_snapshot(cloud).contains(&key.to_string());
    match key.split() {
        _ if needed => {
            shared.violate("cleaning up removes nothing needed (8)", format!("{key} is deleted"));
        }
        Some(("docs", _)) => shared.count("document collected"),
        Some(("snapshot", _)) => shared.count("snapshot collected"),
        _ => {}
    }
}

fn newest_snapshot(cloud: &Cloud) -> Vec<String> {
    let read = || {
        let hint: ServerMetadata =
            serde_json::from_slice(cloud.objects.get(&Key::metadata())?).ok()?;
        let head = hint.snapshot?;
        let snapshot = cloud.objects.get(&Key::parse(&head).ok()?)?;
        let snapshot: Snapshot = serde_json::from_slice(snapshot).ok()?;
        let parts = snapshot.parts.into_iter().map(|part| part.key);
        Some(parts.chain([head]).collect::<Vec<_>>())
    };
    read().unwrap_or_default()
}
