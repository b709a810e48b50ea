//! One device: what it remembers (C1), and where it is in a sync.

use crate::branch::{Branch, Chain};
use crate::words::{Change, Changes, Commit, Content, Entry, NONE, Seq, Time, VersionId};

/// A commit under way, recorded before it is sent (U4).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attempt {
    /// The slot it is for.
    pub slot: Seq,
    /// The exact bytes.
    pub entry: Entry,
    /// When its uploads began.
    pub began: Time,
}

/// What survives a crash: the application's documents and the client's state (C1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Durable {
    /// The application's database.
    pub documents: Vec<Content>,
    /// Queued documents, each with the version that was edited.
    pub dirty: Vec<Option<VersionId>>,
    /// The version of each document that this client and the storage agree on.
    pub index: Vec<(VersionId, Content)>,
    /// The last entry that was applied.
    pub v: Seq,
    /// Its commit.
    pub anchor: Commit,
    /// P9: the entry that the pull under way reaches, and its commit: until `v` is there, some of
    /// what is applied may be of entries after `v`.
    pub reaching: Option<(Seq, Commit)>,
    /// D1: a start over is under way.
    pub resyncing: bool,
    /// The commit under way.
    pub attempt: Option<Attempt>,
    /// Deferred conflicts: the newest remote change up to `v` that is not applied.
    pub pending: Changes,
    /// D1: which of them the application must be asked about although nothing was edited here: a bit
    /// for each document.
    pub undecided: u8,
    /// Only without rule U2: names of versions to be used again.
    pub old_names: Vec<Option<(VersionId, Content)>>,
    /// D3, D4: what is needed to join another branch; all of it is empty where clients start over.
    pub branch: Branch,
}

impl Durable {
    /// A device with these documents and no memory of any storage.
    pub fn fresh(documents: Vec<Content>) -> Self {
        let n = documents.len();
        Self {
            documents,
            dirty: vec![None; n],
            index: vec![(NONE, Content::default()); n],
            v: 0,
            anchor: NONE,
            reaching: None,
            resyncing: false,
            attempt: None,
            pending: vec![None; n],
            undecided: 0,
            old_names: vec![None; n],
            branch: Branch::default(),
        }
    }

    /// C3: QueueChange.
    pub fn queue(&mut self, document: usize) {
        if self.dirty[document].is_none() {
            self.dirty[document] = Some(self.index[document].0);
        }
    }

    /// Whether the application's document is another than the index says.
    pub fn is_edited(&self, document: usize) -> bool {
        self.documents[document] != self.index[document].1
    }

    /// P9: all up to this entry is applied or pending.
    pub fn arrive(&mut self, v: Seq, anchor: Commit) {
        (self.v, self.anchor) = (v, anchor);
        self.reaching = self.reaching.filter(|(farthest, _)| *farthest > v);
    }

    /// The same for what a pull has read.
    pub fn arrive_after(&mut self, tail: &Tail) {
        for (n, commit) in &tail.trail {
            self.branch.push(*n, *commit);
        }
        self.arrive(tail.upto, tail.commit);
    }

    /// D1: what a start over found waits for the application, and `v` is at the head.
    pub fn set_aside(&mut self, tail: &Tail) {
        self.arrive_after(tail);
        self.resyncing = false;
        self.pending.clone_from(&tail.changes);
        for change in tail.changes.iter().flatten() {
            let d = change.document as usize;
            self.undecided |= u8::from(self.index[d].0 != NONE) << d;
        }
    }

    /// No remote change of the document waits any more.
    pub fn decide(&mut self, document: usize) {
        self.pending[document] = None;
        self.undecided &= !(1 << document);
        self.branch.set_replaced(document, Vec::new());
    }

    /// The version of the storage is this one from now on.
    pub fn set_index(&mut self, change: &Change) {
        let d = change.document as usize;
        self.index[d] = (change.vid, change.content);
        self.branch.unmet &= !(1 << d);
    }

    /// The application's document and the storage's version are the same.
    pub fn settle(&mut self, change: &Change) {
        let d = change.document as usize;
        self.set_index(change);
        self.dirty[d] = None;
    }
}

/// An upload of the running sync that no commit holds yet (U2). Not durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Kept {
    /// The name it was uploaded under.
    pub vid: VersionId,
    /// What was uploaded.
    pub content: Content,
    /// The version it was to replace.
    pub base: VersionId,
    /// When the uploads began.
    pub began: Time,
}

