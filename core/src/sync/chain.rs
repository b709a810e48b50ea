//! Rule P1 for a part of the log that was read before: whether it is one chain still.

use futures::{StreamExt, stream};

use super::Context;
use crate::model::{Error, ErrorKind, LogPosition};

impl Context<'_> {
    /// The first break of the log up to the position across which this device has not read: it has read one
    /// of the branches only, and the entries of the other one were mixed into the log since (rule D8). All
    /// slots are looked at: a snapshot was right when it was made, and only then.
    pub(super) async fn unknown_break(&self, position: &LogPosition) -> Result<Option<u64>, Error> {
        self.first_break(position, 1, position.version).await
    }

    /// The number of the first entry after `from` and up to `to` that does not name the one before it, or
    /// that is absent. A damaged entry does not count, nor a break across which this device has read
    /// (rule D8).
    pub(super) async fn first_break(
        &self,
        position: &LogPosition,
        from: u64,
        to: u64,
    ) -> Result<Option<u64>, Error> {
        let storage = &self.client.storage;
        let head = |n| async move {
            match storage.slot_head(n).await {
                Err(e) if e.kind() == ErrorKind::Corrupt => Ok((n, None)),
                head => head.map(|head| (n, Some(head))),
            }
        };
        let concurrency = storage.capabilities().concurrency.max(1);
        let mut heads =
            std::pin::pin!(stream::iter(from.max(1)..=to).map(head).buffered(concurrency));
        let mut before = None;
        while let Some(found) = heads.next().await {
            let (n, head) = match found? {
                (n, None) => {
                    before = None;
                    tracing::debug!(n, "a damaged entry proves nothing");
                    continue;
                }
                (n, Some(None)) => return Ok(Some(n)),
                (n, Some(Some(head))) => (n, head),
            };
            let is_known =
                |commit| position.crossed.iter().any(|b| (b.slot, b.before) == (n, commit));
            if before.is_some_and(|commit| head.prev != Some(commit) && !is_known(commit)) {
                return Ok(Some(n));
            }
            before = Some(head.commit);
        }
        Ok(None)
    }
}
