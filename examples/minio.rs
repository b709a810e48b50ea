//! Two devices sync through a bucket of MinIO, which is created if it is missing.
//!
//! ```sh
//! docker compose up -d minio     # or: minio server ./data
//! AWS_ACCESS_KEY_ID=minioadmin AWS_SECRET_ACCESS_KEY=minioadmin \
//!     cargo run --example minio --features s3 -- http://127.0.0.1:9000 notes
//! ```
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::env;
use std::sync::Arc;

use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{BoxError, Client, RemoteWins};
use db_to_cloud_s3::{S3Adapter, S3Config};

/// A device whose documents are in memory, so that all is about the storage here.
struct Device {
    name: &'static str,
    documents: MemoryDatabase,
    client: Client,
}

impl Device {
    fn new(name: &'static str, storage: &S3Adapter) -> Self {
        let documents = MemoryDatabase::new();
        let state = Arc::new(MemoryState::new());
        let (storage, database) = (Arc::new(storage.clone()), Arc::new(documents.clone()));
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

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut arguments = env::args().skip(1);
    let endpoint = arguments.next().unwrap_or_else(|| "http://127.0.0.1:9000".to_owned());
    let bucket = arguments.next().unwrap_or_else(|| "notes".to_owned());
    // Who we are says the environment.
    story(S3Config::minio(endpoint, bucket).with_prefix("example")).await
}

async fn story(config: S3Config) -> Result<(), BoxError> {
    let storage = config.build()?;
    if storage.create_bucket_if_missing().await? {
        println!("The bucket is new.");
    }

    // Beginning with nothing, each device first pulls what an earlier run left there.
    let (laptop, phone) = (Device::new("laptop", &storage), Device::new("phone", &storage));
    laptop.write("shopping", "bread").await?;
    laptop.sync().await?;
    phone.sync().await?;
    phone.write("shopping", "bread, milk").await?;
    phone.sync().await?;
    laptop.sync().await?;
    println!("\nNothing to do costs one read:");
    laptop.sync().await?;

    let equal = *laptop.documents.documents() == *phone.documents.documents();
    if equal { Ok(()) } else { Err("the devices differ: this must not happen".into()) }
}

#[cfg(test)]
mod tests {
    use db_to_cloud_s3::Credentials;
    use db_to_cloud_test_servers::{KEY_ID, SECRET, Server};

    use super::*;

    #[tokio::test]
    async fn it_runs_twice_on_one_bucket() {
        let server = Server::minio();
        let credentials = Credentials::explicit(KEY_ID, SECRET);
        let config = S3Config::minio(server.url(), "notes").with_credentials(credentials);
        story(config.clone()).await.unwrap();
        story(config).await.unwrap();
    }
}
