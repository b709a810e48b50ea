//! Which way to make slots this server keeps its promise with.

use bytes::Bytes;
use db_to_cloud::{Created, Environment, SystemEnvironment};
use futures::future::join_all;

use crate::client::Client;
use crate::error::Failure;
use crate::slots::{self, Slot, Slots};

const CREATORS: usize = 8;
const ROUNDS: usize = 3;

/// The way that the storage names, else the first that wins all races, which it then names. One
/// request for all but the first device.
///
/// # Errors
/// If the server fails otherwise: then nothing is known and nothing is remembered.
pub(crate) async fn choose(client: &Client) -> Result<Slots, Failure> {
    if let Some(known) = remembered(client).await? {
        return Ok(known);
    }
    let mut chosen = Slots::None;
    for candidate in candidates(client.base().path()) {
        if keeps_promise(client, candidate).await? {
            chosen = candidate;
            break;
        }
    }
    tracing::info!(slots = ?chosen, "found how this server makes log slots");
    let marker = format!("{}/", chosen.marker());
    client.make(&marker).await?;
    // Somebody else may have found another way at the same time.
    remembered(client)
        .await?
        .ok_or_else(|| Failure::not_dav("a collection that was made is not there"))
}

/// At Nextcloud and ownCloud a MOVE is no rename of the kernel: the slot may be deleted first. Their
/// MKCOL is one `mkdir`. At all others a MOVE is better, for it brings the entry along.
fn candidates(path: &str) -> [Slots; 3] {
    let is_cloud = ["/remote.php/", "/public.php/"].iter().any(|part| path.contains(part));
    match is_cloud {
        true => [Slots::Mkcol, Slots::Move, Slots::Lock],
        false => [Slots::Move, Slots::Mkcol, Slots::Lock],
    }
}

async fn remembered(client: &Client) -> Result<Option<Slots>, Failure> {
    let members = client.list("").await?.map(|storage| storage.members).unwrap_or_default();
    let markers: Vec<_> = members.iter().filter_map(|m| Slots::of_marker(&m.name)).collect();
    match markers[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Failure::torn()),
    }
}

/// Whether of 8 creators at once exactly one wins, 3 times, and a late one loses.
async fn keeps_promise(client: &Client, way: Slots) -> Result<bool, Failure> {
    for _ in 0..ROUNDS {
        let name = format!("probe/{:032x}", SystemEnvironment::default().random());
        let slot = Slot { entry: format!("{name}/entry.json"), collection: format!("{name}/") };
        let kept = race(client, way, &slot).await;
        client.delete(&slot.collection).await?;
        if !kept? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn race(client: &Client, way: Slots, slot: &Slot) -> Result<bool, Failure> {
    let create = |i| slots::create(client, way, slot, body(i));
    let answers = join_all((0..CREATORS).map(create)).await;
    let (mut winners, mut unclear) = (Vec::new(), None);
    for (i, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(Created::New) => winners.push(i),
            Ok(Created::Occupied) => {}
            // Some servers answer those who lose a race with an error.
            Err(failure) if failure.is_transient() => unclear = Some(failure),
            // Another way may do.
            Err(failure) if failure.has_status(405) || failure.has_status(501) => return Ok(false),
            Err(failure) => return Err(failure),
        }
    }
    if let (true, Some(failure)) = (winners.is_empty(), unclear) {
        // The winner's answer may be the one that was lost.
        return Err(failure);
    }
    let stored = client.get(&slot.entry).await?;
    let sole = matches!(winners[..], [winner] if stored == Some(body(winner)));
    // A winner's bytes must stay.
    Ok(sole
        && create(CREATORS).await? == Created::Occupied
        && client.get(&slot.entry).await? == stored)
}

fn body(creator: usize) -> Bytes {
    Bytes::from(format!("creator {creator}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_are_recognised() {
        assert_eq!(candidates("/remote.php/dav/files/ada/notes/")[0], Slots::Mkcol);
        assert_eq!(candidates("/cloud/remote.php/webdav/")[0], Slots::Mkcol);
        assert_eq!(candidates("/dav/notes/")[0], Slots::Move);
    }
}
