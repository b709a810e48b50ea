//! Which bucket, at which service, and how it is asked.

use std::time::Duration;

use db_to_cloud::{Atomicity, Error};

use crate::credentials::set;
use crate::error::invalid;
use crate::{Credentials, S3Adapter};

/// The services whose ways are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Amazon S3: documents that conditional writes are atomic.
    Aws,
    /// MinIO.
    Minio,
    /// Cloudflare R2.
    R2,
    /// LocalStack.
    LocalStack,
    /// Any other. What it can do is found out by racing real requests.
    Other,
}

/// How the bucket is named in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// `https://bucket.host/key`, as AWS wants it.
    VirtualHost,
    /// `https://host/bucket/key`: for servers that are reached by an address or without wildcards in
    /// the DNS.
    Path,
}

/// Whether uploads carry a checksum (CRC32), by which the server refuses what was cut short or
/// garbled on its way. Documents are checked by the core in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksums {
    /// They do.
    Sent,
    /// Only where S3 wants it: some services answer 400 or 501 to more.
    Omitted,
}

/// Settings of an [`S3Adapter`], beginning with [`S3Config::aws`] or its like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct S3Config {
    pub(crate) service: Service,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) addressing: Addressing,
    pub(crate) checksums: Checksums,
    pub(crate) credentials: Credentials,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) concurrency: usize,
    pub(crate) part_size: usize,
}

/// S3 takes no smaller part of a multipart upload, but for the last.
const LEAST_PART: usize = 5 * 1024 * 1024;

impl S3Config {
    /// A bucket at AWS. The region is that of `AWS_REGION` or `AWS_DEFAULT_REGION`, else that of the
    /// profile, unless [`with_region`](Self::with_region) names it.
    pub fn aws(bucket: impl Into<String>) -> Self {
        Self::new(Service::Aws, bucket.into())
    }

    /// A bucket at a MinIO server, such as `http://127.0.0.1:9000`.
    pub fn minio(endpoint: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self::new(Service::Minio, bucket.into()).with_endpoint(endpoint)
    }

    /// A bucket at Cloudflare R2, of the account with this id.
    pub fn r2(account: &str, bucket: impl Into<String>) -> Self {
        let endpoint = format!("https://{account}.r2.cloudflarestorage.com");
        Self::new(Service::R2, bucket.into()).with_endpoint(endpoint)
    }

    /// A bucket at a LocalStack, such as `http://127.0.0.1:4566`.
    pub fn localstack(endpoint: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self::new(Service::LocalStack, bucket.into()).with_endpoint(endpoint)
    }

    /// A bucket at any other service.
    pub fn other(endpoint: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self::new(Service::Other, bucket.into()).with_endpoint(endpoint)
    }

    pub(crate) fn new(service: Service, bucket: String) -> Self {
        let addressing = match service {
            Service::Aws | Service::R2 => Addressing::VirtualHost,
            _ => Addressing::Path,
        };
        let checksums = match service {
            Service::Aws | Service::Minio | Service::LocalStack => Checksums::Sent,
            Service::R2 | Service::Other => Checksums::Omitted,
        };
        Self {
            service,
            bucket,
            prefix: String::new(),
            region: None,
            endpoint: None,
            addressing,
            checksums,
            credentials: Credentials::Environment,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            concurrency: 16,
            part_size: 16 * 1024 * 1024,
        }
    }

