//! What happens in one run: operations, and syncs that go well or are disturbed.

use fastrand::Rng;

use crate::application::Application;
use crate::moments::When;

/// One step of a run.
#[derive(Clone, Debug)]
pub(crate) enum Step<Op> {
    /// The application edits.
    Edit { on: usize, op: Op },
    /// A sync that goes well.
    Sync { on: usize },
    /// A sync that stops for good at this moment; then the program starts again.
    Stopped { on: usize, at: When },
    /// A sync one of whose requests fails.
    Failing { on: usize, at: When },
    /// A sync whose future is dropped after so many polls. The program goes on.
    Dropped { on: usize, polls: u32 },
    /// A sync, at a moment of which a device edits.
    During { on: usize, at: When, editor: usize, op: Op },
    /// A sync; before its n-th write of documents the device edits one of them.
    Race { on: usize, n: u64, text: String },
    /// The application of a device gets its next version, unless all must have it at once.
    Upgrade { on: usize },
    /// A sync, at a moment of which the application of a device gets its next version.
    UpgradeDuring { on: usize, at: When, who: usize },
    /// All devices get the next version, while they are alike.
    UpgradeAll,
    /// All devices sync until nothing moves; then everything is compared.
    Rest,
    /// The same, after all have the latest version that one of them has.
    End,
}

/// Who edits between two rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editors {
    /// One device, each time another: nothing may be in conflict, and all devices end as this one.
    One,
    /// All at once.
    All,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Plan<Op> {
    pub(crate) devices: usize,
    pub(crate) editors: Editors,
    pub(crate) steps: Vec<Step<Op>>,
}

impl<Op> Plan<Op> {
    /// The run of this seed.
    pub(crate) fn of_seed<A: Application<Op = Op>>(app: &A, editors: Editors, seed: u64) -> Self {
        // Another run for each application: a number is no seed of theirs all.
        let name = app.name().bytes().fold(0, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b));
        let mut dice = Rng::with_seed(seed ^ name << 32);
        let devices = 2 + usize::from(dice.u8(..4) == 0);
        let mut steps = Vec::new();
        for _ in 0..dice.usize(6..14) {
            steps.push(Step::Edit { on: 0, op: app.any(&mut dice, true) });
        }
        steps.push(Step::Rest);
        let is_all = editors == Editors::All;
        for _ in 0..dice.usize(1..4) {
            let editor = dice.usize(..devices);
            for _ in 0..dice.usize(1..if is_all { 16 } else { 9 }) {
                let editor = if is_all { dice.usize(..devices) } else { editor };
                steps.push(step(app, &mut dice, devices, editor, is_all));
            }
            steps.push(Step::Rest);
        }
        for _ in 0..app.versions() * 2 {
            let place = dice.usize(..=steps.len() - 1);
            let on = dice.usize(..devices);
            let upgrade = match dice.u8(..6) {
                0 | 1 => Step::UpgradeAll,
                2 => {
                    let at = When::Any(1 + dice.u64(..16));
                    Step::UpgradeDuring { on: dice.usize(..devices), at, who: on }
                }
                _ => Step::Upgrade { on },
            };
            steps.insert(place, upgrade);
        }
        steps.push(Step::End);
        Self { devices, editors, steps }
    }

    /// Whether only one device edits between two rests, if that is how it was made.
    pub(crate) fn is_valid(&self) -> bool {
        let mut editor = None;
        self.steps.iter().all(|step| match step {
            Step::Edit { on, .. } | Step::During { editor: on, .. } => {
                self.editors == Editors::All || *editor.get_or_insert(*on) == *on
            }
            Step::Rest | Step::UpgradeAll | Step::End => {
                editor = None;
                true
            }
            _ => true,
        })
    }
}

fn step<A: Application>(
    app: &A,
    dice: &mut Rng,
    devices: usize,
    editor: usize,
    is_all: bool,
) -> Step<A::Op> {
    let on = dice.usize(..devices);
    // Early moments more often: a sync with little to do is over after some ten.
    let bits = dice.u32(1..7);
    let at = match dice.u8(..3) {
        0 => When::Apply(dice.u64(1..4)),
        _ => When::Any(1 + dice.u64(..1 << bits)),
    };
    match dice.u8(..20) {
        0..=8 => Step::Edit { on: editor, op: app.any(dice, false) },
        9..=12 => Step::Sync { on },
        13 | 14 => Step::Stopped { on, at },
        15 => Step::Failing { on, at },
        16 => Step::Dropped { on, polls: dice.u32(1..40) },
        // Often the device that syncs.
        17 if is_all => {
            Step::Race { on, n: dice.u64(1..4), text: format!("race {:08x}", dice.u32(..)) }
        }
        17 | 18 => Step::During { on: editor, at, editor, op: app.any(dice, false) },
        _ => Step::During { on, at, editor, op: app.any(dice, false) },
    }
}
