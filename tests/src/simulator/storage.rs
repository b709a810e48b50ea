//! One device's way to the storage, on which anything may go wrong.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Atomicity, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page,
};

use super::Kind;
use super::scheduler::Passed;
use super::shared::{Shared, lock};
use super::weather::Fate;
use super::wire::{Answer, Flight, Request};

#[derive(Clone)]
pub(super) struct Storage {
    pub shared: Arc<Shared>,
    pub device: usize,
    /// Requests under way at once, and items of a batch.
    pub width: usize,
    /// The storage does not say by itself whether it is strong.
    pub probed: bool,
    /// The requests of the sync that is under way.
    pub journal: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Storage {
    async fn request(&self, request: Request) -> Result<Answer, Error> {
        let shared = &self.shared;
        let mut flight = Flight::new(shared, self.device, request.clone());
        lock(&self.journal).push(request.to_string());
        if shared.travel(self.device).await == Passed::Cut {
            flight.cut();
            return Err(request.error(ErrorKind::Unavailable));
        }
        let fate = lock(&shared.weather).fate(&mut lock(&shared.dice), &request);
        shared.note(|| format!("device {}: {request}: {fate:?}", self.device));
        let answer = self.meet(fate, &mut flight, &request).await?;
        self.count(&request, &answer);
        match shared.travel(self.device).await {
            Passed::On => Ok(answer),
            Passed::Cut => Err(request.error(ErrorKind::Unavailable)),
        }
    }

    async fn meet(
        &self,
        fate: Fate,
        flight: &mut Flight<'_>,
        request: &Request,
    ) -> Result<Answer, Error> {
        match fate {
            Fate::Well => flight.land(),
            Fate::Refused(kind) => {
                flight.vanish();
                Err(request.error(kind))
            }
            Fate::Throttled(pause) => {
                flight.vanish();
                Err(request.error(ErrorKind::Throttled).with_retry_after(pause))
            }
            Fate::Lost => {
                flight.vanish();
                Err(request.error(ErrorKind::Unavailable))
            }
            Fate::AnswerLost => {
                drop(flight.land());
                Err(request.error(ErrorKind::Unavailable))
            }
            Fate::Hangs => {
                drop(flight.land());
                std::future::pending().await
            }
            Fate::Stuck => std::future::pending().await,
            Fate::Delayed => Err(request.error(ErrorKind::TimedOut)),
            Fate::Torn => match flight.land()? {
                Answer::Bytes(Some(bytes)) => Ok(Answer::Bytes(Some(self.tear(&bytes)))),
                answer => Ok(answer),
            },
        }
    }

    /// What a run is there for, among the requests.
    fn count(&self, request: &Request, answer: &Answer) {
        let what = match (request, answer) {
            (Request::Create(key, _), Answer::Created(Created::Occupied))
                if key.slot().is_some() =>
            {
                "race for a slot lost"
            }
            (Request::Get(key), Answer::Bytes(Some(_))) if is_part(key) => "snapshot part read",
            (Request::Get(key), Answer::Bytes(None)) if key.vid().is_some() => "document missing",
            (Request::Put(key, _), _) if key.vid().is_some() => "document uploaded",
            (Request::Copy(..), Answer::Copied(Copied::Done)) => "document copied",
            (Request::Put(key, _) | Request::Create(key, _), _) if *key == Key::lock() => {
                "lock taken"
            }
            _ => return,
        };
        self.shared.count(what);
    }

    fn tear(&self, bytes: &Bytes) -> Bytes {
        let mut dice = lock(&self.shared.dice);
        let end = dice.below(bytes.len() as u64) as usize;
        match dice.percent(50) {
            true => bytes.slice(..end),
            false => [&bytes[..end], &vec![0; bytes.len() - end]].concat().into(),
        }
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Storage(of device {})", self.device)
    }
}

/// `snapshot/<seq>.<rand>.<k>.json`
fn is_part(key: &Key) -> bool {
    key.as_str().starts_with("snapshot/") && key.as_str().split('.').count() == 4
}

fn odd(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, operation).with_message("an answer of another kind")
}

#[async_trait]
impl Adapter for Storage {
    fn capabilities(&self) -> Capabilities {
        let create = match (self.shared.kind, self.probed) {
            (Kind::Weak, _) => Atomicity::Weak,
            (Kind::Strong, true) => Atomicity::Probe,
            (Kind::Strong, false) => Atomicity::Atomic,
        };
        let (concurrency, batch_items) = (self.width, self.width + 1);
        Capabilities { create, concurrency, batch_items, batch_bytes: 400 }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        match self.request(Request::Get(key.clone())).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            _ => Err(odd("get")),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.request(Request::Put(key.clone(), bytes)).await.map(drop)
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        match self.request(Request::Create(key.clone(), bytes)).await? {
            Answer::Created(created) => Ok(created),
            _ => Err(odd("create")),
        }
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        match self.request(Request::Copy(from.clone(), to.clone())).await? {
            Answer::Copied(copied) => Ok(copied),
            _ => Err(odd("copy")),
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.request(Request::Delete(key.clone())).await.map(drop)
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let page = page.map(str::to_owned);
        match self.request(Request::List(folder, page)).await? {
            Answer::Page(page) => Ok(page),
            _ => Err(odd("list")),
        }
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        match self.request(Request::Names(folder, at_most)).await? {
            Answer::Names(names) => Ok(names),
            _ => Err(odd("list")),
        }
    }
}
