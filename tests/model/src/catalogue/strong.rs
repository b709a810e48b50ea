//! A strong store: crashes, lost answers, deletes, deferred conflicts, two documents, three devices.

use super::Size::{Large, Small};
use super::{ALL, Case, base, holds};
use crate::config::LockPolicy;
use crate::config::Rule::{DurableAttempt, Intents};

pub(super) fn cases() -> Vec<Case> {
    let one = || base().edits(1);
    let two = || one().documents(2);
    let three = || one().clients(3);
    vec![
        holds(Small, "one-lost", base().lost(1)),
        holds(Small, "one-crash", one().crashes(1).lost(1).answers(ALL)),
        holds(Small, "sends-again", two().lost(1).sends_again()),
        holds(Small, "2-documents", two().crashes(1).lost(1).answers(ALL)),
        holds(Small, "2-documents-delete", two().crashes(1).lost(1).answers(ALL).deletes().eager()),
        holds(Small, "steps", base().crashes(1).in_steps()),
        holds(Large, "steps-lost", base().crashes(2).lost(1).in_steps()),
        holds(Large, "steps-answers", base().crashes(1).in_steps().answers(ALL).deletes()),
        holds(Large, "steps-eager", base().crashes(1).in_steps().eager()),
        holds(Large, "steps-snapshot", base().crashes(1).in_steps().checkpoints(1)),
        holds(Large, "steps-3-devices", three().crashes(1).in_steps()),
        holds(Small, "3-devices", three()),
        holds(Large, "core", base().crashes(1).lost(1).answers(ALL)),
        holds(Large, "two-lost", base().lost(2)),
        holds(Large, "two-crashes", base().crashes(2).lost(1)),
        holds(Large, "delete", base().crashes(1).answers(ALL).deletes()),
        holds(Large, "queued-later", base().crashes(1).queued_later()),
        holds(Large, "eager", base().crashes(1).lost(1).eager()),
        holds(Large, "defer", base().crashes(1).lost(1).deferrals(1).eager()),
        holds(Large, "no-intents", base().crashes(1).lost(1).without(&[Intents])),
        holds(Large, "no-durable-attempt", base().lost(1).without(&[DurableAttempt])),
        holds(Large, "lock-always", base().crashes(1).lock(LockPolicy::Always).lock_breaks(1)),
        holds(Large, "2-documents-edits", base().documents(2).crashes(1)),
        holds(Large, "2-documents-eager", base().documents(2).eager()),
        holds(
            Large,
            "2-documents-later",
            two().crashes(1).lost(1).answers(ALL).deletes().queued_later().eager(),
        ),
        holds(Large, "3-devices-crash", three().crashes(1).lost(1)),
        holds(Large, "3-devices-eager", three().lost(1).answers(ALL).eager()),
        holds(Large, "3-devices-2-documents", two().clients(3)),
    ]
}
