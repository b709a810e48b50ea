//! [`Slots::Move`](super::Slots::Move): four requests, three of which only prepare and check.
//!
//! A stop anywhere before the MOVE leaves a collection `tmp-…` that no reader looks at and that the
//! same bytes, sent again, use again; a stop after it is a lost answer.

use bytes::Bytes;
use db_to_cloud::Created;

use super::unfinished::{self, Content};
use super::{Slot, judge, take_over};
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

/// Looks whether the MOVE was the first, and finishes what a server left unfinished that moves by copying.
pub(crate) async fn settle(
    client: &Client,
    slot: &Slot,
    bytes: Bytes,
    moved: Moved,
) -> Result<Created, Failure> {
    let is_moved = matches!(moved, Moved::Done);
    let content = unfinished::read(client, slot, Some(&bytes)).await;
    let decided = match (content.map_err(Failure::after_sending)?, moved) {
        (Content::Entry(stored), moved) => judge(&bytes, moved, Some(stored))?,
        (Content::Nothing, Moved::Refused(why)) => claimed(client, slot, &bytes, why).await?,
        (Content::Nothing, moved) => judge(&bytes, moved, None)?,
        (Content::Part(whole), _) => unfinished(client, slot, &bytes, whole).await?,
    };
    if decided == Created::Occupied || !is_moved {
        // What cannot be cleaned up harms nobody.
        let _ = client.delete(&slot.beside(&bytes)).await;
    }
    Ok(decided)
}

/// The MOVE was refused and there is no entry: the slot was released meanwhile, or it is an empty
/// collection, whose writer is at work or was stopped.
async fn claimed(
    client: &Client,
    slot: &Slot,
    bytes: &Bytes,
    why: Failure,
) -> Result<Created, Failure> {
    let Ok(Some(_)) = client.list(&slot.collection).await else {
        return judge(bytes, Moved::Refused(why), None);
    };
    let effect =
        |failure: Failure| if why.is_unknown() { failure.after_sending() } else { failure };
    match take_over::wait_for_entry(client, slot, bytes).await.map_err(effect)? {
        Content::Entry(stored) => judge(bytes, Moved::Refused(why), Some(stored)),
        Content::Part(whole) => unfinished(client, slot, bytes, whole).await,
        Content::Nothing => match client.list(&slot.collection).await.map_err(effect)? {
            Some(claimed) => {
                let taken = take_over::take_over(client, slot, &claimed, bytes.clone()).await;
                taken.map_err(effect)
            }
            None => judge(bytes, Moved::Refused(why), None),
        },
    }
}

/// There is a part of this entry. Our own is finished at once, another's when its server does not.
async fn unfinished(
    client: &Client,
    slot: &Slot,
    bytes: &Bytes,
    whole: Bytes,
) -> Result<Created, Failure> {
    if whole != bytes
        && let Content::Entry(_) = take_over::wait_for_entry(client, slot, bytes).await?
    {
        return Ok(Created::Occupied);
    }
    take_over::finish(client, slot, &whole).await?;
    Ok(if whole == bytes { Created::New } else { Created::Occupied })
}
