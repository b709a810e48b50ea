//! A device: documents, client state, a client, and a way to the storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::state::{StateStore, Table, Update, queue_change};
use db_to_cloud::{
    Client, ClientBuilder, Database, DeferAll, Document, DocumentId, Error, RepairPlan, Report,
    Resolver, Revision, Status, SyncOptions,
};

use crate::stepped::{SteppedDatabase, SteppedState};
use crate::steps::{run, step_back};
use crate::{Chosen, FaultyAdapter, Steps, TestTime, World};

/// One device. Its documents and its state survive a stop; the client does not.
pub struct Device {
    /// Its name.
    pub name: String,
    /// The application's documents.
    pub documents: MemoryDatabase,
    /// The durable client state.
    pub state: MemoryState,
    /// The way to the storage.
    pub storage: FaultyAdapter,
    /// Where it stops.
    pub steps: Steps,
    /// Its clock.
    pub time: TestTime,
    /// Which documents it syncs.
    pub chosen: Chosen,
    database: Option<Arc<dyn Database>>,
    resolver: Arc<dyn Resolver>,
    setup: fn(ClientBuilder) -> ClientBuilder,
    client: Client,
}

/// What a backup of a device holds.
pub type Backup = (BTreeMap<DocumentId, Document>, MemoryState);

/// All that a device does not forget when it is stopped.
pub type Durable = (BTreeMap<DocumentId, Document>, Vec<(Table, String, Vec<u8>)>);

impl Device {
    pub(crate) fn new(world: &World, name: &str) -> Self {
        let time = world.time.on_a_device();
        let steps = Steps::new(time.clone());
        let storage = FaultyAdapter::new(world.cloud.clone(), steps.clone());
        let (documents, state) = (MemoryDatabase::new(), MemoryState::new());
        let resolver: Arc<dyn Resolver> = Arc::new(DeferAll);
        let setup: fn(ClientBuilder) -> ClientBuilder = |builder| builder;
        let chosen = Chosen::default();
        let parts = (&storage, &documents, &state, &steps, &chosen);
        let client =
            setup(builder(name, parts, None, &resolver)).build_with(Arc::new(time.clone()));
        let name = name.to_owned();
        let database = None;
        Self {
            name,
            documents,
            state,
            storage,
            steps,
            time,
            chosen,
            database,
            resolver,
            setup,
            client,
        }
    }

    /// Chooses who settles conflicts; by default they are put off.
    #[must_use]
    pub fn resolving_by(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self.restart();
        self
    }

    /// Sets the client up otherwise.
    #[must_use]
    pub fn set_up(mut self, setup: fn(ClientBuilder) -> ClientBuilder) -> Self {
        self.setup = setup;
        self.restart();
        self
    }

    /// Uses another database than [`Device::documents`].
    #[must_use]
    pub fn with_database(mut self, database: Arc<dyn Database>) -> Self {
        self.database = Some(database);
        self.restart();
        self
    }

    /// The process ends and another begins: documents and state are what was durable.
    pub fn restart(&mut self) {
        self.steps.run_freely();
        // A claim does not outlive its process.
        self.state = self.state.reopen();
        let parts = (&self.storage, &self.documents, &self.state, &self.steps, &self.chosen);
        let database = self.database.clone();
        let builder = builder(&self.name, parts, database, &self.resolver);
        self.client = (self.setup)(builder).build_with(Arc::new(self.time.clone()));
    }

    /// From now on it syncs with the storage of this world, at this address.
    pub fn sync_with(&mut self, world: &World, address: &str) {
        self.storage = FaultyAdapter::new(world.cloud.clone(), self.steps.clone());
        self.state = self.state.at(address);
        self.restart();
    }

    /// The device forgets all of its client state, but keeps its documents.
    pub fn reinstall(&mut self) {
        self.state = MemoryState::new();
        self.restart();
    }

