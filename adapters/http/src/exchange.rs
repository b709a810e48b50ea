//! One request and all of its answer, or why there is none.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response};

use crate::{chain, is_of_tls, is_page, retry_after};

/// An answer, whatever its status, with all of its body.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether this is a page for people: the sign-in page of a network or of a cloud.
    pub fn is_page(&self) -> bool {
        is_page(self.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes()))
    }

    /// The pause that the service asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.header("retry-after")?, self.header("date"))
    }
}

/// Why there is no answer. The texts name no address.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// No connection came about: nothing was sent.
    NotConnected(String),
    /// The handshake failed: nothing was sent.
    Tls(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// The line broke: whether the request arrived is not known.
    Line(String),
}

impl NoAnswer {
    /// What an error of a request means that had so much time.
    pub fn of(error: reqwest::Error, limit: Duration) -> Self {
        let (connecting, timed_out) = (error.is_connect(), error.is_timeout());
        let text = chain(&error.without_url());
        match (connecting, timed_out) {
            (true, _) if is_of_tls(&text) => Self::Tls(text),
            (true, _) => Self::NotConnected(text),
            (false, true) => Self::TimedOut(limit),
            (false, false) => Self::Line(text),
        }
    }

    /// Whether the request may have reached the server.
    pub fn was_sent(&self) -> bool {
        !matches!(self, Self::NotConnected(_) | Self::Tls(_))
    }

    /// The same once a part of the answer was there: so the request was sent.
    fn after_sending(self) -> Self {
        match self {
            Self::NotConnected(text) | Self::Tls(text) => Self::Line(text),
            other => other,
        }
    }
}

/// Sends a request and reads its answer. The head may take so long; the body, of so many bytes as the
/// head promises, as long as is said of them.
///
/// # Errors
/// Without a whole answer: a body that is shorter than promised is none.
pub async fn exchange(
    request: RequestBuilder,
    limit: Duration,
    limit_of_body: impl FnOnce(usize) -> Duration,
) -> Result<Answer, NoAnswer> {
    exchange_start(request, limit, limit_of_body, usize::MAX).await
}

/// The same, but of the body of a success only the first `at_most` bytes are read: a server may send the
/// whole object although a part was asked for. One byte is read in any case.
///
/// # Errors
/// As [`exchange`]: a body that ends before `at_most` bytes and before its promised length is no answer.
pub async fn exchange_start(
    request: RequestBuilder,
    limit: Duration,
    limit_of_body: impl FnOnce(usize) -> Duration,
    at_most: usize,
) -> Result<Answer, NoAnswer> {
    let head = within(limit, request.send()).await?;
    let (status, headers) = (head.status().as_u16(), head.headers().clone());
    let promised = head.content_length().and_then(|n| usize::try_from(n).ok());
    // The reasons of a refusal are read whole.
    let at_most = if head.status().is_success() { at_most.max(1) } else { usize::MAX };
    let limit = limit_of_body(promised.unwrap_or(0).min(at_most));
    let body = within(limit, body(head, at_most)).await.map_err(NoAnswer::after_sending)?;
    Ok(Answer { status, headers, body })
}

async fn body(mut answer: Response, at_most: usize) -> Result<Bytes, reqwest::Error> {
    if at_most == usize::MAX {
        return answer.bytes().await;
    }
    let mut body = BytesMut::new();
    while body.len() < at_most {
        let Some(chunk) = answer.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(at_most);
    Ok(body.freeze())
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, NoAnswer> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(|error| NoAnswer::of(error, limit)),
        Err(_) => Err(NoAnswer::TimedOut(limit)),
    }
}
