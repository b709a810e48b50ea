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

use db_to_cloud::BoxError;
use db_to_cloud_examples::two_devices_sync;
use db_to_cloud_s3::S3Config;

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
    two_devices_sync(Arc::new(storage)).await
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