    /// Another device that is a copy of this one, documents and state and all.
    pub fn clone_as(&self, world: &World, name: &str) -> Self {
        let mut device = world.device(name);
        *device.documents.documents() = self.documents.documents().clone();
        device.state = self.state.snapshot();
        device.chosen = self.chosen.copy();
        device.resolver = self.resolver.clone();
        device.setup = self.setup;
        device.restart();
        device
    }

    /// A copy of documents and state, as a backup of the whole device holds it.
    pub fn backup(&self) -> Backup {
        (self.documents.documents().clone(), self.state.snapshot())
    }

    /// What survives a stop, to be compared.
    pub fn durable(&self) -> Durable {
        let mut records = Vec::new();
        for table in Table::ALL {
            let page = run(self.state.scan(table, None, usize::MAX));
            let page = page.expect("reading does not wait").expect("reading works");
            records.extend(page.into_iter().map(|(key, value)| (table, key, value)));
        }
        (self.documents.documents().clone(), records)
    }

    /// The record of where the client is in the log.
    pub fn position(&self) -> serde_json::Value {
        let key = "position".to_owned();
        let read = run(self.state.read(Table::Metadata, &[key])).expect("reading does not wait");
        let record = read.expect("reading works").pop().flatten().expect("it has synced");
        serde_json::from_slice(&record).expect("it is JSON")
    }

    /// Writes another such record.
    pub fn set_position(&self, record: &serde_json::Value) {
        let value = Some(serde_json::to_vec(record).expect("it is JSON"));
        let update = Update { table: Table::Metadata, key: "position".to_owned(), value };
        let written = run(self.state.write(Vec::new(), vec![update]));
        written.expect("writing does not wait").expect("writing works");
    }

