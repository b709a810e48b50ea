//! Which edits of a document a version contains (rule T1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MakerId, Timestamp};

/// What an edit is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub maker: MakerId,
    pub number: u64,
}

impl Stamp {
    /// A number is a time with some random bits: two copies of one client state, which have the same
    /// maker, hardly ever use one number twice.
    pub(crate) fn new(maker: MakerId, now: Timestamp, random: u128) -> Self {
        const BITS: u32 = 12;
        let low = u64::try_from(random % (1 << BITS)).unwrap_or_default();
        Self { maker, number: now.as_millis().saturating_mul(1 << BITS).saturating_add(low) }
    }
}

/// Edits that a version of a document contains: of each maker the newest ones, by number, the newest
/// first.
///
/// A maker is one client state. Each edit of a document has a greater number than the maker's last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<MakerId, Vec<u64>>", into = "BTreeMap<MakerId, Vec<u64>>")]
pub struct Seen(BTreeMap<MakerId, Vec<u64>>);

/// Edits of one maker that are named. Lower numbers count as contained. A copy of a client state that
/// went on by itself is noticed as long as its edits are among those that are named.
const EDITS: usize = 3;
/// Makers that are named. What a version contains of any other maker cannot be proved: a conflict.
const MAKERS: usize = 32;

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// About how many bytes they take in an object.
    pub(crate) fn len(&self) -> usize {
        const MAKER: usize = 16 + 3 + 3 * 17;
        10 + self.0.len() * MAKER
    }

    /// Whether all edits of the other version are in this one.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let has = |ours: &Vec<u64>, edit: &u64| {
            ours.contains(edit) || (ours.len() >= EDITS && ours.last().is_some_and(|o| edit < o))
        };
        other.0.iter().all(|(maker, theirs)| {
            self.0.get(maker).is_some_and(|ours| theirs.iter().all(|edit| has(ours, edit)))
        })
    }

    /// The edits of both.
    pub(crate) fn join(mut self, other: &Self) -> Self {
        for (maker, edits) in &other.0 {
            self.0.entry(*maker).or_default().extend(edits);
        }
        Self::from(self.0)
    }

    /// These edits and another one.
    pub(crate) fn edited(mut self, Stamp { maker, number }: Stamp) -> Self {
        let edits = self.0.entry(maker).or_default();
        let next = edits.first().map_or(0, |last| last.saturating_add(1));
        edits.insert(0, number.max(next));
        Self::from(self.0)
    }
}

impl From<BTreeMap<MakerId, Vec<u64>>> for Seen {
    /// In order and within the bounds, whoever wrote it.
    fn from(mut makers: BTreeMap<MakerId, Vec<u64>>) -> Self {
        for edits in makers.values_mut() {
            edits.sort_unstable_by(|a, b| b.cmp(a));
            edits.dedup();
            edits.truncate(EDITS);
        }
        makers.retain(|_, edits| !edits.is_empty());
        while makers.len() > MAKERS {
            let oldest = makers.iter().min_by_key(|(_, edits)| edits.first());
            let Some(oldest) = oldest.map(|(maker, _)| *maker) else { break };
            makers.remove(&oldest);
        }
        Self(makers)
    }
}

impl From<Seen> for BTreeMap<MakerId, Vec<u64>> {
    fn from(seen: Seen) -> Self {
        seen.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(edits: &[(u64, u64)]) -> Seen {
        edits.iter().fold(Seen::default(), |seen, (maker, at)| {
            seen.edited(Stamp { maker: MakerId::from(*maker), number: *at })
        })
    }

    #[test]
    fn a_version_contains_the_edits_that_it_was_made_upon() {
        let first = seen(&[(1, 10)]);
        let (second, other) = (seen(&[(1, 10), (2, 11)]), seen(&[(1, 10), (3, 12)]));
        assert!(second.contains(&first) && !first.contains(&second));
        assert!(!second.contains(&other) && !other.contains(&second));
        let both = second.clone().join(&other);
        assert!(both.contains(&second) && both.contains(&other));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_number_twice() {
        assert_eq!(seen(&[(1, 50), (1, 20)]), seen(&[(1, 50), (1, 51)]));
    }

    #[test]
    fn edits_long_ago_count_as_contained() {
        let old = seen(&[(1, 10)]);
        let new = seen(&[(1, 10), (1, 20), (1, 30), (1, 40), (1, 50)]);
        assert!(new.contains(&old) && !old.contains(&new));
    }

    /// Two copies of one client state edit by themselves.
    #[test]
    fn the_edit_of_a_copy_of_the_state_is_not_contained() {
        let (ours, theirs) = (seen(&[(1, 10), (1, 20)]), seen(&[(1, 10), (1, 15)]));
        assert!(!ours.contains(&theirs) && !theirs.contains(&ours));
    }

    #[test]
    fn what_another_program_wrote_is_brought_in_order() {
        let text = r#"{"0000000000000001":[10,50,30,30,20],"0000000000000002":[]}"#;
        let read: Seen = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"0000000000000001":[50,30,20]}"#);
        let many = (0..100).map(|maker| (maker, 1000 + maker)).collect::<Vec<_>>();
        assert_eq!(BTreeMap::from(seen(&many)).len(), MAKERS);
    }
}
