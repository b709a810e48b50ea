//! A strong store: crashes, lost answers, deletes, deferred conflicts, two documents, three devices.

use super::Case;
use super::Size::{Large, Small};
use super::holds;
use crate::config::Answer::{KeepLocal, Merge, TakeRemote};
use crate::config::{Answer, Configuration, Faults, LockPolicy};

pub(super) const ALL: &[Answer] = &[Merge, KeepLocal, TakeRemote];

/// So many crashes and lost answers.
pub(super) fn stops(crashes: u8, lost_answers: u8) -> Faults {
    Faults { crashes, lost_answers, ..Faults::default() }
}

/// A storage that loses superseded versions at once.
pub(super) fn eager() -> Configuration {
    Configuration { deletes_old_at_once: true, ..Configuration::new() }
}

pub(super) fn cases() -> Vec<Case> {
    let b = Configuration::new;
    let two = || Configuration { documents: 2, edits: 1, ..b() };
    let three = || Configuration { clients: 3, edits: 1, ..b() };
    let m = |answers| Configuration { answers, ..b() };
    vec![
        holds(Small, "two-lost", "two lost answers", Configuration { faults: stops(0, 2), ..b() }),
        holds(
            Small,
            "two-lost-resend",
            "the same sync reads back and sends again",
            Configuration { faults: stops(0, 1), sends_again: true, edits: 1, documents: 2, ..b() },
        ),
        holds(Large, "core", "all answers to conflicts", Configuration { faults: stops(1, 1), ..m(ALL) }),
        holds(Large, "two-crashes", "", Configuration { faults: stops(2, 1), ..b() }),
        holds(
            Large,
            "delete",
            "users delete, too",
            Configuration { faults: stops(1, 0), deletes: true, ..m(ALL) },
        ),
        holds(
            Large,
            "queued-later",
            "QueueChange some time after the edit",
            Configuration { faults: stops(1, 0), queued_later: true, ..b() },
        ),
        holds(
            Large,
            "eager",
            "superseded versions vanish at once",
            Configuration { faults: stops(1, 1), ..eager() },
        ),
        holds(
            Large,
            "defer",
            "a conflict is deferred",
            Configuration { faults: Faults { deferrals: 1, ..stops(1, 1) }, ..eager() },
        ),
        holds(
            Large,
            "no-intents",
            "a crash between a write and the index is settled as a conflict",
            Configuration {
                faults: stops(1, 1),
                without: &[crate::config::Rule::Intents],
                ..b()
            },
        ),
        holds(
            Large,
            "no-durable-attempt",
            "the attempt is not recorded: only more conflicts",
            Configuration {
                faults: stops(0, 1),
                without: &[crate::config::Rule::DurableAttempt],
                ..b()
            },
        ),
        holds(Small, "3-devices", "three devices", Configuration { faults: stops(0, 1), ..three() }),
        holds(Large, "3-devices-crash", "", Configuration { faults: stops(1, 1), ..three() }),
        holds(
            Large,
            "3-devices-eager",
            "",
            Configuration { faults: stops(0, 1), answers: ALL, deletes_old_at_once: true, ..three() },
        ),
        holds(Small, "2-documents", "", Configuration { faults: stops(0, 0), ..two() }),
        holds(
            Large,
            "2-documents-core",
            "",
            Configuration { faults: stops(1, 1), answers: ALL, ..two() },
        ),
        holds(
            Large,
            "2-documents-crash",
            "",
            Configuration { faults: stops(1, 0), documents: 2, ..b() },
        ),
        holds(Large, "2-documents-eager", "", Configuration { documents: 2, ..eager() }),
        holds(
            Large,
            "2-documents-delete",
            "",
            Configuration {
                faults: stops(1, 1),
                answers: ALL,
                deletes: true,
                queued_later: true,
                edits: 1,
                documents: 2,
                ..eager()
            },
        ),
        holds(
            Large,
            "2-documents-3-devices",
            "",
            Configuration { clients: 3, ..two() },
        ),
        holds(
            Large,
            "lock-always",
            "the lock for each push, broken at any moment",
            Configuration {
                faults: Faults { lock_breaks: 1, ..stops(1, 0) },
                lock: LockPolicy::Always,
                ..b()
            },
        ),
    ]
}
