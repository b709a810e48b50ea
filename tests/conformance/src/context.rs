//! What a case works with: the adapter, random keys, and a list of what must be deleted.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use db_to_cloud::{
    Adapter, Atomicity, DocumentId, Environment, Error, Folder, Key, SystemEnvironment, VersionId,
};

use crate::Options;

/// What a case gives back; `?` works on the answers of an adapter.
pub(crate) type CaseResult<T = ()> = Result<T, Stop>;

/// Why a case ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Skipped(String),
    Failed(String),
}

/// Ends the case as failed, with this text, unless the condition holds.
macro_rules! check {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::context::Stop::Failed(format!($($text)+)));
        }
    };
}
pub(crate) use check;

/// Ends the case as failed, with both values, unless they are equal.
macro_rules! equal {
    ($found:expr, $right:expr, $($text:tt)+) => {
        match (&$found, &$right) {
            (found, right) if *found == *right => {}
            (found, right) => {
                let what = format!($($text)+);
                let text = format!("{what}: {found:?} instead of {right:?}");
                return Err($crate::context::Stop::Failed(text));
            }
        }
    };
}
pub(crate) use equal;

/// One for each case.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) options: Options,
    /// Every key this case was given: all are deleted at its end, whatever became of it.
    keys: Mutex<Vec<Key>>,
    /// Keys that a dropped write may still reach after that.
    unsettled: Mutex<Vec<Key>>,
}

impl Context {
    pub(crate) fn new(adapter: Arc<dyn Adapter>, options: Options) -> Self {
        Self { adapter, options, keys: Mutex::default(), unsettled: Mutex::default() }
    }

    /// A key in the folder for throw-away objects that nobody else uses.
    pub(crate) fn key(&self) -> CaseResult<Key> {
        Ok(self.track(Folder::Probe.key(&random_name())?))
    }

    /// Such a key that a dropped write may still reach after the case has ended.
    pub(crate) fn unsettled_key(&self) -> CaseResult<Key> {
        let key = self.key()?;
        lock(&self.unsettled).push(key.clone());
        Ok(key)
    }

    /// A key without a folder, as `lock.json` is.
    pub(crate) fn top_key(&self) -> CaseResult<Key> {
        Ok(self.track(Key::parse(&format!("{}.json", random_name()))?))
    }

    /// A log slot that is to be made. If slots need not be made in order, it is one that no log of this
    /// age reaches: readers of a storage in use never see it.
    pub(crate) fn slot(&self) -> Key {
        match &self.options.next_slot {
            Some(next) => Key::change(next.fetch_add(1, Ordering::SeqCst)),
            None => self.far_slot(),
        }
    }

    /// A log slot that was never made.
    pub(crate) fn absent_slot(&self) -> Key {
        match &self.options.next_slot {
            Some(next) => Key::change(next.load(Ordering::SeqCst)),
            None => self.far_slot(),
        }
    }

    fn far_slot(&self) -> Key {
        // Between 2^40 and 2^52: a number that JSON readers in JavaScript can hold, too.
        let number = (1 << 40) + random() as u64 % ((1 << 52) - (1 << 40));
        self.track(Key::change(number))
    }

    /// A new version of this document.
    pub(crate) fn document(&self, id: &DocumentId) -> Key {
        self.track(Key::document(id, VersionId::from(random())))
    }

    /// Skips the case on a storage that says it has no atomic create.
    pub(crate) fn need_create(&self) -> CaseResult {
        match self.adapter.capabilities().create {
            Atomicity::Weak => {
                Err(Stop::Skipped("the adapter says it has no atomic create".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Deletes all that the case may have made.
    pub(crate) async fn clean_up(&self) -> CaseResult {
        let keys = lock(&self.keys).clone();
        for batch in keys.chunks(self.adapter.capabilities().batch_items.max(1)) {
            for answer in self.adapter.delete_many(batch).await {
                answer?;
            }
        }
        Ok(())
    }

    pub(crate) fn unsettled(&self) -> Vec<Key> {
        lock(&self.unsettled).clone()
    }

    fn track(&self, key: Key) -> Key {
        lock(&self.keys).push(key.clone());
        key
    }
}

impl Stop {
    /// An error with those below: for a person who has to mend what is tested.
    pub(crate) fn with_sources(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut below = error.source();
        while let Some(source) = below {
            text = format!("{text}: {source}");
            below = source.source();
        }
        Self::Failed(text)
    }

    pub(crate) fn panicked(what: &str) -> Self {
        Self::Failed(format!("{what} panicked"))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::with_sources(&error)
    }
}

impl From<tokio::task::JoinError> for Stop {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Failed("the adapter panicked".to_owned())
    }
}

fn random() -> u128 {
    SystemEnvironment::new().random()
}

fn random_name() -> String {
    format!("conformance-{:032x}", random())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
