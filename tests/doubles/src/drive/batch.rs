//! `batch/drive/v3`: at most 100 requests in one, none of them with media.

use axum::body::to_bytes;
use bytes::Bytes;

use super::{Shared, answers, multipart};
use crate::Answer;
use crate::server::{Request, Response};

/// Runs the requests within and answers in the opposite order, for none is promised.
pub(super) async fn run(shared: &Shared, request: &Request) -> Result<Response, Answer> {
    let kind = super::header(request, "content-type").unwrap_or_default();
    let parts = multipart::parse(kind, request.body())?;
    if parts.len() > 100 {
        let message = "The batch request exceeds the maximum number of calls: 100.";
        return Err(answers::bad("batch", message));
    }
    let mut answered = Vec::new();
    for part in &parts {
        let id = part.header("content-id").unwrap_or("<0>").trim_start_matches('<').to_owned();
        let answer = match inner(request, &part.body) {
            None => answers::bad("batch", "Failed to parse inner request.").into(),
            Some(inner) => one(shared, &inner),
        };
        answered.push((id, answer));
    }
    let mut body = Vec::new();
    for (id, response) in answered.into_iter().rev() {
        let (head, content) = response.into_parts();
        let content = to_bytes(content, usize::MAX).await.unwrap_or_default();
        body.extend(b"--batch_double\r\nContent-Type: application/http\r\n");
        body.extend(format!("Content-ID: <response-{id}\r\n\r\n").bytes());
        body.extend(format!("HTTP/1.1 {}\r\n", head.status).bytes());
        for (name, value) in &head.headers {
            body.extend(format!("{name}: {}\r\n", value.to_str().unwrap_or_default()).bytes());
        }
        body.extend(format!("Content-Length: {}\r\n\r\n", content.len()).bytes());
        body.extend(&content);
        body.extend(b"\r\n");
    }
    body.extend(b"--batch_double--\r\n");
    let mut response = Response::new(body.into());
    let kind = axum::http::HeaderValue::from_static("multipart/mixed; boundary=batch_double");
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

/// The request in a part, with the credentials of the request around it.
fn inner(outer: &Request, bytes: &Bytes) -> Option<Request> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = line.split_whitespace();
    let (method, address) = (words.next()?, words.next()?);
    let rest = multipart::part(&bytes.slice(end + 1..))?;
    let mut inner = Request::new(rest.body.clone());
    *inner.method_mut() = method.parse().ok()?;
    *inner.uri_mut() = address.parse().ok()?;
    for name in ["authorization", "host"] {
        let value = outer.headers().get(name)?.clone();
        inner.headers_mut().insert(name, value);
    }
    if let Some(kind) = rest.header("content-type") {
        inner.headers_mut().insert("content-type", kind.parse().ok()?);
    }
    Some(inner)
}

fn one(shared: &Shared, request: &Request) -> Response {
    let is_upload = request.uri().path().starts_with("/upload/");
    let is_media = request.uri().query().is_some_and(|query| query.contains("alt=media"));
    if is_upload || request.uri().path().starts_with("/batch") {
        return answers::bad("batch", "Not supported in a batch.").into();
    }
    if is_media {
        let place = format!("https://www.googleapis.com/download{}", request.uri());
        return Answer::new(302, "text/html", "").with("location", place).into();
    }
    shared.state().answer(request).unwrap_or_else(Response::from)
}
