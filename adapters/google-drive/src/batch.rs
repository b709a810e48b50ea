//! Many deletes in one request.

use bytes::Bytes;
use db_to_cloud_http::Answer;
use futures::future::join_all;
use reqwest::Method;

use crate::drive::{Drive, FILES, is_absence};
use crate::error::Failure;

/// Google takes no more in one batch.
const MOST: usize = 100;

impl Drive {
    /// Deletes files, as [`Drive::delete`] does; the answers are in the order of the ids.
    pub(crate) async fn delete_all(&self, ids: &[String]) -> Vec<Result<(), Failure>> {
        let batches = ids.chunks(MOST).map(async |ids| match ids {
            // A batch of one costs as much and tells less.
            [id] => vec![self.delete(id).await],
            ids => self.delete_batch(ids).await,
        });
        join_all(batches).await.into_iter().flatten().collect()
    }

    async fn delete_batch(&self, ids: &[String]) -> Vec<Result<(), Failure>> {
        let boundary = format!("{:032x}", fastrand::u128(..));
        let mut body = String::new();
        for (i, id) in ids.iter().enumerate() {
            body += &format!("--{boundary}\r\ncontent-type: application/http\r\n");
            body += &format!("content-id: <{i}>\r\n\r\nDELETE {FILES}/{id} HTTP/1.1\r\n\r\n\r\n");
        }
        body += &format!("--{boundary}--\r\n");
        let mut request = self.client.request(Method::POST, "/batch/drive/v3", &[]);
        let kind = format!("multipart/mixed; boundary={boundary}");
        request.headers.push(("content-type", kind));
        request.body = body.into();
        let answer = match self.client.send(request).await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return ids.iter().map(|_| Err(Failure::of(&answer))).collect(),
            Err(failure) => {
                // One tells what is wrong, and all are asked for again.
                let lost = || Err(Failure::not_drive("the batch was lost").after_sending());
                return std::iter::once(Err(failure))
                    .chain((1..ids.len()).map(|_| lost()))
                    .collect();
            }
        };
        let mut parts = parts(&answer);
        let place = |i| parts.iter().position(|(number, _)| *number == i);
        let order: Vec<_> = (0..ids.len()).map(place).collect();
        let mut deleted = |place: Option<usize>| match place.and_then(|at| parts.get_mut(at)) {
            Some((_, part)) if part.status == 204 || is_absence(part) => Ok(()),
            Some((_, part)) => Err(Failure::of(part)),
            None => Err(Failure::not_drive("a part of the batch was not answered").after_sending()),
        };
        order.into_iter().map(&mut deleted).collect()
    }
}

/// The answers in a batch, each with the number that its request had. In any order.
fn parts(answer: &Answer) -> Vec<(usize, Answer)> {
    let boundary = answer.header("content-type").and_then(|kind| kind.split_once("boundary="));
    let Some((_, boundary)) = boundary else { return Vec::new() };
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let text = String::from_utf8_lossy(&answer.body);
    text.split(&format!("--{boundary}")).filter_map(part).collect()
}

/// `Content-ID: <response-7>`, an empty line, and an answer with its own head.
fn part(text: &str) -> Option<(usize, Answer)> {
    let (head, inner) = split_head(text.trim_start())?;
    let id = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-id").then_some(value)
    })?;
    let number = id.trim().trim_matches(['<', '>']).strip_prefix("response-")?.parse().ok()?;
    let (head, body) = split_head(inner.trim_start()).unwrap_or((inner.trim(), ""));
    let status = head.lines().next()?.split_whitespace().nth(1)?.parse().ok()?;
    let body = Bytes::from(body.trim().to_owned());
    Some((number, Answer { status, headers: Default::default(), body }))
}

fn split_head(text: &str) -> Option<(&str, &str)> {
    text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_find_their_requests_by_number() {
        let error = r#"{"error":{"errors":[{"reason":"notFound"}]}}"#;
        let body = format!(
            "--b\r\nContent-Type: application/http\r\nContent-ID: <response-1>\r\n\r\n\
             HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{error}\r\n\
             --b\r\ncontent-id: response-0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n--b--"
        );
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("content-type", "multipart/mixed; boundary=\"b\"".parse().unwrap());
        let answer = Answer { status: 200, headers, body: body.into() };
        let parts = parts(&answer);
        let statuses: Vec<_> = parts.iter().map(|(n, part)| (*n, part.status)).collect();
        assert_eq!(statuses, [(1, 404), (0, 204)]);
        assert!(is_absence(&parts[0].1));
    }
}
