//! One storage: its genesis, and what is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use db_to_cloud::state::StateStore;
use db_to_cloud::{Error, ErrorKind, Folder, Key};

use crate::client::Client;
use crate::drive::{Drive, Made, New};
use crate::envelope::Header;
use crate::error::Failure;
use crate::genesis::{self, Genesis, Place};
use crate::ids::Ids;
use crate::memory::{self, Remembered};
use crate::names::Names;
use crate::{GoogleDriveConfig, wait};

#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) drive: Drive,
    pub(crate) ids: Ids,
    pub(crate) names: Names,
    pub(crate) place: Place,
    /// Which remembered ids are meant.
    place_name: String,
    state: Kept,
    known: Mutex<Known>,
    /// Held while the genesis is looked for.
    opening: tokio::sync::Mutex<()>,
    /// Held while ids are looked for along the log.
    pub(crate) walking: tokio::sync::Mutex<()>,
    /// Held while an object gets its id.
    pub(crate) naming: tokio::sync::Mutex<()>,
    pub(crate) waiting: wait::Waiting,
    /// Drive refused to copy a file as such: it is not asked again.
    pub(crate) copyless: AtomicBool,
}

struct Kept(Option<Arc<dyn StateStore>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State(…)")
    }
}

/// What is known in this process.
#[derive(Debug, Default)]
pub(crate) struct Known {
    loaded: bool,
    /// This process looked for an older genesis: it may write.
    confirmed: bool,
    /// Commits were read by a genesis that turned out not to be the oldest. What the core knows of the log
    /// is not of the storage that counts: nothing is read or written until a new start.
    outdated: bool,
    genesis: Option<Arc<Genesis>>,
    pub(crate) remembered: Remembered,
    /// The head that was last remembered.
    saved_head: u64,
    /// The ids that this client would put into slots that it makes, so that a repetition has the same.
    pub(crate) nexts: BTreeMap<u64, String>,
    /// Slots that were read or made in this process.
    pub(crate) read: BTreeSet<u64>,
}

impl Storage {
    pub(crate) fn new(config: &GoogleDriveConfig) -> Result<Self, Error> {
        let segments: Vec<_> = config.segments().map(str::to_owned).collect();
        let place_name = format!("{} {}", config.space.name(), segments.join("/"));
        Ok(Self {
            drive: Drive { client: Client::new(config)?, space: config.space },
            ids: Ids::default(),
            names: Names::default(),
            place: Place { segments, settle: config.settle },
            place_name,
            state: Kept(config.state.clone()),
            known: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            walking: tokio::sync::Mutex::default(),
            naming: tokio::sync::Mutex::default(),
            waiting: wait::Waiting::new(config.poll),
            copyless: AtomicBool::new(false),
        })
    }

