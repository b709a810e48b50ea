//! A weak store: overwriting puts under a lock (W).

use super::Size::{Large, Small};
use super::{Case, base, breaks, holds};
use crate::config::LockPolicy::Always;
use crate::config::{Rule, Store};

const LOST: &str = "when all is quiet every edit is in the head";

pub(super) fn cases() -> Vec<Case> {
    let b = || base().on(Store::Weak).lock(Always).lock_breaks(1).keeps_uploads(false);
    let one = || b().edits(1);
    let unbroken = || b().lock_breaks(0).crashes(1).without(&[Rule::Anchor]);
    vec![
        holds(Small, "weak", b()),
        holds(Small, "weak-lock-holds", unbroken()),
        holds(Small, "weak-late-put", one().lost(1)),
        holds(Small, "weak-crash", one().crashes(1).lost(1)),
        holds(Large, "weak-late-put-edits", b().lost(1)),
        holds(Large, "weak-snapshot", b().checkpoints(1)),
        holds(Large, "weak-snapshot-behind", b().checkpoints(1).behind(1)),
        holds(Large, "weak-3-devices", one().clients(3).lost(1)),
        holds(Large, "weak-gc", one().gcs(1).ages(2)),
        breaks(
            "weak-without-anchor",
            "W4: nobody notices a commit that was overwritten",
            (LOST, 19),
            b().without(&[Rule::Anchor]),
        ),
        breaks(
            "weak-author-destroyed",
            "W5: what no rule prevents on a weak store",
            (LOST, 20),
            one().destroyed(1),
        ),
        breaks(
            "weak-without-P6-as-read",
            "an own commit lands late, and its edit passes for an old copy",
            (LOST, 37),
            b().lost(1).without(&[Rule::HistoryAsRead]),
        ),
        breaks(
            "weak-hole",
            "a known hole: a put that lands two commits late replaces an entry below everybody's \
             anchor; no device here notices, and no new one can read past it",
            (LOST, 37),
            one().documents(2).lost(1),
        ),
    ]
}
