//! One device of a run: what survives a crash, and the client that does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::state::{StateStore, Table, Update, queue_change};
use db_to_cloud::{
    ChangeTracking, Client, Divergence, Document, DocumentId, Environment, Error, ErrorKind,
    Limits, Report, Sizes,
};

use super::clock::Clock;
use super::dice::Dice;
use super::documents::{Selection, WatchedDocuments};
use super::resolver::Merging;
use super::shared::{Shared, lock};
use super::state::{WatchedState, at_once, record};
use super::storage::Storage;
use super::tokens::{self, Tokens};

/// How a device is set up.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub queueing: ChangeTracking,
    pub probed: bool,
    pub width: usize,
    pub retries: usize,
    pub sizes: Sizes,
    pub maintenance: bool,
}

impl Setup {
    /// Small enough that a few documents make several parts, commits and batches.
    pub(super) fn of_chance(dice: &mut Dice) -> Self {
        Self {
            queueing: match dice.below(3) {
                0 => ChangeTracking::Transactional,
                _ => ChangeTracking::Scanned,
            },
            probed: dice.percent(20),
            width: 1 + dice.below(3) as usize,
            retries: 1 + dice.below(4) as usize,
            sizes: Sizes {
                body: dice.one_of(&[0, 100, 4096]),
                entry_changes: dice.one_of(&[2, 3, 500]),
                entry_bodies: dice.one_of(&[60, 1 << 20]),
                part: dice.one_of(&[250, 700, 1 << 20]),
                snapshot_entries: dice.one_of(&[3, 6, 16]),
            },
            maintenance: !dice.percent(10),
        }
    }
}

/// A copy of documents and state, of one moment.
#[derive(Clone)]
pub(super) struct Backup {
    pub documents: BTreeMap<DocumentId, Document>,
    pub state: MemoryState,
}

pub(super) struct Device {
    pub number: usize,
    pub name: String,
    pub setup: Setup,
    pub documents: MemoryDatabase,
    pub selection: Selection,
    pub state: MemoryState,
    pub clock: Clock,
    pub client: Client,
    pub journal: Arc<Mutex<Vec<String>>>,
    pub backup: Option<Backup>,
    /// An edit was not queued: only a comparison finds it.
    pub sloppy: bool,
    /// How its last sync ended.
    pub ended: Option<Result<Report, Error>>,
    /// The user consents to what the last sync asked about.
    pub asked: Option<(ErrorKind, Option<Divergence>)>,
    /// How often it was asked about a storage that diverged.
    pub asks: u64,
    /// What an editor has open, as it was then.
    pub opened: BTreeMap<DocumentId, Document>,
    /// What an editor's save took away and the client has not heard of yet.
    pub half_saved: Arc<Mutex<Tokens>>,
    /// Documents that the last sync missed in the storage.
    pub missing: Vec<DocumentId>,
    /// What the storage was that the sync under way was to go on with.
    pub goes_on: Option<Divergence>,
    shared: Arc<Shared>,
}

impl Device {
    pub(super) fn new(shared: &Arc<Shared>, number: usize, name: String, setup: Setup) -> Self {
        let (documents, state) = (MemoryDatabase::new(), MemoryState::new());
        let clock = Clock::new(shared, number);
        let journal = Arc::default();
        let selection = Selection::default();
        let parts = (&documents, &selection, &state, &clock, &journal);
        let client = build(shared, number, &name, &setup, parts);
        let (backup, asked, goes_on, ended) = (None, None, None, None);
        let shared = shared.clone();
        let (sloppy, missing) = (false, Vec::new());
        Self {
            number,
            name,
            setup,
            documents,
            selection,
            state,
            clock,
            client,
            journal,
            backup,
            sloppy,
            ended,
            asked,
            asks: 0,
            goes_on,
            missing,
            opened: BTreeMap::new(),
            half_saved: Arc::default(),
            shared,
        }
    }

    /// Another process begins, with what was durable.
    pub(super) fn restart(&mut self) {
        // A claim does not outlive its process.
        self.state = self.state.reopen();
        let parts = (&self.documents, &self.selection, &self.state, &self.clock, &self.journal);
        self.client = build(&self.shared, self.number, &self.name, &self.setup, parts);
        self.sloppy = false;
    }

    pub(super) fn copy(&self) -> Backup {
        Backup { documents: self.documents.documents().clone(), state: self.state.snapshot() }
    }

    pub(super) fn tokens(&self, id: &DocumentId) -> Tokens {
        self.documents.documents().get(id).map(tokens::of).unwrap_or_default()
    }

    pub(super) fn all_tokens(&self) -> Tokens {
        self.documents.documents().values().flat_map(tokens::of).collect()
    }

    pub(super) fn texts(&self) -> BTreeMap<DocumentId, String> {
        let text = |d: &Document| String::from_utf8_lossy(&d.bytes).into_owned();
        self.documents.documents().iter().map(|(id, d)| (id.clone(), text(d))).collect()
    }

    /// QueueChange as an application does it in the transaction of the edit.
    pub(super) fn queue_in_transaction(&self, id: &DocumentId) {
        let key = id.to_key();
        let dirty = record(&self.state, Table::Dirty, &key);
        let indexed = record(&self.state, Table::Index, &key);
        let indexed = indexed.or_else(|| record(&self.state, Table::Tombstones, &key));
        let edit = self.clock.random() as u64;
        if let Ok(value) = queue_change(dirty.as_deref(), indexed.as_deref(), edit) {
            let update = Update { table: Table::Dirty, key, value: Some(value) };
            at_once(self.state.write(Vec::new(), vec![update]));
        }
    }

    pub(super) fn take_journal(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.journal))
    }
}

type Parts<'a> =
    (&'a MemoryDatabase, &'a Selection, &'a MemoryState, &'a Clock, &'a Arc<Mutex<Vec<String>>>);

fn build(
    shared: &Arc<Shared>,
    device: usize,
    name: &str,
    setup: &Setup,
    (documents, selection, state, clock, journal): Parts<'_>,
) -> Client {
    let (width, probed) = (setup.width, setup.probed);
    let (shared, journal) = (shared.clone(), journal.clone());
    let storage = Storage { shared: shared.clone(), device, width, probed, journal };
    let (documents, queueing) = (documents.clone(), setup.queueing);
    let (selection, shared_by) = (selection.clone(), shared.clone());
    let documents = WatchedDocuments { shared: shared_by, device, documents, queueing, selection };
    let state = WatchedState { shared: shared.clone(), device, state: state.clone() };
    let resolver = Merging { shared, device };
    let limits = Limits { request: Duration::from_secs(30), sync: None, retries: setup.retries };
    Client::builder(Arc::new(storage), Arc::new(documents), Arc::new(state), Arc::new(resolver))
        .with_device(name)
        .with_limits(limits)
        .with_sizes(setup.sizes)
        .with_maintenance(setup.maintenance)
        .build_with(Arc::new(clock.clone()))
}
