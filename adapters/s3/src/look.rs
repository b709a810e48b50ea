//! Looks that cost little: the first bytes of an object, and the names around.

use std::collections::BTreeSet;

use aws_sdk_s3::config::{Builder, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use db_to_cloud::{Folder, Key};
use db_to_cloud_http::{first_bytes, length_of_start};

use crate::client::Client;
use crate::error::Failure;

/// The most names of one page.
const PAGE: usize = 1000;

/// Reads the first bytes of an object. A service that does not know ranges sends all of it: then no more is
/// read.
pub(crate) async fn start(
    client: &Client,
    key: &Key,
    at_most: usize,
) -> Result<Option<Bytes>, Failure> {
    let get = client.sdk.get_object().bucket(&client.config.bucket).key(client.path(key));
    // The checksum of an object is not that of a part.
    let unchecked =
        Builder::new().response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let get = get.range(first_bytes(at_most)).customize().config_override(unchecked);
    let read = async {
        let answer = client.timed(0, async { Ok(get.send().await?) }).await?;
        if answer.e_tag().is_none() {
            return Err(Failure::NotS3("an object without an ETag"));
        }
        let (asked, range) = (at_most.max(1), answer.content_range);
        let promised = answer.content_length.and_then(|n| usize::try_from(n).ok());
        let promised = promised.map(|length| length.min(asked));
        let body = read(answer.body, asked);
        let start = client.timed(promised.unwrap_or(0), body).await?;
        if promised.is_some_and(|length| start.len() < length) {
            return Err(Failure::NotS3("a part of the object is missing"));
        }
        let length = length_of_start(range.as_deref(), start.len(), at_most);
        Ok(Some(start.slice(..length.map_err(Failure::NotS3)?)))
    };
    match client.in_turn(Box::pin(read)).await {
        Err(failure) if failure.is_no_such_key() => Ok(None),
        // An empty object has no first byte.
        Err(failure) if failure.has_status(416) => Ok(Some(Bytes::new())),
        answer => answer,
    }
}

/// The first `at_most` bytes of a body, or all of a shorter one.
async fn read(mut body: ByteStream, at_most: usize) -> Result<Bytes, Failure> {
    let mut start = BytesMut::new();
    while start.len() < at_most {
        let chunk = body.try_next().await.map_err(|e| Failure::Line(e.to_string()))?;
        let Some(chunk) = chunk else { break };
        start.extend_from_slice(&chunk);
    }
    start.truncate(at_most);
    Ok(start.freeze())
}

/// The names of what is in the storage or in one of its folders: one request, unless there are more than a
/// page of them or the service sends less than a page.
pub(crate) async fn names(
    client: &Client,
    folder: Option<Folder>,
    at_most: usize,
) -> Result<Vec<String>, Failure> {
    let prefix = match folder {
        Some(folder) => client.path(format_args!("{}/", folder.name())),
        // With a slash at its end, if the storage has not the bucket for itself.
        None => client.path(""),
    };
    let (mut names, mut page, mut seen) = (BTreeSet::new(), None, 0);
    while seen < at_most {
        let most = (at_most - seen).min(PAGE);
        let list = client.sdk.list_objects_v2().bucket(&client.config.bucket).prefix(&prefix);
        let list = list.delimiter("/").max_keys(i32::try_from(most).unwrap_or(i32::MAX));
        let list = list.set_continuation_token(page);
        let list = async { Ok(list.send().await?) };
        let answer = client.in_turn(Box::pin(client.timed(0, list))).await?;
        let objects = answer.contents().iter().filter_map(|object| object.key());
        let folders = answer.common_prefixes().iter().filter_map(|folder| folder.prefix());
        let found = objects.chain(folders).filter_map(|path| name(&prefix, path));
        names.extend(found.map(str::to_owned));
        seen += answer.contents().len() + answer.common_prefixes().len();
        page = match (answer.is_truncated(), answer.next_continuation_token) {
            (Some(true), None) => {
                return Err(Failure::NotS3("a page of a list without a next one"));
            }
            (Some(true), next) => next,
            _ => break,
        };
    }
    Ok(names.into_iter().take(at_most).collect())
}

/// The name of what is directly below the prefix: a folder has a slash at its end. Some services know no
/// delimiter and list what is in folders, too.
fn name<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    let below = path.strip_prefix(prefix)?;
    let end = below.find('/').map_or(below.len(), |slash| slash + 1);
    // An empty object with the name of a folder stands for the folder itself.
    below.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_ends_with_its_first_slash() {
        let of = |path| name("apps/notes/", path);
        assert_eq!(of("apps/notes/meta.json"), Some("meta.json"));
        assert_eq!(of("apps/notes/docs/"), Some("docs/"));
        assert_eq!(of("apps/notes/docs/a.1"), Some("docs/"), "a service without delimiters");
        assert_eq!(of("apps/notes/"), None);
        assert_eq!(of("apps/other"), None);
    }
}
