//! What users, machines and fate do in one run, made from its seed before it begins. Devices and
//! documents are numbers that are taken modulo what there is, so that any part of a plan is a plan.

use super::dice::Dice;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A token is added to a document. `queued`: QueueChange is called for it.
    Edit {
        device: u64,
        document: u64,
        queued: bool,
    },
    Delete {
        device: u64,
        document: u64,
        queued: bool,
    },
    /// An editor opens a document, or saves it as it was opened, with a token more (rule C3).
    Open {
        device: u64,
        document: u64,
    },
    SaveOpened {
        device: u64,
        document: u64,
    },
    /// The user excludes these documents, one a bit, or none.
    Select {
        device: u64,
        excluded: u64,
    },
    /// A sync begins, unless one is under way there.
    Sync {
        device: u64,
    },
    /// The process is killed, wherever it is, and starts again.
    Crash {
        device: u64,
    },
    /// The sync under way is dropped, and the client lives on.
    Cancel {
        device: u64,
    },
    /// From now on so many of a hundred requests go wrong.
    Weather {
        faults: u64,
    },
    /// From now on chance favours these devices so much.
    Favour {
        weights: [u64; 5],
    },
    /// Minutes or hours pass.
    Pass {
        millis: u64,
    },
    /// Days pass. Devices may sleep meanwhile.
    Jump {
        days: u64,
    },
    /// A device's clock is wrong from now on.
    WrongClock {
        device: u64,
        millis: i64,
    },
    ClockJump {
        device: u64,
        millis: i64,
    },
    /// Somebody deletes the lock object, or puts one of a device that is gone, or garbage.
    Meddle {
        how: u64,
    },
    BackUp {
        device: u64,
    },
    /// Documents and state together.
    RollBack {
        device: u64,
    },
    RollBackState {
        device: u64,
    },
    RollBackDocuments {
        device: u64,
    },
    Clone {
        device: u64,
    },
    /// The state is gone, the documents are there.
    Reinstall {
        device: u64,
    },
    Lose {
        device: u64,
    },
    Join,
    BackUpServer,
    RestoreServer {
        part: Restored,
    },
    EmptyServer,
    /// The last entries of the log are gone, as many as this number allows; all else stays.
    CutLog {
        entries: u64,
    },
    Damage {
        object: u64,
        how: u64,
    },
    Heal,
    /// The storage loses a document for good.
    LoseDocument {
        object: u64,
    },
}

/// What a restore of the storage brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restored {
    All,
    /// All but the snapshots and the hint, which stay as they are.
    AllButSnapshots,
    /// Only the snapshots and the hint.
    Snapshots,
}

/// An action, and for how many steps everybody goes on after it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub action: Action,
    pub steps: u64,
}

/// Kinds of disasters; a run has some of them.
const KINDS: u64 = 6;
/// Days in milliseconds.
pub(super) const DAY: u64 = 86_400_000;

pub(super) fn plan(seed: u64) -> Vec<Planned> {
    let mut dice = Dice::new(seed);
    let length = 20 + dice.below(100);
    // One run in four has none at all.
    let kinds = dice.below(1 << KINDS) & dice.below(1 << KINDS);
    let kinds = if dice.percent(25) { 0 } else { kinds };
    let most = dice.one_of(&[5, 15, 60]);
    (0..length)
        .map(|_| Planned { action: action(&mut dice, kinds), steps: dice.below(most) })
        .collect()
}

fn action(dice: &mut Dice, kinds: u64) -> Action {
    let kind = dice.below(KINDS);
    if kinds >> kind & 1 == 1 && dice.percent(25) {
        return disaster(dice, kind);
    }
    let device = dice.below(60);
    let (document, queued) = (dice.below(5), dice.percent(95));
    match dice.below(100) {
        0..28 => Action::Edit { device, document, queued },
        28..31 => Action::Open { device, document },
        31..34 => Action::SaveOpened { device, document },
        34..42 => Action::Delete { device, document, queued },
        42..73 => Action::Sync { device },
        73..75 => Action::Select { device, excluded: dice.below(32) & dice.below(32) },
        75..80 => Action::Crash { device },
        80..82 => Action::Cancel { device },
        82..88 => Action::Weather { faults: dice.one_of(&[0, 0, 2, 8, 25]) },
        88..94 => Action::Favour { weights: [0; 5].map(|_| dice.one_of(&[0, 1, 1, 6])) },
        94..97 => Action::Pass { millis: dice.one_of(&[1_000, 100_000, 7_200_000]) },
        97..99 => Action::Jump { days: dice.one_of(&[2, 8, 17, 31]) },
        _ => Action::Join,
    }
}

fn disaster(dice: &mut Dice, kind: u64) -> Action {
    let device = dice.below(60);
    let year = 365 * DAY as i64;
    match kind {
        0 => match dice.below(6) {
            0 => Action::WrongClock { device, millis: -10 * year },
            1 => Action::WrongClock { device, millis: year },
            2 => Action::ClockJump { device, millis: dice.one_of(&[-60_000, 60_000, -1 << 28]) },
            3 => Action::ClockJump { device, millis: dice.one_of(&[1 << 28, -year]) },
            _ => Action::Meddle { how: dice.below(4) },
        },
        1 => match dice.below(5) {
            0 | 1 => Action::BackUp { device },
            2 => Action::RollBack { device },
            3 => Action::RollBackState { device },
            _ => Action::RollBackDocuments { device },
        },
        2 => dice.one_of(&[
            Action::Clone { device },
            Action::Reinstall { device },
            Action::Lose { device },
            Action::Join,
        ]),
        3 => match dice.below(6) {
            0..3 => Action::BackUpServer,
            3 | 4 => Action::RestoreServer {
                part: dice.one_of(&[
                    Restored::All,
                    Restored::All,
                    Restored::AllButSnapshots,
                    Restored::Snapshots,
                ]),
            },
            _ if dice.percent(30) => Action::CutLog { entries: 1 + dice.below(4) },
            _ => Action::EmptyServer,
        },
        4 => match dice.below(10) {
            0..5 => Action::Damage { object: dice.below(1 << 32), how: dice.below(5) },
            5..8 => Action::Heal,
            _ => Action::LoseDocument { object: dice.below(1 << 32) },
        },
        // Long times, so that garbage is collected.
        _ => Action::Jump { days: dice.one_of(&[8, 8, 17, 31]) },
    }
}
