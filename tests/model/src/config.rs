//! What is searched: how many devices and documents, what goes wrong, and which rule is broken.

use crate::storage::Trust;

/// Rules that can be switched off, one at a time or together, to see what they are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// P1, P3, D1: `prev` and the anchor are compared, and what does not match is *diverged*.
    Anchor,
    /// U7: before an attempt of an earlier sync is sent again, the anchor is looked at.
    AnchorBeforeResend,
    /// P7: writes into the application are compare-and-set.
    CompareAndSet,
    /// P6: a device reinstalled over its old documents takes what replaced them, without asking.
    Reinstalled,
    /// P6: older versions are what the log named when it was read, not what stands there by now.
    HistoryAsRead,
    /// S5, P6: an entry tells what a delete deleted, so that an old copy is known from an edit.
    HashOfDelete,
    /// P9: before its first write a pull records which entry it reaches, and the next one looks
    /// whether that entry is still there.
    Reaching,
    /// P9: the farthest such entry stays on record, also if the next pull sets out for a nearer one.
    Farthest,
    /// D1: what a start over left undecided stays a conflict when it changes again.
    UndecidedStays,
    /// D3: the device's own version wins only over one of the part that both branches have.
    CommonPart,
    /// D3: a version of the other branch is taken unasked only if it was made upon the own one.
    MadeUpon,
    /// D3: the own version wins only if no remote change of the document waited here.
    NothingWaits,
    /// D3: a start over that was interrupted looks whether the log still has the last common entry.
    CommonStillThere,
    /// D4: a device that puts a storage back pushes all documents of its index.
    PutsAllBack,
    /// D4: it pushes them upon the versions that it had, not upon newer ones that wait.
    PutsUponOwn,
    /// P13: a snapshot counts only if the log holds its last entry.
    SnapshotOfItsLog,
    /// P8: intents, so that a crash between a write and the index is settled by looking.
    Intents,
    /// P8: of a merge the application's part comes before the index.
    MergeAppliesFirst,
    /// C4: documents are compared with the index at start.
    CompareAtStart,
    /// U1: only a document whose base is the indexed version is pushed.
    BaseIsIndexed,
    /// U2: a new name for each upload; without, a name is kept as long as the content is the same.
    NewNames,
    /// U2: an upload is used again only if it is young.
    AgeOfKept,
    /// U2: an upload is used again only for the same content.
    ContentOfKept,
    /// U3, U7, G1: ages of uploads, attempts and candidates of gc.
    Ages,
    /// U4: the attempt is recorded before it is sent.
    DurableAttempt,
    /// U6: a document edited during the push stays queued.
    KeepNewerEdit,
    /// K1: a snapshot is the fold of the log, never a half-applied index.
    SnapshotOfLog,
    /// K2: log slots are never freed.
    SlotsStay,
    /// P2, S1: when the hint is broken, the snapshot is found by `list`.
    ListIfHintIsBroken,
    /// WebDAV: what a MOVE did is read back; without, a client trusts the answer, and the server is
    /// one that answers 201 to losers too (sabre/dav).
    ReadBack,
    /// WebDAV: `Overwrite: F`.
    OverwriteF,
    /// WebDAV: the entry is in the folder before it is moved.
    PutBeforeMove,
}

/// How the storage creates a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    /// `create` is atomic (S2).
    Strong,
    /// WebDAV: MKCOL, PUT, MOVE, read back.
    Webdav,
    /// There is no `create`, only overwriting puts under a lock (W).
    Weak,
}

/// When a client takes the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockPolicy {
    /// Never.
    Never,
    /// For each sync that pushes.
    Always,
    /// After so many lost races in one sync (L2).
    AfterRaces(u8),
}

/// How a client finds the newest snapshot, and what becomes of the entries it covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pointer {
    /// As in the prototype: covered entries become stubs, from slot 1 on, which lead to it.
    Stubs,
    /// `meta.json` (S4), and covered entries become stubs (K2).
    HintAndStubs,
    /// `meta.json`, and entries stay as they are (what the core does).
    Hint,
}

/// When the storage may be restored from its backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreWhen {
    /// No client is pulling or pushing, and none has an attempt left.
    Calm,
    /// No sync is running and no request under way; attempts may be left.
    BetweenSyncs,
    /// At any moment.
    Always,
}

