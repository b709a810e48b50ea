//! [`Slots::Mkcol`](super::Slots::Mkcol): who makes the collection writes the entry.
//!
//! A client that stops between the two leaves a claim without an entry. Others wait for
//! [`PATIENCE`] by the clock of the server, then claim the right to take over in the same way:
//! by making the collection `turn-1` in it, and after another such time `turn-2`. A first client that
//! wakes up later finds the entry there: it never replaces one, and gives up by itself after half of
//! that time.

use std::time::Instant;

use bytes::Bytes;
use db_to_cloud::Created;

use super::take_over::{PATIENCE, being_written, finish, has_waited, wait_for_entry};
use super::unfinished::Content;
use super::{Slot, decide, publish};
use crate::client::Client;
use crate::dav::Collection;
use crate::error::Failure;

const TURN: &str = "turn-";

pub(super) async fn create(client: &Client, slot: &Slot, bytes: Bytes) -> Result<Created, Failure> {
    let began = Instant::now();
    if !client.make(&slot.collection).await?
        && let Some(decided) = claimed(client, slot, &bytes).await?
    {
        return Ok(decided);
    }
    let moved = publish(client, slot, bytes.clone(), false);
    let moved = tokio::time::timeout(PATIENCE / 2 - began.elapsed().min(PATIENCE / 2), moved);
    let moved = moved.await.unwrap_or_else(|_| Err(Failure::timed_out(PATIENCE / 2)));
    decide(client, slot, &bytes, moved.map_err(Failure::after_sending)?).await
}

/// What became of a slot that somebody claimed; `None` if it is ours to write.
async fn claimed(client: &Client, slot: &Slot, bytes: &Bytes) -> Result<Option<Created>, Failure> {
    match wait_for_entry(client, slot, bytes).await? {
        Content::Entry(_) => return Ok(Some(Created::Occupied)),
        Content::Part(whole) => {
            finish(client, slot, &whole).await?;
            return Ok(Some(if whole == bytes { Created::New } else { Created::Occupied }));
        }
        Content::Nothing => {}
    }
    let Some(claimed) = client.list(&slot.collection).await? else {
        return Err(Failure::contended("another client has just deleted the object"));
    };
    let own = slot.within(bytes);
    if claimed.members.iter().any(|member| own.ends_with(&format!("/{}", member.name))) {
        // An earlier attempt of ours with these bytes: only who has the claim writes here.
        return Ok(None);
    }
    let turns = turns(&claimed);
    let (newest, path) = match turns {
        0 => (Some(claimed), slot.collection.clone()),
        n => (client.list(&turn(slot, n)).await?, turn(slot, n)),
    };
    let has_waited = match &newest {
        Some(newest) => has_waited(client, &path, newest).await?,
        None => false,
    };
    match has_waited && client.mkcol(&turn(slot, turns + 1)).await? {
        true => Ok(None),
        false => Err(being_written()),
    }
}

/// How many took over before.
fn turns(claimed: &Collection) -> u32 {
    let number = |name: &str| name.strip_prefix(TURN)?.parse().ok();
    claimed.members.iter().filter_map(|member| number(&member.name)).max().unwrap_or(0)
}

fn turn(slot: &Slot, n: u32) -> String {
    format!("{}{TURN}{n}/", slot.collection)
}
