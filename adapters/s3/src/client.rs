//! The requests: one method for each, with a turn and a time limit.

use std::future::Future;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bytes::Bytes;
use db_to_cloud::{Created, Error, Folder, Key, Page};
use db_to_cloud_http::{Pace, Turn, time_limit};

use crate::error::Failure;
use crate::portal::NoPages;
use crate::{Addressing, Checksums, S3Config};

/// A bucket, as the adapter sees it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) sdk: aws_sdk_s3::Client,
    pub(crate) config: S3Config,
    pub(crate) pace: Pace,
    /// The service refused to copy an object: it is not asked again.
    pub(crate) copyless: AtomicBool,
}

/// The most keys that one DeleteObjects takes.
pub(crate) const DELETES: usize = 1000;

impl Client {
    pub(crate) fn new(config: &S3Config) -> Result<Self, Error> {
        let timeouts = TimeoutConfig::builder().connect_timeout(config.connect_timeout).build();
        let (sent, wanted) = match config.checksums {
            Checksums::Sent => (
                RequestChecksumCalculation::WhenSupported,
                ResponseChecksumValidation::WhenSupported,
            ),
            Checksums::Omitted => {
                (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired)
            }
        };
        let mut sdk = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(config.region.clone().map(Region::new))
            .force_path_style(config.addressing == Addressing::Path)
            .credentials_provider(config.credentials.provider(config.region.as_deref())?)
            .request_checksum_calculation(sent)
            .response_checksum_validation(wanted)
            // The core repeats. An attempt of the SDK that meets our own object would look lost.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            // Our own time limit covers bodies, too.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(NoPages);
        sdk.set_endpoint_url(config.endpoint.clone());
        let pace = Pace::new(config.concurrency);
        let sdk = aws_sdk_s3::Client::from_conf(sdk.build());
        Ok(Self { sdk, config: config.clone(), pace, copyless: AtomicBool::new(false) })
    }

