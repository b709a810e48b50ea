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
    let temporary = slot.beside(&bytes);
    client.make(&temporary).await?;
    let staged = client.put(&format!("{temporary}entry.json"), bytes.clone()).await;
    let moved = match staged {
        Ok(()) => client.rename(&temporary, &slot.collection, false).await?,
        // An earlier attempt with these bytes, whose answer was late, may have moved it away.
        Err(failure) if failure.may_lack_collection() => Moved::Refused(failure),
        Err(failure) => return Err(failure),
    };
    let decided = decide(client, slot, &bytes, moved).await?;
    if decided == Created::Occupied {
        // What cannot be cleaned up harms nobody.
        let _ = client.delete(&temporary).await;
    }
    Ok(decided)
}
