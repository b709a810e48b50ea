//! A request: where, with which argument, with which bytes.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde::Serialize;

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The end of the address, such as `files/upload`.
    pub(crate) route: &'static str,
    /// JSON.
    pub(crate) arg: String,
    pub(crate) kind: Kind,
    /// It is a create: it does not queue behind other requests.
    pub(crate) is_create: bool,
    /// So many files are written: it may take longer.
    pub(crate) files: usize,
}

/// Where the argument and the bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The argument is the body.
    Rpc,
    /// The argument is a header, the body what is stored.
    Upload(Bytes),
    /// The argument is a header; so is the answer, whose body is what was stored: so many bytes of it,
    /// or all.
    Download(Option<usize>),
}

impl Call {
    pub(crate) fn rpc(route: &'static str, arg: &impl Serialize) -> Self {
        Self::new(route, arg, Kind::Rpc)
    }

    pub(crate) fn upload(route: &'static str, arg: &impl Serialize, bytes: Bytes) -> Self {
        Self::new(route, arg, Kind::Upload(bytes))
    }

    pub(crate) fn download(route: &'static str, arg: &impl Serialize) -> Self {
        Self::new(route, arg, Kind::Download(None))
    }

    /// A download of the first bytes.
    pub(crate) fn start(route: &'static str, arg: &impl Serialize, at_most: usize) -> Self {
        Self::new(route, arg, Kind::Download(Some(at_most)))
    }

    pub(crate) fn creating(mut self, is_create: bool) -> Self {
        self.is_create = is_create;
        self
    }

    pub(crate) fn of_files(mut self, files: usize) -> Self {
        self.files = files;
        self
    }

    fn new(route: &'static str, arg: &impl Serialize, kind: Kind) -> Self {
        // Our own arguments are all JSON; what were not would be refused by the service.
        let arg = serde_json::to_string(arg).unwrap_or_default();
        Self { route, arg, kind, is_create: false, files: 0 }
    }

    /// The most bytes that are read of the answer.
    pub(crate) fn at_most(&self) -> usize {
        match self.kind {
            Kind::Download(Some(at_most)) => at_most,
            _ => usize::MAX,
        }
    }

    /// The bytes that it moves.
    pub(crate) fn length(&self) -> usize {
        match &self.kind {
            Kind::Upload(bytes) => bytes.len(),
            Kind::Rpc | Kind::Download(_) => self.arg.len(),
        }
    }
}

/// JSON for a header: what is no printable ASCII is escaped (`HTTP header arguments` of Dropbox's
/// reference; it answers 400 to others).
pub(crate) fn ascii(json: &str) -> Cow<'_, str> {
    let is_plain = |c: char| matches!(c, ' '..='\u{7e}');
    if json.chars().all(is_plain) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_plain(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_ascii_in_a_header() {
        assert_eq!(ascii(r#"{"path":"/a \"b\""}"#), r#"{"path":"/a \"b\""}"#);
        assert_eq!(ascii("\"/ü\u{7f}日🦀\""), r#""/\u00fc\u007f\u65e5\ud83e\udd80""#);
    }
}