    /// The name of the object in the bucket.
    pub(crate) fn path(&self, name: impl std::fmt::Display) -> String {
        match self.config.prefix.as_str() {
            "" => name.to_string(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        let get = self.sdk.get_object().bucket(&self.config.bucket).key(self.path(key));
        let read = async {
            let answer = self.timed(0, async { Ok(get.send().await?) }).await?;
            if answer.e_tag().is_none() {
                return Err(Failure::NotS3("an object without an ETag"));
            }
            let promised = answer.content_length().and_then(|n| usize::try_from(n).ok());
            let body =
                async { answer.body.collect().await.map_err(|e| Failure::Line(e.to_string())) };
            let bytes = self.timed(promised.unwrap_or(0), body).await?.into_bytes();
            match promised.is_none_or(|length| length == bytes.len()) {
                true => Ok(Some(bytes)),
                false => Err(Failure::NotS3("a part of the object is missing")),
            }
        };
        match self.in_turn(Box::pin(read)).await {
            Err(failure) if failure.is_no_such_key() => Ok(None),
            answer => answer,
        }
    }

    /// Writes an object in one request.
    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Failure> {
        self.put_if(key, bytes, None).await
    }

    /// Writes an object unless there is one.
    pub(crate) async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Failure> {
        match self.put_if(key, bytes, Some("*")).await {
            Ok(()) => Ok(Created::New),
            Err(failure) if failure.has_status(412) => Ok(Created::Occupied),
            Err(failure) => Err(failure),
        }
    }

    async fn put_if(
        &self,
        key: &Key,
        bytes: Bytes,
        none_match: Option<&str>,
    ) -> Result<(), Failure> {
        let length = bytes.len();
        let put = self.sdk.put_object().bucket(&self.config.bucket).key(self.path(key));
        let put =
            put.set_if_none_match(none_match.map(str::to_owned)).body(ByteStream::from(bytes));
        let put = async { Ok(put.send().await?) };
        let put = Box::pin(self.timed(length, put));
        let answer = match none_match {
            Some(_) => {
                let turn = self.pace.turn_to_create().await.map_err(Failure::paused)?;
                self.taking(turn, put).await?
            }
            None => self.in_turn(put).await?,
        };
        has_etag(answer.e_tag())
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Failure> {
        let delete = self.sdk.delete_object().bucket(&self.config.bucket).key(self.path(key));
        let delete = async { Ok(delete.send().await?) };
        match self.in_turn(Box::pin(self.timed(0, delete))).await {
            // AWS answers 204; some others tell that there was nothing to delete.
            Err(failure) if failure.is_no_such_key() => Ok(()),
            answer => answer.map(drop),
        }
    }

    pub(crate) async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Failure> {
        let prefix = self.path(format_args!("{}/", folder.name()));
        let list = self.sdk.list_objects_v2().bucket(&self.config.bucket).prefix(&prefix);
        let list = list.set_continuation_token(page.map(str::to_owned));
        let list = async { Ok(list.send().await?) };
        let answer = self.in_turn(Box::pin(self.timed(0, list))).await?;
        let names = answer.contents().iter().filter_map(|object| object.key());
        let ours = names.filter_map(|name| name.strip_prefix(&prefix));
        let keys = ours.filter_map(|name| folder.key(name).ok()).collect();
        match (answer.is_truncated(), answer.next_continuation_token()) {
            (Some(true), None) => Err(Failure::NotS3("a page of a list without a next one")),
            (Some(true), next) => Ok(Page { keys, next: next.map(str::to_owned) }),
            _ => Ok(Page { keys, next: None }),
        }
    }

    /// Deletes at most [`DELETES`] objects in one request; one answer for each.
    pub(crate) async fn delete_batch(
        &self,
        keys: &[Key],
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        let objects = keys.iter().filter_map(|key| {
            // The key is set: it cannot fail.
            ObjectIdentifier::builder().key(self.path(key)).build().ok()
        });
        let objects = Delete::builder().set_objects(Some(objects.collect())).build();
        let objects = objects.map_err(|e| Failure::NotSent(e.to_string()))?;
        let delete = self.sdk.delete_objects().bucket(&self.config.bucket).delete(objects);
        let delete = async { Ok(delete.send().await?) };
        let answer = self.in_turn(Box::pin(self.timed(keys.len() * 200, delete))).await?;
        let deleted: std::collections::HashSet<_> =
            answer.deleted().iter().filter_map(|object| object.key()).collect();
        let of_key = |key: &Key| {
            let path = self.path(key);
            let error = answer.errors().iter().find(|error| error.key() == Some(&path));
            match error.map(|e| (e.code().unwrap_or_default(), e.message().unwrap_or_default())) {
                Some(("NoSuchKey", _)) => Ok(()),
                Some((code, text)) => Err(Failure::of_code(code, text)),
                None if deleted.contains(path.as_str()) => Ok(()),
                None => Err(Failure::NotS3("the answer does not name the object")),
            }
        };
        Ok(keys.iter().map(of_key).collect())
    }

    /// Makes a request when it is its turn.
    pub(crate) async fn in_turn<T>(
        &self,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let turn = self.pace.turn().await.map_err(Failure::paused)?;
        self.taking(turn, request).await
    }

    async fn taking<T>(
        &self,
        turn: Turn<'_>,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let answer = request.await;
        match &answer {
            Err(failure) if failure.is_too_much() => turn.was_too_much(failure.pause()),
            Err(_) => {}
            Ok(_) => turn.went_well(),
        }
        answer
    }

    /// Gives a request that moves so many bytes a time limit.
    pub(crate) async fn timed<T>(
        &self,
        bytes: usize,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = time_limit(self.config.request_timeout, bytes, self.pace.allowed());
        tokio::time::timeout(limit, request).await.unwrap_or(Err(Failure::TimedOut(limit)))
    }
}

/// S3 names an ETag for all that it stored; who answers 200 without one is not S3.
pub(crate) fn has_etag(etag: Option<&str>) -> Result<(), Failure> {
    etag.map(drop).ok_or(Failure::NotS3("an upload was answered without an ETag"))
}
