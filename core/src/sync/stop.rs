//! A sync that is asked to end early: it is dropped where it stands, and its lock is given back.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, poll_fn, select};

use super::Shared;
use crate::model::Error;

/// How long a write under the lock may go on after that.
const LAST_WRITE: Duration = Duration::from_secs(10);
/// How long the release of the lock may take. Without it the lock expires after its time.
const RELEASE: Duration = Duration::from_secs(5);

/// Runs a sync, at most until `stop` gives the error that it ends with.
///
/// Dropping a sync is safe anywhere. Its lock may be given back at once, except during a write that
/// the lock protects (rule W3): that one is waited for, and if it takes too long the lock stays.
pub(super) async fn until<T>(
    client: &Shared,
    mut sync: Pin<Box<impl Future<Output = Result<T, Error>>>>,
    stop: impl Future<Output = Error>,
) -> Result<T, Error> {
    let stopped = match select(sync.as_mut(), pin!(stop)).await {
        Either::Left((synced, _)) => return synced,
        Either::Right((stopped, _)) => stopped,
    };
    let storage = &client.storage;
    let is_written = {
        let written = poll_fn(|context| {
            if storage.is_writing()
                && let Poll::Ready(synced) = sync.as_mut().poll(context)
            {
                return Poll::Ready(Some(synced));
            }
            if storage.is_writing() { Poll::Pending } else { Poll::Ready(None) }
        });
        match select(pin!(written), client.environment.sleep(LAST_WRITE)).await {
            Either::Left((Some(synced), _)) => return synced,
            Either::Left((None, _)) => true,
            Either::Right(_) => false,
        }
    };
    drop(sync);
    if is_written {
        match select(pin!(storage.release()), client.environment.sleep(RELEASE)).await {
            Either::Left((Ok(()), _)) => {}
            Either::Left((Err(error), _)) => tracing::warn!(%error, "the lock was not released"),
            Either::Right(_) => tracing::warn!("the lock was not released in time"),
        }
    }
    Err(stopped)
}
