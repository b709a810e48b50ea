//! Copies of objects, made by the service (CopyObject).

use std::sync::atomic::Ordering::Relaxed;

use db_to_cloud::{Copied, ErrorKind, Key};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::client::Client;
use crate::error::Failure;

/// What is escaped in the name of the source: all but the characters that S3 calls unreserved, and the
/// slash. The SDK sends the name as it is given.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

impl Client {
    /// Copies an object. One copy that is refused as such is the last one asked for: not every service
    /// copies, and not every policy allows for it.
    pub(crate) async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Failure> {
        if self.copyless.load(Relaxed) {
            return Ok(Copied::Unsupported);
        }
        let copied = match self.copy_object(from, to).await {
            Ok(true) => return Ok(Copied::Done),
            Err(failure) if failure.is_no_such_key() => return Ok(Copied::Missing),
            // Such as for an object above 5 GiB: others may be copied.
            Err(failure) if failure.has_status(413) => return Ok(Copied::Unsupported),
            Ok(false) => Ok(Copied::Unsupported),
            Err(failure) if failure.is_refused_copy() => {
                tracing::debug!(?failure, "this service does not copy objects");
                Ok(Copied::Unsupported)
            }
            Err(failure) => return Err(failure),
        };
        self.copyless.store(true, Relaxed);
        copied
    }

    /// False if the service answered as to an upload: one that does not know the header of a copy has
    /// stored an empty object. The caller then uploads the bytes over it.
    async fn copy_object(&self, from: &Key, to: &Key) -> Result<bool, Failure> {
        let bucket = &self.config.bucket;
        let source = format!("{bucket}/{}", self.path(from));
        let source = utf8_percent_encode(&source, ESCAPED).to_string();
        let copy = self.sdk.copy_object().bucket(bucket).key(self.path(to)).copy_source(source);
        let copy = async { Ok(copy.send().await?) };
        let answer = self.in_turn(Box::pin(self.timed(0, copy))).await?;
        Ok(answer.copy_object_result().is_some_and(|copied| copied.e_tag().is_some()))
    }
}

impl Failure {
    /// Whether the service refused to copy, and not for now: as unknown (400, 405, 501) or as not
    /// permitted. What also keeps an upload from working, such as wrong credentials, is not meant.
    fn is_refused_copy(&self) -> bool {
        match self.kind() {
            ErrorKind::Forbidden | ErrorKind::Unsupported => true,
            ErrorKind::InvalidInput => self.has_status(400),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_source_is_escaped() {
        let source = utf8_percent_encode("b/a b+c%/ü~/docs/x-1_2.3", ESCAPED).to_string();
        assert_eq!(source, "b/a%20b%2Bc%25/%C3%BC~/docs/x-1_2.3");
    }
}
