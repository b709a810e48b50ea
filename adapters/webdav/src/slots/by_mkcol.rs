//! [`Slots::Mkcol`](super::Slots::Mkcol): who makes the collection writes the entry.
//!
//! A client that stops between the two leaves a claim without an entry. Others wait for
//! [`PATIENCE`] by the clock of the server, then claim the right to take over in the same way:
//! by making the collection `turn-1` in it, and after another such time `turn-2`. A first client that
//! wakes up later finds the entry there: it never replaces one, and gives up by itself after half of
//! that time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use db_to_cloud::Created;

use super::{Slot, decide, publish};
use crate::client::Client;
use crate::dav::Collection;
use crate::error::Failure;

/// For how long a claim without an entry is respected: as long as the lock of db-to-cloud.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pauses between looks for the entry of a slot that was just claimed, in milliseconds.
const LOOKS: [u64; 7] = [20, 40, 80, 160, 320, 640, 1280];
const TURN: &str = "turn-";

pub(super) async fn create(client: &Client, slot: &Slot, bytes: Bytes) -> Result<Created, Failure> {
    let began = Instant::now();
    if !client.make(&slot.collection).await? && !takes_over(client, slot, &bytes).await? {
        return Ok(Created::Occupied);
    }
    let moved = publish(client, slot, bytes.clone(), false);
    let moved = tokio::time::timeout(PATIENCE / 2 - began.elapsed().min(PATIENCE / 2), moved);
    let moved = moved.await.unwrap_or_else(|_| Err(Failure::timed_out(PATIENCE / 2)));
    decide(client, slot, &bytes, moved.map_err(Failure::after_sending)?).await
}

/// Whether a slot that somebody claimed is ours to write; `false` if it has its entry.
async fn takes_over(client: &Client, slot: &Slot, bytes: &Bytes) -> Result<bool, Failure> {
    // Mostly its writer is between the two right now.
    for pause in LOOKS {
        if client.get(&slot.entry).await?.is_some() {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    let Some(claimed) = client.list(&slot.collection).await? else {
        return Err(Failure::contended("another client has just deleted the object"));
    };
    let own = slot.within(bytes);
    if claimed.members.iter().any(|member| own.ends_with(&format!("/{}", member.name))) {
        // An earlier attempt of ours with these bytes: only who has the claim writes here.
        return Ok(true);
    }
    let turns = turns(&claimed);
    let newest = match turns {
        0 => claimed.age,
        n => client.list(&turn(slot, n)).await?.and_then(|turn| turn.age),
    };
    if newest.is_none_or(|age| age < PATIENCE) {
        return Err(Failure::contended("another client is writing the object"));
    }
    match client.mkcol(&turn(slot, turns + 1)).await? {
        true => Ok(true),
        false => Err(Failure::contended("another client is writing the object")),
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
