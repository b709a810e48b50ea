//! A resolver that a test writes as a closure, and that remembers what it was asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use db_to_cloud::{BoxError, Conflict, Document, Resolution, Resolver};

type Decide = dyn Fn(&Conflict) -> Result<Resolution, BoxError> + Send + Sync;

/// Decides as the test says. Cheap to clone; the clones are one judge.
#[derive(Clone)]
pub struct Judge {
    decide: Arc<Decide>,
    asked: Arc<Mutex<Vec<Conflict>>>,
}

impl Judge {
    /// A judge that always finds a decision.
    pub fn new(decide: impl Fn(&Conflict) -> Resolution + Send + Sync + 'static) -> Self {
        Self::failing(move |conflict| Ok(decide(conflict)))
    }

    /// A judge that may fail to find one.
    pub fn failing(
        decide: impl Fn(&Conflict) -> Result<Resolution, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let decide: Arc<Decide> = Arc::new(decide);
        Self { decide, asked: Arc::default() }
    }

    /// A judge that always decides the same.
    pub fn always(resolution: Resolution) -> Self {
        Self::new(move |_| resolution.clone())
    }

    /// A judge that keeps the words of both sides, each once; an edit wins over a delete.
    pub fn merging() -> Self {
        Self::new(|conflict| match (&conflict.local, &conflict.remote) {
            (Some(local), Some(remote)) => {
                let both = [local, remote].map(|d| String::from_utf8_lossy(&d.bytes).into_owned());
                let mut words: Vec<_> = both.iter().flat_map(|text| text.split(' ')).collect();
                words.sort_unstable();
                words.dedup();
                Resolution::Merged(Document::of_content(words.join(" ")))
            }
            (Some(_), None) => Resolution::KeepLocal,
            (None, _) => Resolution::TakeRemote,
        })
    }

    /// The conflicts asked so far.
    pub fn asked(&self) -> Vec<Conflict> {
        self.log().clone()
    }

    /// How many conflicts were asked so far.
    pub fn count(&self) -> usize {
        self.log().len()
    }

    fn log(&self) -> MutexGuard<'_, Vec<Conflict>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Judge(asked {} times)", self.count())
    }
}

#[async_trait]
impl Resolver for Judge {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        self.log().push(conflict.clone());
        (self.decide)(conflict)
    }
}
