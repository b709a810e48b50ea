//! What must hold in every state.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::client::Step;
use crate::config::{Configuration, Pointer, Rule, Store};
use crate::protocol::{Protocol, Sight};
use crate::quiet::is_quiet;
use crate::storage::{Head, Trust};
use crate::turn::is_conflict;
use crate::words::{Change, Changes, Entry, NONE, Seq, Slot, Snapshot, VersionId};
use crate::world::World;

/// A property: its name, and whether it holds in a world.
type Holds = (&'static str, fn(&View<'_>) -> bool);

/// What must hold in every state.
pub const PROPERTIES: &[Holds] = &[
    ("a committed edit is in the head", committed_is_in_head),
    ("when all is quiet every edit is in the head", quiet_lost_nothing),
    ("when all is quiet every device equals the head", quiet_is_equal),
    ("the log is one chain", log_is_chain),
    ("the head names no missing document", head_is_whole),
    ("a change replaces the version it names", nothing_overwritten),
    ("a deleted document comes back only by a new edit", not_resurrected),
    ("a snapshot is the fold of the log", snapshots_are_folds),
    ("a version is in one entry", vids_are_unique),
    ("an upload that may be used again is there", kept_is_there),
    ("one client has the lock unless it was broken", lock_is_exclusive),
    ("no slot is an empty folder", no_slot_is_empty),
    ("somebody can act or all is quiet", nobody_is_stuck),
];

impl Protocol for Configuration {
    type World = World;
    type Action = Action;

    fn beginning(&self) -> World {
        World::new(self)
    }

    fn possible(&self, world: &World) -> Vec<Action> {
        self.possible_actions(world)
    }

    fn perform(&self, world: &mut World, action: Action) {
        self.let_happen(world, action);
    }

    fn broken(&self, world: &World, only: Option<&'static str>) -> Option<&'static str> {
        let view = View {
            config: self,
            world,
            head: world.storage.head(self.documents, Trust::OfThisLog),
            is_quiet: is_quiet(self, world),
            is_strict: self.store != Store::Weak && !world.judge.restored,
        };
        let mut wanted =
            PROPERTIES.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
        wanted.find(|(_, holds)| !holds(&view)).map(|(name, _)| *name)
    }

    fn is_quiet(&self, world: &World) -> bool {
        is_quiet(self, world)
    }

    fn sees(&self, world: &World, sight: Sight) -> bool {
        match sight {
            Sight::Done => is_quiet(self, world) && world.clients.iter().all(|c| c.edits == 0),
            Sight::UsedAgain => uses_again(world),
            Sight::OlderAgain => shows_older(self, world),
            Sight::AskedNeedlessly => world.judge.asked_needlessly,
        }
    }
}

/// A world, and what several properties want to know of it.
#[derive(Debug)]
pub struct View<'a> {
    config: &'a Configuration,
    world: &'a World,
    head: Head,
    is_quiet: bool,
    /// The log may be judged strictly: a weak store may lose a commit for a while, a restored one
    /// has lost some.
    is_strict: bool,
}

impl View<'_> {
    /// Edits of a document that the head has, or the application chose to drop.
    fn accounted(&self, d: usize) -> u16 {
        self.head.newest[d].map_or(0, |change| change.content.edits) | self.world.judge.dropped[d]
    }

    fn all_documents(&self, is_right: impl Fn(usize) -> bool) -> bool {
        (0..self.config.documents).all(is_right)
    }
}

fn committed_is_in_head(view: &View<'_>) -> bool {
    let acknowledged = &view.world.judge.acknowledged;
    !view.is_strict || view.all_documents(|d| acknowledged[d] & !view.accounted(d) == 0)
}

fn quiet_lost_nothing(view: &View<'_>) -> bool {
    let judge = &view.world.judge;
    let is_there = |d| judge.made[d] & !(view.accounted(d) | judge.lost_with_device[d]) == 0;
    !view.is_quiet || view.all_documents(is_there)
}

fn quiet_is_equal(view: &View<'_>) -> bool {
    if !view.is_quiet {
        return true;
    }
    let content = |d: usize| view.head.newest[d].map(|c| c.content).unwrap_or_default();
    let living = || view.world.clients.iter().filter(|client| !client.gone);
    view.all_documents(|d| living().all(|client| client.durable.documents[d] == content(d)))
}

fn log_is_chain(view: &View<'_>) -> bool {
    if view.config.store == Store::Weak {
        return true;
    }
    let storage = &view.world.storage;
    let floor = storage.floor(Trust::OfThisLog);
    let mut prev = (floor == 0).then_some(NONE);
    for n in floor.max(1)..=storage.log.len() as Seq {
        match storage.slot(n) {
            None if n > floor => return false,
            None => {}
            Some(Slot::Entry(entry)) if prev.is_some_and(|prev| prev != entry.prev) => {
                return false;
            }
            Some(slot) => prev = Some(slot.commit()),
        }
    }
    let rest = storage.log.get(view.head.seq as usize..).unwrap_or_default();
    rest.iter().all(Option::is_none) && !view.world.judge.rewritten
}

/// D2: what a restored storage lacks is put again by a client that has it.
fn head_is_whole(view: &View<'_>) -> bool {
    let storage = &view.world.storage;
    view.head.newest.iter().flatten().filter(|change| change.content.live).all(|change| {
        let there = storage.documents.get(&change.vid).map(|(content, _)| *content);
        there == Some(change.content) || view.world.judge.restored && is_held(view.world, change)
    })
}

