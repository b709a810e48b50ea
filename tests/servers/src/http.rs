//! Just enough HTTP/1.1 to pass messages on.

use std::io::{Error, ErrorKind, Result};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request or an answer, as it was on the wire.
#[derive(Debug)]
pub(crate) struct Message {
    /// The method, or the status.
    pub(crate) first: String,
    /// The path with its query, or nothing.
    pub(crate) path: String,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// Its end is the end of the connection.
    pub(crate) ends_line: bool,
}

impl Message {
    /// A header of a request.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(&self.head).ok()?;
        header(request.headers, name).map(str::to_owned)
    }
}

/// What a head says of what follows.
struct Head {
    length: usize,
    first: String,
    path: String,
    body: Body,
    expects_continue: bool,
}

#[derive(Clone, Copy)]
enum Body {
    Of(usize),
    Chunked,
    UntilClosed,
}

/// A connection and what was read from it too early.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    read: BytesMut,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, read: BytesMut::new() }
    }

    /// The next request; `None` if there is none.
    pub(crate) async fn request(&mut self) -> Result<Option<Message>> {
        loop {
            if let Some(head) = parse_request(&self.read)? {
                if head.expects_continue {
                    self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                return self.body(head).await.map(Some);
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The answer to a request with this method.
    pub(crate) async fn answer(&mut self, method: &str) -> Result<Message> {
        loop {
            if let Some(head) = parse_answer(&self.read, method)? {
                match head.first.as_str() {
                    "100" => self.read.advance(head.length),
                    _ => return self.body(head).await,
                }
            } else if self.more().await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn body(&mut self, head: Head) -> Result<Message> {
        let bytes = self.read.split_to(head.length).to_vec();
        let length = loop {
            match head.body {
                Body::Of(length) if self.read.len() >= length => break length,
                Body::Chunked if chunks(&self.read)?.is_some() => {
                    break chunks(&self.read)?.unwrap_or_default();
                }
                _ => {}
            }
            match (self.more().await?, head.body) {
                (0, Body::UntilClosed) => break self.read.len(),
                (0, _) => return Err(ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        };
        let body = self.read.split_to(length).to_vec();
        let ends_line = matches!(head.body, Body::UntilClosed);
        Ok(Message { first: head.first, path: head.path, head: bytes, body, ends_line })
    }

    async fn more(&mut self) -> Result<usize> {
        self.stream.read_buf(&mut self.read).await
    }
}

fn parse_request(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes).map_err(Error::other)? else {
        return Ok(None);
    };
    let find = |name: &str| header(request.headers, name);
    let body = match find("content-length") {
        _ if is_chunked(find("transfer-encoding")) => Body::Chunked,
        length => Body::Of(length.and_then(|n| n.parse().ok()).unwrap_or(0)),
    };
    let expects_continue = find("expect").is_some();
    let first = request.method.unwrap_or_default().to_owned();
    let path = request.path.unwrap_or_default().to_owned();
    Ok(Some(Head { length, first, path, body, expects_continue }))
}

fn parse_answer(bytes: &[u8], method: &str) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = answer.parse(bytes).map_err(Error::other)? else {
        return Ok(None);
    };
    let status = answer.code.unwrap_or_default();
    let find = |name: &str| header(answer.headers, name);
    let body = match find("content-length").and_then(|n| n.parse().ok()) {
        _ if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) => Body::Of(0),
        _ if is_chunked(find("transfer-encoding")) => Body::Chunked,
        Some(length) => Body::Of(length),
        None => Body::UntilClosed,
    };
    let first = status.to_string();
    Ok(Some(Head { length, first, path: String::new(), body, expects_continue: false }))
}

fn header<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(header.value).ok().map(str::trim)
}

fn is_chunked(encoding: Option<&str>) -> bool {
    encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"))
}

/// The length of a whole chunked body, if all of it is there.
fn chunks(bytes: &[u8]) -> Result<Option<usize>> {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let httparse::Status::Complete((head, size)) =
            httparse::parse_chunk_size(rest).map_err(|_| Error::other("a bad chunk"))?
        else {
            return Ok(None);
        };
        at += head + size as usize + 2;
        if size == 0 {
            // Without trailers, which nobody here sends.
            return Ok((bytes.len() >= at).then_some(at));
        }
    }
    Ok(None)
}
