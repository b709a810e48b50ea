//! Which way to make slots this server keeps its promise with.

use bytes::Bytes;
use db_to_cloud::{Created, Environment, SystemEnvironment};
use futures::future::join_all;

use crate::client::Client;
use crate::dav::Moved;
use crate::error::Failure;
use crate::slots::{self, Slot, Slots, by_move};

const CREATORS: usize = 8;
const ROUNDS: usize = 3;
/// What the names of the creators' own files begin with.
const MARK: &str = "creator-";

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
    let answers = match way {
        Slots::Move => match move_all(client, slot).await? {
            Some(answers) => answers,
            None => return Ok(false),
        },
        _ => join_all((0..CREATORS).map(|i| slots::create(client, way, slot, body(i)))).await,
    };
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
        && slots::create(client, way, slot, body(CREATORS)).await? == Created::Occupied
        && client.get(&slot.entry).await? == stored)
}

/// The race of [`Slots::Move`]; `None` if the server merges collections that are moved to one place, as
/// nephele does: an entry may then be replaced after its writer has read it back.
///
/// All collections are filled before the first is moved: else a busy server comes to the moves one by
/// one, and no two of them meet. Each has a file of its own name. copyparty merges those too, but it
/// replaces no file and says "done" to one alone.
async fn move_all(
    client: &Client,
    slot: &Slot,
) -> Result<Option<Vec<Result<Created, Failure>>>, Failure> {
    let stage = async |i| {
        let temporary = by_move::stage(client, slot, body(i)).await?;
        client.put(&format!("{temporary}{MARK}{i}"), body(i)).await?;
        Ok(temporary)
    };
    let staged: Vec<Result<String, Failure>> = join_all((0..CREATORS).map(stage)).await;
    let rename = async |staged: Result<String, Failure>| {
        client.rename(&staged?, &slot.collection, false).await
    };
    let moved: Vec<Result<Moved, Failure>> = join_all(staged.into_iter().map(rename)).await;
    let done = moved.iter().filter(|moved| matches!(moved, Ok(Moved::Done))).count();
    if done > 1 && marks(client, slot).await? > 1 {
        return Ok(None);
    }
    let settle = async |(i, moved)| by_move::settle(client, slot, body(i), moved?).await;
    Ok(Some(join_all(moved.into_iter().enumerate().map(settle)).await))
}

/// How many creators' own files are in the slot.
async fn marks(client: &Client, slot: &Slot) -> Result<usize, Failure> {
    let members = client.list(&slot.collection).await?.map(|slot| slot.members).unwrap_or_default();
    Ok(members.iter().filter(|member| member.name.starts_with(MARK)).count())
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