/// Whether a client knows this version as its own, so that it will put it again or replace it.
fn is_held(world: &World, change: &Change) -> bool {
    let known = (change.vid, change.content);
    world.clients.iter().any(|client| {
        let durable = &client.durable;
        let mut attempted = durable.attempt.iter().flat_map(|attempt| &attempt.entry.changes);
        durable.index[change.document as usize] == known
            || attempted.any(|attempted| attempted.vid == change.vid)
    })
}

/// The entries after the newest snapshot, with the state they follow.
fn tail<'a>(view: &View<'a>) -> (Changes, Vec<&'a Entry>) {
    let storage = &view.world.storage;
    let (mut n, start) = match storage.newest_snapshot(Trust::OfThisLog) {
        Some((seq, snapshot)) => (seq, snapshot.newest.clone()),
        None => (0, vec![None; view.config.documents]),
    };
    let mut entries = Vec::new();
    while let Some(Slot::Entry(entry)) = storage.slot(n + 1) {
        entries.push(entry);
        n += 1;
    }
    (start, entries)
}

/// Checks each change after the newest snapshot against the one it follows.
fn each_change(view: &View<'_>, is_right: impl Fn(Option<Change>, &Change) -> bool) -> bool {
    let (mut newest, entries) = tail(view);
    entries.iter().flat_map(|entry| &entry.changes).all(|change| {
        let before = newest[change.document as usize].replace(*change);
        is_right(before, change)
    })
}

fn nothing_overwritten(view: &View<'_>) -> bool {
    let is_base = |before: Option<Change>, change: &Change| {
        change.base == before.map_or(NONE, |before| before.vid)
    };
    !view.is_strict || each_change(view, is_base)
}

/// A put after a delete brings an edit that the delete did not know, or is the application's wish.
fn not_resurrected(view: &View<'_>) -> bool {
    let judge = &view.world.judge;
    let is_right = |before: Option<Change>, change: &Change| {
        let Some(tombstone) = before.filter(|b| !b.content.live && change.content.live) else {
            return true;
        };
        let d = change.document as usize;
        let (old, new) = (tombstone.content, change.content);
        let refused = old.edits & !new.edits;
        let is_kept = refused != 0 && refused & !judge.dropped[d] == 0;
        !old.includes(new) || is_kept || judge.revived >> d & 1 == 1
    };
    !view.is_strict || each_change(view, is_right)
}

/// K1, where the whole log can still be read.
fn snapshots_are_folds(view: &View<'_>) -> bool {
    let storage = &view.world.storage;
    if view.config.pointer != Pointer::Hint || !view.is_strict {
        return true;
    }
    let mut bare = storage.clone();
    bare.snapshots.clear();
    let is_fold = |(seq, snapshot): (&Seq, &Snapshot)| {
        bare.fold(*seq, view.config.documents, Trust::OfThisLog)
            .is_none_or(|fold| fold == snapshot.newest)
    };
    storage.snapshots.iter().all(is_fold)
}

fn vids_are_unique(view: &View<'_>) -> bool {
    if !view.is_strict {
        return true;
    }
    let entries = view.world.storage.log.iter().flatten().filter_map(|slot| match slot {
        Slot::Entry(entry) => Some(entry),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    entries.flat_map(|entry| &entry.changes).all(|change| seen.insert(change.vid))
}

fn kept_is_there(view: &View<'_>) -> bool {
    let (config, world) = (view.config, view.world);
    if !view.is_strict || !config.keeps(Rule::ContentOfKept) {
        return true;
    }
    let there = |vid: &VersionId| world.storage.documents.get(vid).map(|(content, _)| *content);
    world.clients.iter().filter(|c| c.durable.attempt.is_none()).all(|client| {
        let mut young = client.kept.iter().flatten().filter(|kept| kept.began == world.now);
        young.all(|kept| there(&kept.vid) == Some(kept.content))
    })
}

fn lock_is_exclusive(view: &View<'_>) -> bool {
    let (config, world) = (view.config, view.world);
    let holders = world.clients.iter().filter(|client| client.has_lock).count();
    world.left.lock_breaks < config.faults.lock_breaks || holders <= 1
}

/// Servers refuse a MOVE onto an empty folder, and readers take it for absent: nobody could go on.
fn no_slot_is_empty(view: &View<'_>) -> bool {
    !view.world.storage.log.contains(&Some(Slot::EmptyFolder))
}

fn nobody_is_stuck(view: &View<'_>) -> bool {
    view.is_quiet || !view.config.possible_actions(view.world).is_empty()
}

/// A client is about to write a version that lacks edits which the application's document has.
fn shows_older(config: &Configuration, world: &World) -> bool {
    world.clients.iter().enumerate().any(|(me, client)| match &client.step {
        Step::Apply { tail, fetched: Some(change), was_dirty } => {
            let here = client.durable.documents[change.document as usize];
            let is_older = here.includes(change.content) && here.edits != change.content.edits;
            is_older && !is_conflict(config, world, me, (tail, change, *was_dirty))
        }
        _ => false,
    })
}

/// A client is about to push a kept upload.
fn uses_again(world: &World) -> bool {
    world.clients.iter().any(|client| match &client.step {
        Step::Upload { changes, next: 0, .. } => changes.iter().any(|change| {
            client.kept[change.document as usize].is_some_and(|kept| kept.vid == change.vid)
        }),
        _ => false,
    })
}
