//! Servers that the tests share, and buckets of their own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use db_to_cloud_s3::{Credentials, S3Adapter, S3Config};
use db_to_cloud_test_servers::{KEY_ID, SECRET, Server};

/// Each server is started once, by the first test that needs it, and ends with the process.
pub(crate) fn minio() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::minio)
}

pub(crate) fn localstack() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::localstack)
}

pub(crate) fn moto() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::moto)
}

pub(crate) fn rclone() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::rclone)
}

pub(crate) fn credentials() -> Credentials {
    Credentials::explicit(KEY_ID, SECRET)
}

/// A storage in a bucket of its own.
pub(crate) fn config(server: &Server) -> S3Config {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::SeqCst));
    let config = match server.name() {
        "MinIO" => S3Config::minio(server.url(), bucket),
        "LocalStack" => S3Config::localstack(server.url(), bucket),
        _ => S3Config::other(server.url(), bucket),
    };
    config.with_prefix("apps/notes").with_credentials(credentials())
}

/// The bucket exists when this returns.
pub(crate) async fn new_bucket(server: &Server) -> S3Config {
    let config = config(server);
    open(&config).create_bucket_if_missing().await.unwrap();
    config
}

pub(crate) fn open(config: &S3Config) -> S3Adapter {
    config.clone().build().unwrap()
}

/// The same storage at a port where nobody listens.
pub(crate) fn unreachable(config: &S3Config) -> S3Adapter {
    let nowhere = config.clone().with_endpoint("http://127.0.0.1:1");
    nowhere.with_connect_timeout(Duration::from_secs(1)).build().unwrap()
}