    /// The device goes back to a backup.
    pub fn roll_back(&mut self, (documents, state): &Backup) {
        *self.documents.documents() = documents.clone();
        self.state = state.snapshot();
        self.restart();
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// An edit, and its QueueChange.
    pub fn edit(&self, id: impl Into<DocumentId>, text: &str) {
        let id = id.into();
        self.edit_unqueued(id.clone(), text);
        self.queue(&id);
    }

    /// An edit whose QueueChange never happens.
    pub fn edit_unqueued(&self, id: impl Into<DocumentId>, text: &str) {
        self.documents.save(id, text.to_owned());
    }

    /// A delete, and its QueueChange.
    pub fn delete(&self, id: impl Into<DocumentId>) {
        let id = id.into();
        self.delete_unqueued(id.clone());
        self.queue(&id);
    }

    /// A delete whose QueueChange never happens.
    pub fn delete_unqueued(&self, id: impl Into<DocumentId>) {
        self.documents.remove(id);
    }

    /// An edit, and the QueueChange of an application that knows which revision it was made on.
    pub fn edit_of(&self, id: impl Into<DocumentId>, text: &str, edited: &Revision) {
        let id = id.into();
        self.edit_unqueued(id.clone(), text);
        let queued = run(self.client.queue_change_of(&id, edited));
        queued.expect("queueing does not wait").expect("queueing works");
    }

    /// A QueueChange alone.
    pub fn queue(&self, id: &DocumentId) {
        let queued = run(self.client.queue_change(id));
        queued.expect("queueing does not wait").expect("queueing works");
    }

    /// A sync that goes well.
    #[track_caller]
    pub fn sync(&self) -> Report {
        match self.try_sync() {
            Ok(report) => report,
            Err(error) => panic!("{} could not sync: {error:?}", self.name),
        }
    }

    /// A sync during which the user edits a document as soon as it has this text, and queues the edit.
    #[track_caller]
    pub fn sync_and_edit(&self, id: &str, seen: &str, text: &str) -> Report {
        let edit = async {
            while self.read(id).as_deref() != Some(seen) {
                step_back().await;
            }
            self.edit_unqueued(id, text);
            self.client.queue_change(&id.into()).await.expect("queueing works");
        };
        let both = futures::future::join(self.client.sync(), edit);
        let (report, ()) = run(both).expect("the sync does not stop");
        report.expect("the sync goes well")
    }

    /// A sync during which the user edits a document at step `n` or soon after; the edit is queued in the
    /// same transaction, beside the client.
    pub fn sync_and_edit_at(
        &self,
        options: SyncOptions,
        n: u64,
        id: &str,
        text: &str,
    ) -> Result<Report, Error> {
        self.sync_beside(options, n, async {
            self.edit_unqueued(id, text);
            let keys = [DocumentId::from(id).to_key()];
            let read = async |table| self.state.read(table, &keys).await.expect("it reads").pop();
            let dirty = read(Table::Dirty).await.flatten();
            let indexed = read(Table::Index).await.flatten();
            let indexed = indexed.or(read(Table::Tombstones).await.flatten());
            let value = queue_change(dirty.as_deref(), indexed.as_deref(), 1_000_000 + n);
            let value = Some(value.expect("it is whole"));
            let [key] = keys;
            let update = Update { table: Table::Dirty, key, value };
            self.state.write(Vec::new(), vec![update]).await.expect("it writes");
        })
    }

    /// The same, by an application that says on which revision the edit was made.
    pub fn sync_and_save_at(
        &self,
        n: u64,
        id: &str,
        text: &str,
        edited: &Revision,
    ) -> Result<Report, Error> {
        self.sync_beside(SyncOptions::default(), n, async {
            self.edit_unqueued(id, text);
            let queued = self.client.queue_change_of(&id.into(), edited).await;
            queued.expect("queueing works");
        })
    }

    /// A sync, and beside it what happens at its step `n`, or at its end if it has no such step.
    fn sync_beside(
        &self,
        options: SyncOptions,
        n: u64,
        other: impl Future<Output = ()>,
    ) -> Result<Report, Error> {
        self.steps.run_freely();
        let done = std::cell::Cell::new(false);
        let sync = async {
            let synced = self.client.sync_with(options).await;
            done.set(true);
            synced
        };
        let beside = async {
            while self.steps.taken() < n && !done.get() {
                step_back().await;
            }
            other.await;
        };
        run(futures::future::join(sync, beside)).expect("the sync does not stop").0
    }

    /// A sync that may fail, but does not stop half way.
    #[track_caller]
    pub fn try_sync(&self) -> Result<Report, Error> {
        self.try_sync_with(SyncOptions::default())
    }

    /// The same, with decisions of the user's.
    #[track_caller]
    pub fn try_sync_with(&self, options: SyncOptions) -> Result<Report, Error> {
        run(self.client.sync_with(options)).expect("the sync does not stop")
    }

    /// A sync that is asked to end at its step `n`. The operations that it is within then never end.
    pub fn sync_asked_to_end_at(&self, n: u64) -> Result<Report, Error> {
        let synced = run(self.client.sync_until(SyncOptions::default(), self.end_at(n)));
        self.steps.run_freely();
        synced.expect("it ends")
    }

    /// The same for a repair.
    pub fn repair_asked_to_end_at(&self, plan: &RepairPlan, n: u64) -> Result<(), Error> {
        let repaired = run(self.client.repair_until(plan, self.end_at(n)));
        self.steps.run_freely();
        repaired.expect("it ends")
    }

    /// Done at the device's step `n`.
    fn end_at(&self, n: u64) -> impl Future<Output = ()> + Send {
        self.steps.stop_at(n);
        std::future::poll_fn(move |_| match self.steps.taken() >= n {
            true => {
                self.steps.run_freely();
                std::task::Poll::Ready(())
            }
            false => std::task::Poll::Pending,
        })
    }

    /// A sync that stops at step `n` for good, if it comes so far: then the device restarts.
    /// Answers whether it stopped.
    pub fn sync_stopping_at(&mut self, n: u64) -> bool {
        self.sync_with_stopping_at(SyncOptions::default(), n)
    }

    /// The same, with decisions of the user's.
    pub fn sync_with_stopping_at(&mut self, options: SyncOptions, n: u64) -> bool {
        self.steps.stop_at(n);
        let stopped = run(self.client.sync_with(options)).is_none();
        self.restart();
        stopped
    }

    /// A sync that may fail, and stops for good at step `stop` if it comes so far: then the device
    /// restarts. Answers the steps it took; `None` if it stopped.
    pub fn sync_for(&mut self, options: SyncOptions, stop: u64) -> Option<u64> {
        self.steps.stop_at(stop);
        let done = run(self.client.sync_with(options)).is_some();
        self.taken_or_restart(done)
    }

    /// What a repair would do.
    #[track_caller]
    pub fn try_repair_plan(&self) -> Result<RepairPlan, Error> {
        run(self.client.repair_plan()).expect("the look does not stop")
    }

    /// A repair that stops for good at step `stop`, if it comes so far: then the device restarts, and
    /// there is no outcome.
    pub fn repair_for(&mut self, plan: &RepairPlan, stop: u64) -> Option<Result<(), Error>> {
        self.steps.stop_at(stop);
        let done = run(self.client.repair(plan));
        self.taken_or_restart(done.is_some());
        done
    }

    /// A repair that may fail, but does not stop half way.
    #[track_caller]
    pub fn try_repair(&self, plan: &RepairPlan) -> Result<(), Error> {
        run(self.client.repair(plan)).expect("the repair does not stop")
    }

    /// A QueueChange that stops for good at step `stop`, in the same way.
    pub fn queue_stopping_at(&mut self, id: &DocumentId, stop: u64) -> Option<u64> {
        self.steps.stop_at(stop);
        let done = run(self.client.queue_change(id)).is_some();
        self.taken_or_restart(done)
    }

    fn taken_or_restart(&mut self, done: bool) -> Option<u64> {
        let taken = self.steps.taken();
        match done {
            true => self.steps.run_freely(),
            false => self.restart(),
        }
        done.then_some(taken)
    }

    /// A document's text; `None` if there is none.
    pub fn read(&self, id: impl Into<DocumentId>) -> Option<String> {
        let documents = self.documents.documents();
        documents.get(&id.into()).map(|d| String::from_utf8_lossy(&d.bytes).into_owned())
    }

    /// A document's revision.
    pub fn revision(&self, id: impl Into<DocumentId>) -> Option<Revision> {
        self.documents.documents().get(&id.into()).map(|d| d.revision.clone())
    }

    /// Where the client stands.
    pub fn status(&self) -> Status {
        let status = run(self.client.status());
        status.expect("asking does not wait").expect("asking works")
    }

    /// All documents, as text.
    pub fn all(&self) -> Vec<(DocumentId, String)> {
        let text = |d: &Document| String::from_utf8_lossy(&d.bytes).into_owned();
        self.documents.documents().iter().map(|(id, d)| (id.clone(), text(d))).collect()
    }
}

/// Syncs all devices until nothing moves; then they are alike and at rest.
#[track_caller]
pub fn settle(devices: &[&Device]) {
    for _ in 0..4 {
        devices.iter().for_each(|device| drop(device.sync()));
    }
    for device in devices {
        assert_eq!(device.all(), devices[0].all(), "{}", device.name);
        assert_eq!(device.sync().requests.total(), 2, "{}", device.name);
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).finish_non_exhaustive()
    }
}

type Parts<'a> = (&'a FaultyAdapter, &'a MemoryDatabase, &'a MemoryState, &'a Steps, &'a Chosen);

fn builder(
    name: &str,
    (storage, documents, state, steps, chosen): Parts<'_>,
    database: Option<Arc<dyn Database>>,
    resolver: &Arc<dyn Resolver>,
) -> ClientBuilder {
    let stepped = || {
        Arc::new(SteppedDatabase(documents.clone(), steps.clone(), chosen.clone()))
            as Arc<dyn Database>
    };
    let database = database.unwrap_or_else(stepped);
    let state = Arc::new(SteppedState(state.clone(), steps.clone()));
    Client::builder(Arc::new(storage.clone()), database, state, resolver.clone()).with_device(name)
}
