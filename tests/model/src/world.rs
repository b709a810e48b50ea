//! The state that is searched: devices, storage, requests under way, and what only the judge knows.

use crate::client::{Client, Durable, Step};
use crate::config::{Configuration, Faults};
use crate::storage::{Storage, Trust};
use crate::words::{Commit, Content, Entry, Seq, Time};

/// A request whose client no longer waits for it, and which may still take effect.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Flight {
    /// The slot it is for.
    pub slot: Seq,
    /// The commit it carries.
    pub entry: Entry,
    /// When the uploads of that commit began.
    pub began: Time,
    /// WebDAV: the folder that is to be moved.
    pub folder: Option<u8>,
}

/// What nobody in the model knows, and the properties are stated in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Judge {
    /// Edits made, a set for each document.
    pub made: Vec<u16>,
    /// Edits that a client was told are committed.
    pub acknowledged: Vec<u16>,
    /// Edits that the application chose to drop in a conflict.
    pub dropped: Vec<u16>,
    /// Edits that were lost with a device or its state, or with a storage that was restored.
    pub lost_with_device: Vec<u16>,
    /// The commit that was first written to each slot.
    pub first_written: Vec<Commit>,
    /// A slot was written twice, with different commits.
    pub rewritten: bool,
    /// The storage was restored from its backup.
    pub restored: bool,
    /// The application was asked although one side had nothing that the other lacked.
    pub asked_needlessly: bool,
    /// Documents that the application revived knowingly, or could not have known better.
    pub revived: u8,
}

/// One state of the world.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    /// The devices.
    pub clients: Vec<Client>,
    /// The storage.
    pub storage: Storage,
    /// Requests under way.
    pub flights: Vec<Flight>,
    /// A backup of the storage.
    pub backup: Option<Box<Storage>>,
    /// The time.
    pub now: Time,
    /// What the properties are stated in.
    pub judge: Judge,
    /// What may still go wrong.
    pub left: Faults,
}

impl World {
    /// The beginning: an empty storage, devices without documents.
    pub fn new(config: &Configuration) -> Self {
        let none = vec![0; config.documents];
        let client = Client {
            durable: Durable::fresh(vec![Content::default(); config.documents]),
            step: Step::Idle,
            unqueued: 0,
            kept: vec![None; config.documents],
            races: 0,
            has_lock: false,
            names: 0,
            edits: config.edits,
            gone: false,
            backup: None,
        };
        let mut clients = vec![client; config.clients];
        if let Some(edits) = config.others_edit {
            clients.iter_mut().skip(1).for_each(|other| other.edits = edits);
        }
        Self {
            clients,
            storage: Storage::default(),
            flights: Vec::new(),
            backup: config.emptied.then(Box::default),
            now: 0,
            judge: Judge {
                made: none.clone(),
                acknowledged: none.clone(),
                dropped: none.clone(),
                lost_with_device: none,
                first_written: Vec::new(),
                rewritten: false,
                restored: false,
                asked_needlessly: false,
                revived: 0,
            },
            left: config.faults,
        }
    }

    /// What neither the storage nor a device has any more no protocol brings back.
    pub fn give_up_what_nobody_has(&mut self) {
        let head = self.storage.head(self.judge.made.len(), Trust::OfThisLog);
        for (d, newest) in head.newest.iter().enumerate() {
            let living = self.clients.iter().filter(|client| !client.gone);
            let held = living.map(|client| client.durable.documents[d].edits);
            let held = held.fold(newest.map_or(0, |change| change.content.edits), |a, b| a | b);
            self.judge.lost_with_device[d] |= self.judge.made[d] & !held;
        }
    }

    /// Whether a request that carries this commit may still take effect.
    pub fn is_in_flight(&self, commit: Commit) -> bool {
        self.flights.iter().any(|flight| flight.entry.commit == commit)
    }
}
