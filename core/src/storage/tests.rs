//! What a call for many objects makes of the answers of an adapter.

use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use async_trait::async_trait;

use super::*;
use crate::environment::SystemEnvironment;
use crate::model::{DocumentId, VersionId};

/// What is said of each copy, by its place in the batch: the first time, and later.
#[derive(Debug, Default)]
struct Copying {
    copyless: bool,
    calls: AtomicUsize,
    asked: Mutex<Vec<Vec<(Key, Key)>>>,
}

fn down(kind: ErrorKind) -> Result<Copied, Error> {
    Err(Error::new(kind, "copy"))
}

#[async_trait]
impl Adapter for Copying {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn get(&self, _: &Key) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }

    async fn put(&self, _: &Key, _: Bytes) -> Result<(), Error> {
        Ok(())
    }

    async fn create(&self, _: &Key, _: Bytes) -> Result<Created, Error> {
        Ok(Created::New)
    }

    async fn delete(&self, _: &Key) -> Result<(), Error> {
        Ok(())
    }

    async fn list(&self, _: Folder, _: Option<&str>) -> Result<Page, Error> {
        Ok(Page::default())
    }

    async fn names(&self, _: Option<Folder>, _: usize) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        if self.copyless {
            return pairs.iter().map(|_| Ok(Copied::Unsupported)).collect();
        }
        let first = self.calls.fetch_add(1, SeqCst) == 0;
        let answers = match first {
            true => vec![
                Ok(Copied::Done),
                down(ErrorKind::Unavailable),
                Ok(Copied::Missing),
                down(ErrorKind::Forbidden),
                Ok(Copied::Unsupported),
                down(ErrorKind::TimedOut),
            ],
            false => pairs.iter().map(|_| Ok(Copied::Done)).collect(),
        };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(pairs);
        answers
    }
}

fn pairs(n: usize) -> Vec<(Key, Key)> {
    let version = |i: usize| Key::document(&DocumentId::from("a"), VersionId::from(i as u128));
    (0..n).map(|i| (version(i), version(100 + i))).collect()
}

fn server(adapter: Arc<dyn Adapter>) -> Storage {
    Storage::new(adapter, Arc::new(SystemEnvironment::new()), Limits::default())
}

#[tokio::test]
async fn copies_that_failed_for_now_are_asked_for_again_and_each_pair_has_one_answer() {
    let adapter = Arc::new(Copying::default());
    let storage = server(adapter.clone());
    let pairs = pairs(6);
    let answers = storage.copy_many(&pairs, 0).await;
    let kinds: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|e| e.kind())).collect();
    let done = Ok(Copied::Done);
    let (missing, unsupported) = (Ok(Copied::Missing), Ok(Copied::Unsupported));
    assert_eq!(kinds, [done, done, missing, Err(ErrorKind::Forbidden), unsupported, done]);
    let again = vec![pairs[1].clone(), pairs[5].clone()];
    assert_eq!(*adapter.asked.lock().unwrap_or_else(PoisonError::into_inner), [pairs, again]);
    // Five of the first call were requests, and both of the second; no bytes were sent.
    let (requests, up, down) = storage.metered();
    assert_eq!((requests.put, requests.total(), up, down), (7, 7, 0, 0));
}

#[tokio::test]
async fn an_adapter_that_does_not_copy_costs_no_request() {
    let storage = server(Arc::new(Copying { copyless: true, ..Copying::default() }));
    let answers = storage.copy_many(&pairs(3), 0).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Copied::Unsupported))));
    assert_eq!(storage.metered().0.total(), 0);
}