/// What a pull has read so far and not yet applied (P1, P4).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tail {
    /// The last entry read.
    pub upto: Seq,
    /// Its commit.
    pub commit: Commit,
    /// The last change of each document.
    pub changes: Changes,
    /// The client starts over on a storage that diverged (D1).
    pub diverged: bool,
    /// It is applied before the rest of the log is read.
    pub is_part: bool,
    /// D3: the whole log was read, and it is joined with the index.
    pub ends: bool,
    /// D3: what was read of each document; empty unless another branch is joined.
    pub chains: Vec<Chain>,
    /// D3: the entries that were read, for the trail; empty where clients start over.
    pub trail: Vec<(Seq, Commit)>,
}

impl Tail {
    /// D3: the change follows what was read of its document before.
    pub fn link(&mut self, change: &Change) {
        let d = change.document as usize;
        let order = self.upto + 1;
        let Some(chain) = self.chains.get_mut(d) else { return };
        let before = self.changes[d].filter(|_| chain.order > 0).map(|before| before.vid);
        chain.replaced.extend(before);
        chain.replaced.push(change.base);
        chain.replaced.retain(|vid| *vid != NONE);
        chain.replaced.sort_unstable();
        chain.replaced.dedup();
        chain.order = order;
    }

    /// What is read from here on, upon what waits already.
    pub fn after(upto: Seq, commit: Commit, changes: Changes) -> Self {
        Self {
            upto,
            commit,
            changes,
            diverged: false,
            is_part: false,
            ends: false,
            chains: Vec::new(),
            trail: Vec::new(),
        }
    }
}

/// How far a commit got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// One request creates the slot, or puts it on a weak store.
    Create,
    /// WebDAV: `MKCOL tmp-x/`.
    MakeFolder,
    /// WebDAV: `PUT tmp-x/entry.json`.
    PutEntry(u8),
    /// WebDAV: `MOVE tmp-x/ → changes/<n>/`.
    Move(u8),
    /// WebDAV: whose entry is in the slot?
    ReadBack,
}

/// What an object is that gc may delete.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Garbage {
    /// A document version.
    Document(VersionId),
    /// A snapshot.
    Snapshot(Seq),
    /// WebDAV: a temporary folder.
    Folder(u8),
}

/// What a client does next. Each step makes at most one request; anything may happen before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// No sync is running.
    Idle,
    /// Waits for the lock (L1, W1).
    WantLock,
    /// Will read the next slot (P1).
    Read(Tail),
    /// Applies what was read (P4 to P9).
    Apply {
        /// What is left to apply.
        tail: Tail,
        /// A change whose bytes were fetched.
        fetched: Option<Change>,
        /// The document was queued when they were fetched (used only without P7).
        was_dirty: bool,
    },
    /// Uploads (U2): the next is `changes[next]`.
    Upload {
        /// What will be committed.
        changes: Vec<Change>,
        /// The next one to upload.
        next: usize,
        /// When the uploads began.
        began: Time,
    },
    /// Weak store: will look whether lock and slot are still as they should be (W3).
    CheckLock,
    /// Will send the attempt (U4, U5).
    Send {
        /// When its uploads began.
        began: Time,
        /// The next request.
        stage: Stage,
    },
    /// Superseded versions vanish at once (a storage harsher than G1).
    DeleteOld(Vec<VersionId>),
    /// The snapshot after `seq` is written; now slot `next` (0: the hint).
    Checkpoint {
        /// The entry that the snapshot follows.
        seq: Seq,
        /// What is rewritten next.
        next: Seq,
    },
    /// Gc has listed candidates, and will read the head (G1).
    GcListed(Vec<Garbage>),
    /// Gc deletes these.
    GcDelete(Vec<Garbage>),
    /// Has read its own nonce and will delete the lock object (L1).
    Unlock,
    /// D4: will queue what its index names.
    PutBack,
    /// D3: has read the whole log, and will see what it lacks.
    Rejoined,
}

/// A device.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Client {
    /// What survives a crash.
    pub durable: Durable,
    /// Where the sync is.
    pub step: Step,
    /// Edits whose QueueChange has not been called yet: a bit for each document.
    pub unqueued: u8,
    /// Uploads that may be used again after a lost race (U2).
    pub kept: Vec<Option<Kept>>,
    /// Races that this sync has lost (L2).
    pub races: u8,
    /// It took the lock and has not released it.
    pub has_lock: bool,
    /// Random names made so far.
    pub names: u8,
    /// Edits that its user will still make.
    pub edits: u8,
    /// It was destroyed.
    pub gone: bool,
    /// A backup of the device.
    pub backup: Option<Box<Durable>>,
}
