//! Bodies of several parts, byte for byte.

use bytes::Bytes;

use super::answers;
use crate::Answer;

/// One part.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Part {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The parts of a body with this content type.
pub(super) fn parse(content_type: &str, body: &Bytes) -> Result<Vec<Part>, Answer> {
    let bad = || answers::bad("body", "Malformed multipart body.");
    let (_, boundary) = content_type.split_once("boundary=").ok_or_else(bad)?;
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let mark = format!("--{boundary}");
    let mut at = find(body, mark.as_bytes(), 0).ok_or_else(bad)? + mark.len();
    let mut parts = Vec::new();
    let between = format!("\r\n{mark}");
    // Some clients end lines with a bare line feed around the parts.
    let loose = format!("\n{mark}");
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(parts);
        }
        let start = at + line_end(&body[at..]).ok_or_else(bad)?;
        let strict = find(body, between.as_bytes(), start);
        let end = strict.or_else(|| find(body, loose.as_bytes(), start)).ok_or_else(bad)?;
        let skipped = if strict.is_some() { between.len() } else { loose.len() };
        parts.push(part(&body.slice(start..end)).ok_or_else(bad)?);
        at = end + skipped;
    }
}

/// A head, an empty line, and a body; also the head and body of a request within a batch.
pub(super) fn part(bytes: &Bytes) -> Option<Part> {
    let (mut headers, mut at) = (Vec::new(), 0);
    loop {
        let Some(length) = line_end(&bytes[at..]) else {
            // A request without a body may end with its last header.
            return (at == bytes.len()).then(|| Part { headers, body: Bytes::new() });
        };
        let line = std::str::from_utf8(&bytes[at..at + length]).ok()?.trim();
        at += length;
        if line.is_empty() {
            return Some(Part { headers, body: bytes.slice(at..) });
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let found = haystack.get(from..)?.windows(needle.len()).position(|window| window == needle);
    found.map(|at| at + from)
}
