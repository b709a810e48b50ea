//! [`Slots::Lock`](super::Slots::Lock): a lock of WebDAV on the entry, a look, a write with the
//! lock's token, which the server refuses once the lock has ended.
//!
//! An empty entry is the place that some servers make for a lock, not an entry.

use bytes::Bytes;
use db_to_cloud::Created;

use super::unfinished::is_part;
use super::{Slot, decide};
use crate::client::Client;
use crate::dav::{LockToken, Moved};
use crate::error::Failure;

pub(super) async fn create(client: &Client, slot: &Slot, bytes: Bytes) -> Result<Created, Failure> {
    client.make(&slot.collection).await?;
    let Some(token) = client.lock(&slot.entry).await? else {
        return Err(Failure::contended("another client has locked the object"));
    };
    let created = under_lock(client, slot, bytes, &token).await;
    // The lock ends by itself in a minute.
    let _ = client.unlock(&slot.entry, &token).await;
    created
}

async fn under_lock(
    client: &Client,
    slot: &Slot,
    bytes: Bytes,
    token: &LockToken,
) -> Result<Created, Failure> {
    // A part of our own bytes is left by an earlier attempt with them.
    let is_ours = |entry: &Bytes| is_part(entry, &bytes);
    if client.get(&slot.entry).await?.is_some_and(|entry| !entry.is_empty() && !is_ours(&entry)) {
        return Ok(Created::Occupied);
    }
    match client.put_locked(&slot.entry, bytes.clone(), token).await {
        Err(failure) if failure.is_unknown() => Err(failure),
        Err(failure) => decide(client, slot, &bytes, Moved::Refused(failure)).await,
        Ok(()) => decide(client, slot, &bytes, Moved::Done).await,
    }
}
