//! Entries that a server has not finished.
//!
//! Some servers (Tomcat) move by copying: they make the new collection, copy the file, delete the old
//! one. Readers may then meet a part of an entry, and a server that is stopped leaves it there. Such a
//! part is recognised by its source, which is deleted only when the copy is whole: a file or collection
//! `tmp-…`, whose name is the digest of the slot and of the bytes. A part without a source is a damaged
//! entry, which other devices may have read: it is returned as it is.

use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::take_over::LOOKS;
use super::{Slot, TEMPORARY};
use crate::client::Client;
use crate::error::Failure;

/// The bytes at the beginning of an entry that no other entry has: its format and its random commit id.
/// A shorter part may be of any entry: it is waited for, and not finished.
const UNIQUE: usize = 64;

/// What a slot holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Nothing,
    /// An entry, or what cannot be recognised as a part of one.
    Entry(Bytes),
    /// The beginning of this entry.
    Part(Bytes),
}

/// Reads a slot. `own` is an entry that this client wants to write there: a part of it needs no source.
pub(crate) async fn read(
    client: &Client,
    slot: &Slot,
    own: Option<&Bytes>,
) -> Result<Content, Failure> {
    let mut pauses = LOOKS.into_iter();
    loop {
        let Some(stored) = client.get(&slot.entry).await? else { return Ok(Content::Nothing) };
        if !may_be_a_part(&stored) {
            return Ok(Content::Entry(stored));
        }
        let whole = match own.filter(|own| is_beginning(&stored, own)) {
            Some(own) => Some(own.clone()),
            None => whole_of(client, slot, &stored).await?,
        };
        match (whole, pauses.next()) {
            (Some(whole), _) if stored.len() >= UNIQUE => return Ok(Content::Part(whole)),
            // Mostly the server is copying right now.
            (Some(_), Some(pause)) => tokio::time::sleep(Duration::from_millis(pause)).await,
            (Some(_), None) => return Ok(Content::Entry(stored)),
            // The copy may have ended meanwhile, and its source is gone.
            (None, _) => {
                let stored = client.get(&slot.entry).await?;
                return Ok(stored.map_or(Content::Nothing, Content::Entry));
            }
        }
    }
}

/// Whether it is worth a look for more: what begins otherwise is no entry, nor a part of one.
pub(crate) fn may_be_a_part(stored: &[u8]) -> bool {
    !is_object(stored) && (stored.is_empty() || stored.starts_with(b"{"))
}

/// Whether it is a whole entry: each is one JSON object, and no part of one is a JSON object.
fn is_object(stored: &[u8]) -> bool {
    stored.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(stored).is_ok()
}

/// Whether these are enough bytes of an entry, but not all, to say that it is the same as the other.
pub(super) fn is_part(stored: &[u8], whole: &[u8]) -> bool {
    stored.len() >= UNIQUE && !is_object(stored) && is_beginning(stored, whole)
}

fn is_beginning(part: &[u8], whole: &[u8]) -> bool {
    part.len() < whole.len() && whole.starts_with(part)
}

/// The source that a part was copied from, if it is there.
async fn whole_of(client: &Client, slot: &Slot, part: &Bytes) -> Result<Option<Bytes>, Failure> {
    let mut paths = Vec::new();
    for folder in [slot.around(), &slot.collection] {
        let listed = client.list(folder).await?;
        let members = listed.map(|folder| folder.members).unwrap_or_default();
        for member in members.iter().filter(|member| member.name.starts_with(TEMPORARY)) {
            let file = if member.is_collection { "/entry.json" } else { "" };
            paths.push(format!("{folder}{}{file}", member.name));
        }
    }
    for path in paths {
        if let Some(whole) = client.get(&path).await?
            && is_beginning(part, &whole)
            && slot.is_source(&path, &whole)
        {
            return Ok(Some(whole));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_entry_is_no_json_object() {
        let entry = format!(r#"{{"format":1,"commit":"{:032x}","changes":[{{}}]}}"#, 7);
        for end in 0..entry.len() {
            assert_eq!(is_part(&entry.as_bytes()[..end], entry.as_bytes()), end >= UNIQUE, "{end}");
        }
        assert!(!is_part(entry.as_bytes(), entry.as_bytes()));
        assert!(!is_part(entry.as_bytes(), format!("{entry}\n").as_bytes()));
    }

    #[test]
    fn a_source_is_named_by_the_slot_and_all_bytes() {
        let slot = |n| Slot::of(&db_to_cloud::Key::change(n)).unwrap();
        let beside = format!("{}entry.json", slot(7).beside(b"whole"));
        assert!(slot(7).is_source(&beside, b"whole"));
        assert!(slot(7).is_source(&slot(7).within(b"whole"), b"whole"));
        assert!(!slot(7).is_source(&beside, b"who"));
        assert!(!slot(8).is_source(&beside, b"whole"));
    }
}
