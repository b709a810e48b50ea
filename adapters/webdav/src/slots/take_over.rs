//! What a server or a client left behind in a slot that was claimed: an empty collection, or a part of
//! an entry.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::Created;

use super::unfinished::{self, Content};
use super::{Slot, TURN, by_move, publish};
use crate::client::Client;
use crate::dav::Collection;
use crate::error::Failure;

/// For how long a claim without an entry is respected: as long as the lock of db-to-cloud.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The pauses between looks for the entry of a slot that was just claimed, in milliseconds.
pub(super) const LOOKS: [u64; 7] = [20, 40, 80, 160, 320, 640, 1280];
/// A file whose age is that of an empty claim where the server names no age of collections (Tomcat).
const FOUND_EMPTY: &str = "found-empty";

/// Looks for the entry of a slot that is claimed: mostly its writer is at work right now.
pub(super) async fn wait_for_entry(
    client: &Client,
    slot: &Slot,
    own: &Bytes,
) -> Result<Content, Failure> {
    for pause in LOOKS {
        if let entry @ Content::Entry(_) = unfinished::read(client, slot, Some(own)).await? {
            return Ok(entry);
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    unfinished::read(client, slot, Some(own)).await
}

/// Writes the whole of an entry over a part of it. All who do it write the same bytes, and so does the
/// server if it is still at work.
pub(super) async fn finish(client: &Client, slot: &Slot, whole: &Bytes) -> Result<(), Failure> {
    within_time(client.put(&slot.entry, whole.clone())).await?;
    if client.get(&slot.entry).await.map_err(Failure::after_sending)?.as_ref() != Some(whole) {
        return Err(being_written().after_sending());
    }
    // What cannot be cleaned up harms nobody.
    let _ = client.delete(&slot.beside(whole)).await;
    Ok(())
}

/// Writes a slot of [`Slots::Move`](super::Slots::Move) that was claimed and has no entry. Who may do so
/// is decided by making a slot in it, `turn/`, in the usual way: then all finish what that one holds.
///
/// # Errors
/// While the claim is younger than [`PATIENCE`], by the clock of the server; and if the server fails.
pub(super) async fn take_over(
    client: &Client,
    slot: &Slot,
    claimed: &Collection,
    bytes: Bytes,
) -> Result<Created, Failure> {
    let turn = slot.turn();
    let has_turn = claimed.members.iter().any(|member| member.name == TURN);
    if !has_turn && !has_waited(client, &slot.collection, claimed).await? {
        return Err(being_written());
    }
    // From here on others may finish our bytes.
    let taken = Box::pin(by_move::create(client, &turn, bytes.clone()));
    taken.await.map_err(Failure::after_sending)?;
    let entry = unfinished::read(client, &turn, None).await.map_err(Failure::after_sending)?;
    let Content::Entry(winner) = entry else { return Err(being_written().after_sending()) };
    // Refused if another was faster, which has written the same.
    let _ = within_time(publish(client, slot, winner, false)).await;
    match client.get(&slot.entry).await.map_err(Failure::after_sending)? {
        Some(stored) if stored == bytes => Ok(Created::New),
        Some(_) => Ok(Created::Occupied),
        None => Err(being_written().after_sending()),
    }
}

/// Whether a claim is so old that others may take it over. If the server does not say how old a
/// collection is, the wait begins with the first who finds it empty.
pub(super) async fn has_waited(
    client: &Client,
    path: &str,
    claimed: &Collection,
) -> Result<bool, Failure> {
    let mark = claimed.members.iter().find(|member| member.name == FOUND_EMPTY);
    if let Some(age) = claimed.age.or(mark.and_then(|mark| mark.age)) {
        return Ok(age >= PATIENCE);
    }
    if mark.is_none() {
        client.put(&format!("{path}{FOUND_EMPTY}"), Bytes::new()).await?;
    }
    Ok(false)
}

/// A request that was begun because of what was just seen: it is given up while others still respect it.
async fn within_time<T>(request: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let ended = tokio::time::timeout(PATIENCE / 2, request).await;
    ended.unwrap_or_else(|_| Err(Failure::timed_out(PATIENCE / 2)))
}

pub(super) fn being_written() -> Failure {
    Failure::contended("another client is writing the object")
}
