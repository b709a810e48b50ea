//! [`Slots::Move`](super::Slots::Move): four requests, three of which only prepare and check.
//!
//! A stop anywhere before the MOVE leaves a collection `tmp-…` that no reader looks at and that the
//! same bytes, sent again, use again; a stop after it is a lost answer.

use bytes::Bytes;
use db_to_cloud::Created;

use super::{Slot, decide};
use crate::client::Client;
use crate::dav::Moved;
use crate::error::Failure;

pub(super) async fn create(client: &Client, slot: &Slot, bytes: Bytes) -> Result<Created, Failure> {
    let moved = match stage(client, slot, bytes.clone()).await {
        Ok(temporary) => client.rename(&temporary, &slot.collection, false).await?,
        // An earlier attempt with these bytes, whose answer was late, may have moved it away.
        Err(failure) if failure.may_lack_collection() => Moved::Refused(failure),
        Err(failure) => return Err(failure),
    };
    settle(client, slot, bytes, moved).await
}

/// Fills the collection that is to become the slot; its name.
pub(crate) async fn stage(client: &Client, slot: &Slot, bytes: Bytes) -> Result<String, Failure> {
    let temporary = slot.beside(&bytes);
    client.make(&temporary).await?;
    client.put(&format!("{temporary}entry.json"), bytes).await?;
    Ok(temporary)
}

/// Looks whether the MOVE was the first.
pub(crate) async fn settle(
    client: &Client,
    slot: &Slot,
    bytes: Bytes,
    moved: Moved,
) -> Result<Created, Failure> {
    let decided = decide(client, slot, &bytes, moved).await?;
    if decided == Created::Occupied {
        // What cannot be cleaned up harms nobody.
        let _ = client.delete(&slot.beside(&bytes)).await;
    }
    Ok(decided)
}