    pub(crate) fn place_name(&self) -> &str {
        &self.place_name
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The genesis to read by; `None` if there is no storage to be seen.
    pub(crate) async fn genesis(&self) -> Result<Option<Arc<Genesis>>, Failure> {
        self.check_outdated()?;
        if let Some(genesis) = self.known().genesis.clone() {
            return Ok(Some(genesis));
        }
        let _opening = self.opening.lock().await;
        self.load().await;
        if let Some(genesis) = self.known().genesis.clone() {
            return Ok(Some(genesis));
        }
        let Some(found) = genesis::find(&self.drive, &self.place).await? else { return Ok(None) };
        self.adopt(found);
        self.save().await;
        Ok(self.known().genesis.clone())
    }

    /// The genesis to write by: each process looks once whether there is an older one.
    pub(crate) async fn genesis_to_write(&self) -> Result<Arc<Genesis>, Failure> {
        self.check_outdated()?;
        let _opening = match self.confirmed() {
            Some(genesis) => return Ok(genesis),
            None => self.opening.lock().await,
        };
        if let Some(genesis) = self.confirmed() {
            return Ok(genesis);
        }
        self.load().await;
        let known = self.known().genesis.clone();
        let (drive, ids) = (&self.drive, &self.ids);
        let settled = genesis::settle(drive, ids, &self.place, known.as_deref()).await?;
        let outdated = match known.filter(|known| known.id != settled.id) {
            // One that was deleted has nothing in it any more.
            Some(lost) if self.known().remembered.head > 0 => {
                self.drive.metadata(&lost.id).await?.is_some()
            }
            _ => false,
        };
        let genesis = self.adopt(settled);
        {
            let mut known = self.known();
            (known.confirmed, known.outdated) = (true, outdated);
        }
        self.save().await;
        self.check_outdated()?;
        Ok(genesis)
    }

    fn check_outdated(&self) -> Result<(), Failure> {
        let why = "two devices set up this storage at once, and the other one's is older: it is used \
                   from the next start of this application on. Nothing was deleted";
        let outdated = self.known().outdated;
        if outdated { Err(Failure::storage(ErrorKind::Diverged, why)) } else { Ok(()) }
    }

    fn confirmed(&self) -> Option<Arc<Genesis>> {
        let known = self.known();
        known.genesis.clone().filter(|_| known.confirmed)
    }

    /// From now on this is the storage.
    fn adopt(&self, genesis: Genesis) -> Arc<Genesis> {
        let mut known = self.known();
        if let Some(same) = known.genesis.clone().filter(|known| known.id == genesis.id) {
            return same;
        }
        self.names.clear();
        let slots = (1..).zip(genesis.content.slots.iter().cloned()).collect();
        let lock = Some((1, genesis.content.lock.clone()));
        let place = self.place_name.clone();
        let (head, documents, of) = (0, BTreeMap::new(), Some(genesis.clone()));
        known.remembered = Remembered { genesis: of, place, head, slots, lock, documents };
        (known.saved_head, known.nexts, known.read) = Default::default();
        known.genesis.insert(Arc::new(genesis)).clone()
    }

    /// What an earlier start remembered.
    async fn load(&self) {
        if std::mem::replace(&mut self.known().loaded, true) {
            return;
        }
        let remembered = memory::load(self.state.0.as_ref(), &self.place_name).await;
        let mut known = self.known();
        let Some(genesis) = remembered.genesis.clone() else { return };
        if known.genesis.is_none() {
            known.genesis = Some(Arc::new(genesis));
            (known.saved_head, known.remembered) = (remembered.head, remembered);
        }
    }

    /// Remembers what is known for the next start; of the slots, those around the head.
    pub(crate) async fn save(&self) {
        if self.state.0.is_none() {
            return;
        }
        let remembered = {
            let mut known = self.known();
            known.saved_head = known.remembered.head;
            let from = known.remembered.head.saturating_sub(genesis::AHEAD / 4);
            let near = known.remembered.slots.range(from..);
            let slots = near.map(|(n, id)| (*n, id.clone())).collect();
            Remembered { slots, ..known.remembered.clone() }
        };
        memory::save(self.state.0.as_ref(), &remembered).await;
    }

    /// The same, if the log has grown.
    pub(crate) async fn save_if_moved(&self) {
        let moved = {
            let known = self.known();
            known.remembered.head > known.saved_head
        };
        if moved {
            self.save().await;
        }
    }

    /// What an object told of others.
    pub(crate) fn learn(&self, header: &Header) {
        self.names.learn(&header.ids);
        let mut known = self.known();
        if let Some((first, ids)) = &header.slots {
            known.remembered.slots.extend((*first..).zip(ids.iter().cloned()));
        }
        if known.remembered.lock < header.lock {
            known.remembered.lock.clone_from(&header.lock);
        }
    }

    /// Makes a file, and the folder for it if that is not there yet.
    pub(crate) async fn create(
        &self,
        genesis: &Genesis,
        new: New<'_>,
        bytes: &Bytes,
    ) -> Result<Made, Failure> {
        for _ in 0..2 {
            match self.drive.create(new, bytes).await? {
                Made::NoFolder => self.make_folder(genesis, new.parent).await?,
                made => return Ok(made),
            }
        }
        Err(Failure::storage(ErrorKind::Unavailable, "the folder of the storage is gone"))
    }

    /// Its id was reserved with the genesis, so that all clients make the same one.
    async fn make_folder(&self, genesis: &Genesis, id: &str) -> Result<(), Failure> {
        let content = &genesis.content;
        let names = [
            (&content.changes, Folder::Changes.name()),
            (&content.docs, Folder::Documents.name()),
            (&content.snapshot, Folder::Snapshots.name()),
            (&content.probe, Folder::Probe.name()),
            (&content.locks, "locks"),
        ];
        let named = names.into_iter().find(|(of, _)| *of == id);
        let gone = || Failure::storage(ErrorKind::Unavailable, "the folder of the storage is gone");
        let (_, name) = named.ok_or_else(gone)?;
        let new = New { id, name, parent: &content.folder, races: false };
        match self.drive.create_folder(new).await? {
            Made::New | Made::InUse => Ok(()),
            Made::NoFolder => {
                // The user deleted all: the next call looks for a storage again.
                let mut known = self.known();
                (known.genesis, known.confirmed) = (None, false);
                Err(gone())
            }
        }
    }
}

/// The folder and the name of the file of an object.
pub(crate) fn whereabouts<'a>(
    genesis: &'a Genesis,
    key: &'a Key,
) -> Result<(&'a str, &'a str), Failure> {
    let Some((folder, name)) = key.split() else {
        return Ok((&genesis.content.folder, key.as_str()));
    };
    let id = folder_id(genesis, folder);
    let unknown = || Failure::storage(ErrorKind::Unsupported, "there is no such folder");
    id.map(|id| (id, name)).ok_or_else(unknown)
}

pub(crate) fn folder_id<'a>(genesis: &'a Genesis, folder: &str) -> Option<&'a str> {
    match folder {
        "changes" => Some(&genesis.content.changes),
        "docs" => Some(&genesis.content.docs),
        "snapshot" => Some(&genesis.content.snapshot),
        "probe" => Some(&genesis.content.probe),
        _ => None,
    }
}
