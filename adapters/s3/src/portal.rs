//! Answers that are not S3's.

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use db_to_cloud_http::is_page;

/// Refuses a page for people where an answer of S3 should be: the sign-in page of a network answers
/// 200 to everything, and a delete or an upload would seem to have worked.
#[derive(Debug)]
pub(crate) struct NoPages;

impl Intercept for NoPages {
    fn name(&self) -> &'static str {
        "NoPages"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (answer, status) = (context.response(), context.response().status());
        let header = |name| answer.headers().get(name);
        // Objects may be pages: theirs come with an ETag. moto gives its empty answers this type.
        let is_empty = status.as_u16() == 204 || header("content-length") == Some("0");
        let is_page =
            is_page(header("content-type").map(str::as_bytes)) && header("etag").is_none();
        match status.is_success() && is_page && !is_empty {
            true => Err("a page for people was answered".into()),
            false => Ok(()),
        }
    }
}
