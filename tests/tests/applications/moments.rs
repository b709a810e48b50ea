//! The moments of a sync: before and after each request of the storage, each write of the client
//! state and each read and write of the documents. At a chosen one something happens.

use std::sync::{Arc, Mutex, PoisonError};

use db_to_cloud::{DocumentId, Error, ErrorKind, Write};

/// Which moment of a sync, the first being 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// Of all moments.
    Any(u64),
    /// Of those before and after a write of documents: odd ones are before.
    Apply(u64),
}

/// What happens at a moment.
pub(crate) enum Happens {
    /// The device stops for good: nothing more is asked or written.
    Stop,
    /// This request of the storage fails, before it is sent or after it was done; all else goes on.
    Fail,
    /// The application edits.
    Edit(Box<dyn FnOnce() + Send>),
    /// The application edits a document that a sync is about to write.
    Race(Box<dyn FnOnce(&DocumentId) + Send>),
}

#[derive(Default)]
struct Next {
    taken: u64,
    applied: u64,
    at: Option<When>,
    happens: Option<Happens>,
    stopped: bool,
}

impl Next {
    fn is_due(&self) -> bool {
        match self.at {
            Some(When::Any(n)) => self.taken >= n,
            Some(When::Apply(n)) => self.applied >= n,
            None => false,
        }
    }
}

/// The moments of one device, shared by its clones.
#[derive(Clone, Default)]
pub(crate) struct Moments(Arc<Mutex<Next>>);

impl Moments {
    /// Counts from 0 again; at this moment this happens.
    pub(crate) fn set(&self, at: When, happens: Happens) {
        *self.next() = Next { at: Some(at), happens: Some(happens), ..Next::default() };
    }

    /// Nothing happens any more. An edit that was not reached is made now.
    pub(crate) fn clear(&self) {
        let next = std::mem::take(&mut *self.next());
        if let Some(Happens::Edit(edit)) = next.happens {
            edit();
        }
    }

    /// Whether the device has stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.next().stopped
    }

    /// A moment that is no request: it cannot fail.
    pub(crate) async fn pass(&self) {
        self.take(false).await;
    }

    /// The moment before a batch of writes.
    pub(crate) async fn before_apply(&self, batch: &[Write]) {
        let race = {
            let mut next = self.next();
            next.applied += 1;
            let is_race = matches!(next.happens, Some(Happens::Race(_)));
            if is_race && next.is_due() { next.happens.take() } else { None }
        };
        if let (Some(Happens::Race(edit)), Some(write)) = (race, batch.first()) {
            edit(&write.id);
        }
        self.take(false).await;
    }

    /// The moment after a batch of writes.
    pub(crate) async fn after_apply(&self) {
        self.next().applied += 1;
        self.take(false).await;
    }

    /// A moment before or after a request of the storage.
    pub(crate) async fn request(&self, operation: &'static str) -> Result<(), Error> {
        match self.take(true).await {
            true => Err(Error::new(ErrorKind::Forbidden, operation)
                .with_message("the test lets this request fail")),
            false => Ok(()),
        }
    }

    /// Whether this request fails.
    async fn take(&self, can_fail: bool) -> bool {
        let happens = {
            let mut next = self.next();
            next.taken += 1;
            let is_due = next.is_due();
            match next.happens {
                // A failure waits for a request, and the device that stopped stays so.
                Some(Happens::Fail) if is_due && can_fail => next.happens.take(),
                Some(Happens::Edit(_)) if is_due => next.happens.take(),
                Some(Happens::Stop) if is_due => {
                    next.stopped = true;
                    Some(Happens::Stop)
                }
                _ => None,
            }
        };
        match happens {
            Some(Happens::Stop) => std::future::pending().await,
            Some(Happens::Edit(edit)) => edit(),
            Some(Happens::Fail) => return true,
            Some(Happens::Race(_)) | None => {}
        }
        false
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Next> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