    /// The folder of the bucket that the storage is in, such as `apps/notes`; by default it has the
    /// bucket for itself.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The region.
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The address of the server.
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// How the bucket is named in a request.
    pub fn with_addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }

    /// Whether uploads carry a checksum; by default at AWS, MinIO and LocalStack.
    pub fn with_checksums(mut self, checksums: Checksums) -> Self {
        self.checksums = checksums;
        self
    }

    /// Who we are; by default the environment says it.
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// How long a connection may take to come about; by default 5 seconds.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take, and longer for large objects; by default 15 seconds. Keep it
    /// below that of [`Limits`](db_to_cloud::Limits), so that the error tells more.
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How many requests run at once, at most; by default 16. Fewer do while the service says that it
    /// is too much. Creates, at most 8, run beside them.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Documents larger than this are sent in parts of this size; by default 16 MiB, at least 5.
    pub fn with_part_size(mut self, bytes: usize) -> Self {
        self.part_size = bytes;
        self
    }

    /// The adapter. No request is made yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense
    /// or credentials or region are missing; the message says which.
    pub fn build(mut self) -> Result<S3Adapter, Error> {
        self.check().and_then(|()| S3Adapter::new(&self))
    }

    fn check(&mut self) -> Result<(), Error> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if !(3..=63).contains(&self.bucket.len()) || !self.bucket.bytes().all(is_name) {
            return Err(invalid("bucket", "use 3 to 63 letters, digits, dots and hyphens"));
        }
        self.prefix = self.prefix.trim_matches('/').to_owned();
        let is_segment = |s: &str| !s.is_empty() && s != "." && s != "..";
        let is_prefix = self.prefix.is_empty() || self.prefix.split('/').all(is_segment);
        // 1,024 bytes are the longest key of S3, and ours need up to 220.
        if !is_prefix || self.prefix.len() > 800 || self.prefix.contains(char::is_control) {
            return Err(invalid("prefix", "use names joined by single slashes, 800 bytes at most"));
        }
        let endpoint = self.endpoint.as_deref().unwrap_or("https://");
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(invalid("endpoint", "begin it with https:// or http://"));
        }
        if self.concurrency == 0 || self.part_size < LEAST_PART {
            return Err(invalid("concurrency or part size", "use at least 1 and 5 MiB"));
        }
        self.credentials = self.credentials.clone().resolved(set);
        self.region = Some(self.known_region(set, || self.credentials.region())?);
        Ok(())
    }

    /// The one that was named; at AWS that of the environment; that of the profile; the usual one.
    fn known_region(
        &self,
        set: impl Fn(&'static str) -> Option<String>,
        of_profile: impl FnOnce() -> Option<String>,
    ) -> Result<String, Error> {
        let of_environment = || set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let environment = (self.service == Service::Aws).then(of_environment).flatten();
        match (self.region.clone().or(environment).or_else(of_profile), self.service) {
            (Some(region), _) => Ok(region),
            (None, Service::R2) => Ok("auto".to_owned()),
            (None, Service::Aws) => {
                Err(invalid("region", "name the region of the bucket, or set AWS_REGION"))
            }
            // These know one region only, and mostly call it so.
            (None, _) => Ok("us-east-1".to_owned()),
        }
    }

    /// Rule S3: who documents atomic conditional writes and is no copy is believed; a server under a
    /// familiar name may be an old version or have a cache in front, so it is raced.
    pub(crate) fn atomicity(&self) -> Atomicity {
        match (self.service, &self.endpoint) {
            (Service::Aws, None) => Atomicity::Atomic,
            _ => Atomicity::Probe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> S3Config {
        let credentials = Credentials::explicit("id", "secret");
        S3Config::minio("http://127.0.0.1:9", "notes").with_credentials(credentials)
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused_by_name() {
        assert!(base().with_prefix("/a/b c/").build().is_ok());
        let wrong = [
            ("bucket", S3Config { bucket: "a/b".into(), ..base() }),
            ("bucket", S3Config { bucket: String::new(), ..base() }),
            ("prefix", base().with_prefix("a//b")),
            ("prefix", base().with_prefix("a/../b")),
            ("prefix", base().with_prefix("x".repeat(801))),
            ("endpoint", base().with_endpoint("127.0.0.1:9000")),
            ("concurrency or part size", base().with_concurrency(0)),
            ("concurrency or part size", base().with_part_size(1024)),
        ];
        for (setting, config) in wrong {
            let error = config.build().unwrap_err();
            assert_eq!(error.kind(), db_to_cloud::ErrorKind::InvalidInput);
            assert_eq!(error.key(), Some(setting), "{error}");
        }
    }

    #[test]
    fn the_region_is_named_or_known() {
        let frankfurt = |name: &str| (name == "AWS_REGION").then(|| "eu-central-1".to_owned());
        let region = |config: S3Config| config.known_region(frankfurt, || None).unwrap();
        assert_eq!(region(S3Config::aws("notes")), "eu-central-1");
        assert_eq!(region(S3Config::aws("notes").with_region("us-west-2")), "us-west-2");
        assert_eq!(region(S3Config::r2("account", "notes")), "auto");
        assert_eq!(region(base()), "us-east-1");
        let nowhere = S3Config::aws("notes").known_region(|_| None, || None);
        assert_eq!(nowhere.unwrap_err().key(), Some("region"));
    }

    #[test]
    fn the_region_of_the_profile_comes_after_those_that_were_named() {
        let oregon = || Some("us-west-2".to_owned());
        let frankfurt = |name: &str| (name == "AWS_REGION").then(|| "eu-central-1".to_owned());
        let region = |config: S3Config| config.known_region(|_| None, oregon).unwrap();
        for config in [S3Config::aws("notes"), S3Config::r2("account", "notes"), base()] {
            assert_eq!(region(config.clone()), "us-west-2");
            assert_eq!(region(config.with_region("eu-north-1")), "eu-north-1");
        }
        let at_aws = S3Config::aws("notes").known_region(frankfurt, oregon).unwrap();
        assert_eq!(at_aws, "eu-central-1");
        // The variable is about AWS.
        assert_eq!(base().known_region(frankfurt, oregon).unwrap(), "us-west-2");
    }

    #[test]
    fn only_aws_itself_is_believed() {
        assert_eq!(S3Config::aws("notes").atomicity(), Atomicity::Atomic);
        let behind = S3Config::aws("notes").with_endpoint("https://proxy.example");
        for config in [base(), behind, S3Config::r2("account", "notes")] {
            assert_eq!(config.atomicity(), Atomicity::Probe);
        }
    }
}
