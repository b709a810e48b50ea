//! Several storages of one database (rules T1, T2 and T3): which of two versions contains the other.
//!
//! A client state is that of one storage. The other states of the same database have the same documents,
//! and each synced version names the edits that it contains ([`Seen`]). So a version that comes from one
//! storage can be recognised as one that another storage had before, and is no conflict.

use super::decide::{Local, is_as_synced};
use crate::model::format::Change;
use crate::model::{Action, ContentHash, Kept, Seen, Stamp, SyncedVersion};

/// The synced versions of one document: of this storage, and of the other storages of this database.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lineage<'a> {
    pub here: Option<&'a SyncedVersion>,
    pub elsewhere: &'a [SyncedVersion],
    /// Whether there are other storages, also if they never had the document.
    pub are_several: bool,
}

/// What the application has, among the edits that are known of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ours {
    /// As this storage has it; nothing is known of its edits.
    AsHere,
    /// A version that contains all edits that are on record in this database.
    Known(Seen),
    /// Edited since: upon a version with these edits.
    Edited(Seen),
}

/// How the version of the storage stands to the local one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// The local version contains it.
    Older,
    /// It contains the local version.
    Newer,
    /// Neither contains the other.
    Apart,
}

impl Lineage<'_> {
    /// How this change of the storage stands to what the application has, which has other bytes; `None`
    /// if that cannot be said, and the log of this storage decides alone: so it does where no other storage
    /// had the document.
    pub(crate) fn kin(&self, local: Local<'_>, theirs: &Change) -> Option<Kin> {
        if self.elsewhere.is_empty() {
            return None;
        }
        let ours = self.ours(local);
        let Some(seen) = &theirs.seen else {
            // It was deleted here before this storage was used.
            let is_gone = self.here.is_none() && local == Local::Absent;
            return (is_gone && ours != Ours::AsHere).then_some(Kin::Apart);
        };
        match ours {
            Ours::AsHere => None,
            Ours::Edited(known) if known.contains(seen) => Some(Kin::Older),
            Ours::Edited(_) => Some(Kin::Apart),
            // One conflict was decided on two devices, in two ways: both take the same one (rule T3).
            Ours::Known(known) if known == *seen => match self.content(local) < content(theirs) {
                true => Some(Kin::Newer),
                false => Some(Kin::Older),
            },
            Ours::Known(known) if known.contains(seen) => Some(Kin::Older),
            Ours::Known(known) if seen.contains(&known) => Some(Kin::Newer),
            Ours::Known(_) => Some(Kin::Apart),
        }
    }

    /// The edits of a version of the storage that was written over the local one.
    pub(crate) fn taken(&self, theirs: &Change) -> Option<Seen> {
        Some(self.everything().join(theirs.seen.as_ref()?))
    }

    /// The edits of a version of the storage that has the local bytes.
    pub(crate) fn alike(&self, local: Local<'_>, theirs: &Change) -> Option<Seen> {
        match (&theirs.seen, self.ours(local)) {
            (Some(_), _) => self.taken(theirs),
            (None, Ours::Known(seen)) => Some(seen),
            (None, _) => None,
        }
    }

    /// The local version, which goes upon this one of the storage.
    pub(crate) fn kept(&self, local: Local<'_>, theirs: &Change, stamp: Stamp) -> Kept {
        let seen = self.pushed(local, stamp);
        let seen = theirs.seen.as_ref().map_or(seen.clone(), |theirs| seen.join(theirs));
        Kept { hash: self.content(local), seen }
    }

    /// The edits of the local version, which is pushed.
    pub(crate) fn pushed(&self, local: Local<'_>, stamp: Stamp) -> Seen {
        match self.ours(local) {
            Ours::Known(seen) => seen,
            Ours::AsHere | Ours::Edited(_) => self.everything().edited(stamp),
        }
    }

    /// Whether a version that goes upon this one of the storage names its edits: there are other storages,
    /// or a version does so already.
    pub(crate) fn names_edits(&self, theirs: Option<&Change>) -> bool {
        let theirs = theirs.is_some_and(|theirs| theirs.seen.is_some());
        theirs || self.are_several || !self.everything().is_empty()
    }

    fn ours(&self, local: Local<'_>) -> Ours {
        let everything = self.everything();
        let kept = self.versions().filter_map(|version| version.kept.as_deref());
        let kept = kept.filter(|kept| kept.hash == self.content(local)).map(|kept| &kept.seen);
        let same = self.versions().filter(|version| self.is_content(version, local));
        let known = kept.chain(same.filter_map(|version| version.seen.as_ref()));
        if let Some(seen) = { known }.find(|seen| seen.contains(&everything)) {
            return Ours::Known(seen.clone());
        }
        let is_new = self.here.is_none() && self.elsewhere.iter().any(|version| !version.deleted);
        match everything.is_empty() && is_as_synced(self.here, local) && !is_new {
            true => Ours::AsHere,
            false => Ours::Edited(everything),
        }
    }

    /// All edits that are on record in this database.
    fn everything(&self) -> Seen {
        let of = |version: &SyncedVersion| {
            let seen = version.seen.clone().unwrap_or_default();
            version.kept.iter().fold(seen, |seen, kept| seen.join(&kept.seen))
        };
        self.versions().fold(Seen::default(), |seen, version| seen.join(&of(version)))
    }

    fn versions(&self) -> impl Iterator<Item = &SyncedVersion> {
        self.here.into_iter().chain(self.elsewhere)
    }

    fn is_content(&self, version: &SyncedVersion, local: Local<'_>) -> bool {
        let hash = (!version.deleted).then_some(version.hash);
        is_as_synced(Some(version), local) || hash == self.content(local)
    }

    /// The hash of what the application has; `None`: the document is absent. What is as it was synced need
    /// not be read.
    fn content(&self, local: Local<'_>) -> Option<ContentHash> {
        match local {
            Local::Content(_, hash) => Some(hash),
            Local::Absent | Local::Unreadable => None,
            Local::Revision(_) => {
                let same = self.versions().find(|version| is_as_synced(Some(version), local));
                same.map(|version| version.hash)
            }
        }
    }
}

fn content(change: &Change) -> Option<ContentHash> {
    (change.action == Action::Put).then_some(change.hash)
}

#[cfg(test)]
#[path = "lineage/tests.rs"]
mod tests;