/// What the application answers to a conflict (P6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// A document with the edits of both; it lives if either does.
    Merge,
    /// KeepLocal.
    KeepLocal,
    /// TakeRemote.
    TakeRemote,
    /// Defer: ask again in a later sync.
    Defer,
}

/// How often each kind of trouble may happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Faults {
    /// A client stops, between any two steps.
    pub crashes: u8,
    /// The answer to a commit is lost, or the commit arrives late.
    pub lost_answers: u8,
    /// A lock is broken although its holder lives.
    pub lock_breaks: u8,
    /// A device is rolled back to a backup.
    pub rollbacks: u8,
    /// A device is overwritten with a copy of another.
    pub clones: u8,
    /// The storage is restored from a backup.
    pub restores: u8,
    /// All objects of the storage are deleted.
    pub emptyings: u8,
    /// The storage is restored to what it was before its last entry.
    pub cuts: u8,
    /// A device is destroyed.
    pub destroyed: u8,
    /// A device loses its client state and keeps the documents.
    pub reinstalls: u8,
    /// `meta.json` is lost, or gets an old content.
    pub hint_damage: u8,
    /// The application defers a conflict.
    pub deferrals: u8,
    /// Somebody writes a snapshot.
    pub checkpoints: u8,
    /// Somebody collects garbage.
    pub gcs: u8,
}

/// One configuration of the model.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Devices.
    pub clients: usize,
    /// Documents.
    pub documents: usize,
    /// Edits that each user makes.
    pub edits: u8,
    /// Edits that each user but the first makes, if not as many.
    pub others_edit: Option<u8>,
    /// Users delete, too.
    pub deletes: bool,
    /// QueueChange is called some time after the edit.
    pub queued_later: bool,
    /// What the application may answer to a conflict.
    pub answers: &'static [Answer],
    /// What goes wrong.
    pub faults: Faults,
    /// How often G/2 passes; 0: everything is old at once for gc.
    pub ages: u8,
    /// The storage.
    pub store: Store,
    /// The lock.
    pub lock: LockPolicy,
    /// The way to the snapshot.
    pub pointer: Pointer,
    /// A pull may apply what it read before it reads on, as the core does every 64 entries.
    pub applies_in_steps: bool,
    /// A snapshot leaves out so many of the newest entries.
    pub snapshot_behind: u8,
    /// The storage loses superseded versions at once, harsher than G1 allows.
    pub deletes_old_at_once: bool,
    /// Uploads are used again after a lost race (U2).
    pub keeps_uploads: bool,
    /// After an unknown answer the same sync reads back and sends again (U5).
    pub sends_again: bool,
    /// The backup is of the empty storage: it is not restored but emptied.
    pub emptied: bool,
    /// D3, D4: a client whose storage diverged joins the branches; else it always starts over (D1).
    pub rejoins: bool,
    /// A restore brings only the log back: documents, snapshots and the hint stay as they are.
    pub snapshots_stay: bool,
    /// Clients stop only while they join a branch or put a storage back.
    pub crashes_joining: bool,
    /// When a restored storage may appear.
    pub restore_when: RestoreWhen,
    /// Rules that are switched off.
    pub without: &'static [Rule],
}

impl Configuration {
    /// Two devices, one document, two edits each, a strong store on which nothing goes wrong.
    pub fn new() -> Self {
        Self {
            clients: 2,
            documents: 1,
            edits: 2,
            others_edit: None,
            deletes: false,
            queued_later: false,
            answers: &[Answer::Merge],
            faults: Faults::default(),
            ages: 0,
            store: Store::Strong,
            lock: LockPolicy::Never,
            pointer: Pointer::Stubs,
            applies_in_steps: false,
            snapshot_behind: 0,
            deletes_old_at_once: false,
            keeps_uploads: true,
            sends_again: false,
            emptied: false,
            rejoins: false,
            crashes_joining: false,
            snapshots_stay: false,
            restore_when: RestoreWhen::Calm,
            without: &[],
        }
    }

    /// P13: which snapshots a client takes for true.
    pub fn trust(&self) -> Trust {
        if self.keeps(Rule::SnapshotOfItsLog) { Trust::OfThisLog } else { Trust::All }
    }

    /// Whether a rule is kept.
    pub fn keeps(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self::new()
    }
}
