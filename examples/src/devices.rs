//! Two devices that sync through any storage.

use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Adapter, BoxError, Client, RemoteWins};

/// A device whose documents are in memory, so that all is about the storage.
struct Device {
    name: &'static str,
    documents: MemoryDatabase,
    client: Client,
}

impl Device {
    fn new(name: &'static str, storage: &Arc<dyn Adapter>) -> Self {
        let documents = MemoryDatabase::new();
        let state = Arc::new(MemoryState::new());
        let (storage, database) = (storage.clone(), Arc::new(documents.clone()));
        let client = Client::builder(storage, database, state, Arc::new(RemoteWins))
            .with_device(name)
            .build();
        Self { name, documents, client }
    }

    async fn write(&self, id: &str, text: &str) -> Result<(), BoxError> {
        println!("{:>8} writes {id}: {text:?}", self.name);
        self.documents.save(id, text.to_owned());
        Ok(self.client.queue_change(&id.into()).await?)
    }

    async fn sync(&self) -> Result<(), BoxError> {
        let report = self.client.sync().await?;
        let requests = report.requests.total();
        let (pulled, pushed) = (report.pulled, report.pushed);
        println!("{:>8} syncs: {pulled} pulled, {pushed} pushed, {requests} requests", self.name);
        Ok(())
    }
}

/// An edit on each of two devices, told on standard output. Beginning with nothing, each first pulls
/// what an earlier run left in the storage.
///
/// # Errors
/// Those of the storage, or that the devices differ in the end.
pub async fn two_devices_sync(storage: Arc<dyn Adapter>) -> Result<(), BoxError> {
    let (laptop, phone) = (Device::new("laptop", &storage), Device::new("phone", &storage));
    laptop.write("shopping", "bread").await?;
    laptop.sync().await?;
    phone.sync().await?;
    phone.write("shopping", "bread, milk").await?;
    phone.sync().await?;
    laptop.sync().await?;
    println!("\nNothing to do costs two small reads:");
    laptop.sync().await?;

    let equal = *laptop.documents.documents() == *phone.documents.documents();
    if equal { Ok(()) } else { Err("the devices differ: this must not happen".into()) }
}
