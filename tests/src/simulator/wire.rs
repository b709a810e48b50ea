//! Requests under way. One whose client gave up waiting may still take effect, up to an hour later.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use db_to_cloud::{Copied, Created, Error, ErrorKind, Folder, Key, Page};

use super::shared::{Shared, lock};

/// F: the longest time that a request once sent may still take effect.
pub(super) const FLIGHT: u64 = 3_600_000;

#[derive(Clone, Debug)]
pub(super) enum Request {
    Get(Key),
    Put(Key, Bytes),
    Create(Key, Bytes),
    /// From the first key to the second.
    Copy(Key, Key),
    Delete(Key),
    List(Folder, Option<String>),
    /// Of the storage or of one of its folders, at most so many.
    Names(Option<Folder>, usize),
}

#[derive(Debug)]
pub(super) enum Answer {
    Bytes(Option<Bytes>),
    Done,
    Created(Created),
    Copied(Copied),
    Page(Page),
    Names(Vec<String>),
}

/// Requests that nobody waits for any more.
#[derive(Debug, Default)]
pub(super) struct Wire(Vec<Late>);

#[derive(Debug)]
struct Late {
    device: usize,
    request: Request,
    /// When it can no longer take effect.
    over: u64,
}

impl Request {
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Put(..) => "put",
            Self::Create(..) => "create",
            Self::Copy(..) => "copy",
            Self::Delete(_) => "delete",
            Self::List(..) | Self::Names(..) => "list",
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::Get(key)
            | Self::Put(key, _)
            | Self::Create(key, _)
            | Self::Copy(_, key)
            | Self::Delete(key) => key.as_str(),
            Self::List(folder, _) | Self::Names(Some(folder), _) => folder.name(),
            Self::Names(None, _) => "the storage",
        }
    }

    fn is_write(&self) -> bool {
        matches!(self, Self::Put(..) | Self::Create(..) | Self::Copy(..) | Self::Delete(_))
    }

    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.operation()).with_key(self.key())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation(), self.key())
    }
}

/// A request that its client waits for. If the client goes away before it took effect, it is one
/// that nobody waits for.
pub(super) struct Flight<'a> {
    shared: &'a Arc<Shared>,
    device: usize,
    request: Option<Request>,
}

impl<'a> Flight<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, device: usize, request: Request) -> Self {
        Self { shared, device, request: Some(request) }
    }

    /// It takes effect now.
    pub(super) fn land(&mut self) -> Result<Answer, Error> {
        match self.request.take() {
            Some(request) => self.shared.execute(self.device, &request, false),
            None => Err(Error::new(ErrorKind::Unavailable, "request")),
        }
    }

    /// It never takes effect.
    pub(super) fn vanish(&mut self) {
        self.request = None;
    }

    /// The connection breaks: it has taken effect, or never will.
    pub(super) fn cut(&mut self) {
        let lands = lock(&self.shared.dice).percent(50);
        match self.request.take() {
            Some(request) if lands && request.is_write() => {
                self.shared.count("landed late");
                let _ = self.shared.execute(self.device, &request, true);
            }
            _ => {}
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(request) = self.request.take().filter(Request::is_write) else { return };
        if lock(&self.shared.weather).resting || lock(&self.shared.dice).percent(50) {
            return;
        }
        let over = self.shared.now() + FLIGHT;
        lock(&self.shared.wire).0.push(Late { device: self.device, request, over });
    }
}

impl Shared {
    /// One late request takes effect, if there is one.
    pub(super) fn deliver_one(&self) {
        let number = lock(&self.wire).0.len() as u64;
        if number == 0 {
            return;
        }
        let i = lock(&self.dice).below(number) as usize;
        let Late { device, request, over } = lock(&self.wire).0.remove(i);
        if self.now() <= over {
            self.count("landed late");
            // Nobody hears of the answer.
            let _ = self.execute(device, &request, true);
        }
    }

    /// All late requests take effect now or never will.
    pub(super) fn settle_wire(&self) {
        while !lock(&self.wire).0.is_empty() {
            let lands = lock(&self.dice).percent(50);
            match lands {
                true => self.deliver_one(),
                false => drop(lock(&self.wire).0.pop()),
            }
        }
    }
}
