//! Large documents, sent in parts. The object appears when the last request says so, whole.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use db_to_cloud::Key;
use futures::{StreamExt, TryStreamExt};

use crate::Checksums;
use crate::client::{Client, has_etag};
use crate::error::Failure;

/// An upload in parts that is aborted unless it is completed: parts cost money until then.
struct Upload {
    client: Arc<Client>,
    path: String,
    id: String,
    completed: bool,
}

/// Writes a large object. The bytes are in memory already: the parts are slices of them.
pub(crate) async fn put(client: &Arc<Client>, key: &Key, bytes: Bytes) -> Result<(), Failure> {
    let mut upload = Upload::begin(client, key).await?;
    let size = client.config.part_size;
    let parts: Vec<_> = (0..bytes.len().div_ceil(size))
        .map(|i| bytes.slice(i * size..bytes.len().min((i + 1) * size)))
        .collect();
    let sent = (1..).zip(parts).map(|(number, part)| upload.send(number, part));
    let parts = futures::stream::iter(sent.collect::<Vec<_>>())
        .buffered(client.config.concurrency)
        .try_collect()
        .await?;
    upload.complete(parts, bytes.len()).await
}

impl Upload {
    async fn begin(client: &Arc<Client>, key: &Key) -> Result<Self, Failure> {
        let path = client.path(key);
        let begin = client.sdk.create_multipart_upload().bucket(&client.config.bucket).key(&path);
        // Else the checksums of the parts come unexpected.
        let sums = client.config.checksums == Checksums::Sent;
        let begin = begin.set_checksum_algorithm(sums.then_some(ChecksumAlgorithm::Crc32));
        let begin = async { Ok(begin.send().await?) };
        let answer = client.in_turn(Box::pin(client.timed(0, begin))).await?;
        match answer.upload_id() {
            Some(id) => {
                Ok(Self { client: client.clone(), path, id: id.to_owned(), completed: false })
            }
            None => Err(Failure::NotS3("an upload without an id")),
        }
    }

    async fn send(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, Failure> {
        let (client, length) = (&self.client, bytes.len());
        let part = client.sdk.upload_part().bucket(&client.config.bucket).key(&self.path);
        let part = part.upload_id(&self.id).part_number(number).body(ByteStream::from(bytes));
        let part = async { Ok(part.send().await?) };
        let answer = client.in_turn(Box::pin(client.timed(length, part))).await?;
        has_etag(answer.e_tag())?;
        // AWS wants the checksum of each part again in the end, if it was sent.
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
            .build())
    }

    async fn complete(&mut self, parts: Vec<CompletedPart>, length: usize) -> Result<(), Failure> {
        let client = &self.client;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let end = client.sdk.complete_multipart_upload().bucket(&client.config.bucket);
        let end = end.key(&self.path).upload_id(&self.id).multipart_upload(parts);
        let end = async { Ok(end.send().await?) };
        let answer = client.in_turn(Box::pin(client.timed(length, end))).await?;
        has_etag(answer.e_tag())?;
        self.completed = true;
        Ok(())
    }
}

impl Drop for Upload {
    /// Also if the future of the put is dropped half way. If this fails too, a lifecycle rule of the
    /// bucket should clean up.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.completed {
            return;
        }
        let client = self.client.clone();
        let abort = client.sdk.abort_multipart_upload().bucket(&client.config.bucket);
        let abort = abort.key(&self.path).upload_id(&self.id);
        runtime.spawn(async move {
            let abort = async { Ok(abort.send().await?) };
            if let Err(failure) = client.timed(0, abort).await {
                tracing::warn!(?failure, "an upload in parts could not be aborted");
            }
        });
    }
}
