//! The beginning of an entry, which names its commit: enough to see whether it is the anchor.

use super::{FORMAT, Slot};
use crate::model::{CommitId, Error, Key};

/// The commit of a slot and of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotHead {
    pub commit: CommitId,
    pub prev: Option<CommitId>,
}

/// So much of an entry is read to see its head. A shorter entry is then read whole.
pub(crate) const START: usize = 4096;

impl SlotHead {
    /// Reads a head from the first bytes of a slot. `None` if they are not written as this program
    /// writes them: then the whole slot must be read.
    pub(crate) fn of_start(key: &Key, start: &[u8], whole: bool) -> Result<Option<Self>, Error> {
        if whole {
            return Slot::decode(key, start).map(|slot| Some(Self::of(&slot)));
        }
        Ok(std::str::from_utf8(start.get(..LONGEST).unwrap_or(start)).ok().and_then(Self::parse))
    }

    pub(crate) fn of(slot: &Slot) -> Self {
        Self { commit: slot.commit(), prev: slot.prev() }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(&format!("{{\"format\":{FORMAT},\"commit\":\""))?;
        let (commit, text) = text.split_once("\",\"prev\":")?;
        let prev = match text.strip_prefix("null,") {
            Some(_) => None,
            None => {
                let (prev, _) = text.strip_prefix('"')?.split_once("\",")?;
                Some(CommitId::parse(prev)?)
            }
        };
        Some(Self { commit: CommitId::parse(commit)?, prev })
    }
}

/// The head has no more bytes than this.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::format::{Entry, encode};

    fn entry(prev: Option<CommitId>) -> Vec<u8> {
        let entry = Entry {
            commit: 7.into(),
            prev,
            client: "x".repeat(2 * START),
            time: crate::Timestamp::default(),
            about: None,
            follows: Vec::new(),
            may: Default::default(),
            joined: Default::default(),
            changes: Vec::new(),
        };
        encode(&Key::change(1), &entry).unwrap().to_vec()
    }

    #[test]
    fn the_start_of_an_entry_is_enough() {
        for prev in [None, Some(9.into())] {
            let bytes = entry(prev);
            let head = SlotHead::of_start(&Key::change(1), &bytes[..START], false).unwrap();
            assert_eq!(head, Some(SlotHead { commit: 7.into(), prev }));
        }
    }

    #[test]
    fn what_is_written_in_another_way_is_read_whole() {
        let bytes =
            String::from_utf8(entry(None)).unwrap().replace("{\"format\":1,", "{ \"format\":1,");
        let key = Key::change(1);
        assert_eq!(SlotHead::of_start(&key, &bytes.as_bytes()[..START], false).unwrap(), None);
        let whole = SlotHead::of_start(&key, bytes.as_bytes(), true).unwrap();
        assert_eq!(whole, Some(SlotHead { commit: 7.into(), prev: None }));
        assert!(SlotHead::of_start(&key, b"{\"format\":1", true).is_err());
    }
}
