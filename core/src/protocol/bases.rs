//! Which versions a change was made upon (rules P14 and D3), as far as the log that was read names them.

use crate::model::format::Change;
use crate::model::{Action, VersionId};

/// The versions that a change was made upon, the oldest first, if this one came before it in the log.
/// `own` are those that are known of the change alone, `of_earlier` those of the earlier one. What a
/// change did not see is none of them, wherever it stands in the log.
pub(super) fn bases(
    own: Vec<VersionId>,
    earlier: &Change,
    of_earlier: &[VersionId],
) -> Vec<VersionId> {
    let until = match own.first() {
        // Made anew, by a device that knew nothing of the delete any more.
        None if earlier.action == Action::Delete => {
            return of_earlier.iter().copied().chain([earlier.vid]).collect();
        }
        None => return own,
        Some(first) if *first == earlier.vid => of_earlier.len(),
        Some(first) => match of_earlier.iter().position(|vid| vid == first) {
            Some(place) => place,
            None => return own,
        },
    };
    of_earlier.iter().take(until).copied().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentHash, Revision};

    fn made(vid: u128, base: Option<u128>, action: Action) -> (Change, Vec<VersionId>) {
        let base = base.map(VersionId::from);
        let change = Change {
            id: "x".into(),
            rev: Revision::from(1_u64),
            action,
            vid: vid.into(),
            base,
            len: 0,
            hash: ContentHash::of(b""),
            body: None,
            seen: None,
            attr: Default::default(),
            other: Default::default(),
        };
        (change, base.into_iter().collect())
    }

    /// The bases of the last of these versions, each with the version that it was made upon.
    fn of(chain: &[(u128, Option<u128>, Action)]) -> Vec<u128> {
        let mut chain = chain.iter().map(|(vid, base, action)| made(*vid, *base, *action));
        let (mut last, mut found) = chain.next().expect("a version");
        for (change, own) in chain {
            found = bases(own, &last, &found);
            last = change;
        }
        (0..10).filter(|vid| found.contains(&VersionId::from(*vid))).collect()
    }

    #[test]
    fn each_version_is_made_upon_those_that_its_bases_lead_to() {
        let put = Action::Put;
        assert_eq!(of(&[(2, Some(1), put), (3, Some(2), put), (4, Some(3), put)]), [1, 2, 3]);
        assert_eq!(
            of(&[(2, Some(1), put), (3, Some(2), Action::Delete), (4, Some(3), put)]),
            [1, 2, 3]
        );
        assert_eq!(of(&[(2, Some(1), Action::Delete), (3, None, put)]), [1, 2]);
    }

    #[test]
    fn what_a_version_did_not_see_is_no_part_of_it() {
        let put = Action::Put;
        // 3 was made upon 1: 2 was not seen.
        assert_eq!(of(&[(1, Some(0), put), (2, Some(1), put), (3, Some(1), put)]), [0, 1]);
        assert_eq!(of(&[(2, Some(1), put), (3, Some(1), put), (4, Some(3), put)]), [1, 3]);
        assert_eq!(of(&[(2, Some(1), put), (3, None, put)]), [0; 0]);
        assert_eq!(of(&[(2, Some(1), put), (3, Some(7), put)]), [7]);
    }
}
