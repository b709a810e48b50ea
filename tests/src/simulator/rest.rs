//! Edits and faults stop. All sync until nothing moves; then all must be as it should be.

use std::collections::BTreeMap;

use db_to_cloud::{ChangeTracking, DocumentId, Error, ErrorKind, Report, Sizes};

use super::device::{Device, Setup};
use super::plan::DAY;
use super::shared::lock;
use super::world::World;
use super::{Violation, budgets, invariants};

/// Rounds of syncs after which nothing may move any more.
const ROUNDS: u64 = 16;

/// Comes to rest and checks what must hold then.
pub(super) fn come_to_rest(world: &mut World) -> Result<(), Violation> {
    world.shared.note(|| "== edits and faults stop".to_owned());
    lock(&world.shared.weather).faults = 0;
    lock(&world.shared.weather).resting = true;
    // A device that is never run would overrun the time limits of its requests.
    world.weights = [1; 5];
    lock(&world.shared.cloud).heal();
    world.shared.settle_wire();
    world.run_to_the_end()?;
    world.pass(2 * 3_600_000);
    for place in 0..world.devices.len() {
        // Only a comparison finds what was not queued; only maintenance puts a lost document again.
        let device = &mut world.devices[place];
        // What is excluded is compared with the others once it is included (rule C9).
        device.selection.chosen.everything();
        if device.sloppy || !device.setup.maintenance {
            device.setup.maintenance = true;
            world.crash(place);
        }
    }
    until_quiet(world)?;
    // Long enough for garbage to be looked for, and for a lost document to be put again.
    world.pass(8 * DAY);
    until_quiet(world)?;
    check_the_end(world)?;
    budgets::check(world)
}

/// Invariant 7: rounds are bounded, a quiet system writes nothing and makes two reads a sync.
/// Invariant 9: whoever was killed anywhere goes on.
fn until_quiet(world: &mut World) -> Result<(), Violation> {
    for round in 0..ROUNDS {
        // Long enough for the lock of a device that stopped to be broken; later also for the
        // maintenance that mends.
        world.pass(if round < 4 || round % 3 > 0 { 400_000 } else { 8 * DAY });
        let mut quiet = true;
        for place in 0..world.devices.len() {
            if round > 4 {
                world.make_what_is_missing(place);
            }
            world.begin_sync(place);
            // Every other round all sync at once.
            if round % 2 == 1 {
                world.run_to_the_end()?;
            }
        }
        world.run_to_the_end()?;
        for device in &mut world.devices {
            quiet &= match device.ended.take() {
                Some(Ok(report)) => is_quiet(&report),
                Some(Err(error)) if is_consent_asked(&error) => false,
                // The lock is written within 5 s, or not at all: on a slow line the next sync does it.
                Some(Err(error)) if round == 0 && is_of_the_lock(&error) => false,
                ended => {
                    let detail = format!("{}: {ended:?}", device.name);
                    world.shared.violate("whoever was killed goes on (9)", detail);
                    false
                }
            };
        }
        world.check()?;
        if quiet {
            return Ok(());
        }
    }
    let detail = format!("still moving after {ROUNDS} rounds");
    world.shared.violate("rounds are bounded, a quiet system is quiet (7)", detail);
    world.check()
}

fn is_of_the_lock(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Locked | ErrorKind::TimedOut) && error.operation() == "lock"
}

fn is_consent_asked(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Diverged | ErrorKind::TooManyDeletes)
}

/// Nothing moved, nothing was put off, and it took but two reads: of the anchor and of the next slot; before
/// the first commit of slot 1 and of the hint, and a look at what lies there and in each folder of it.
fn is_quiet(report: &Report) -> bool {
    let most = if report.version == 0 { 1 + 4 } else { 0 };
    (report.pulled, report.deleted, report.pushed, report.conflicts) == (0, 0, 0, 0)
        && report.deferred.is_empty()
        && report.requests.get == 2
        && report.requests.total() <= 2 + most
}

fn check_the_end(world: &mut World) -> Result<(), Violation> {
    let fresh = fresh_device(world)?;
    let mut all: Vec<(String, BTreeMap<DocumentId, String>)> =
        world.devices.iter().map(|device| (device.name.clone(), device.texts())).collect();
    all.push((fresh.name.clone(), fresh.texts()));
    invariants::all_devices_end_alike(&world.shared, &all);
    invariants::no_edit_is_lost(&world.shared, &fresh.texts());
    invariants::nothing_comes_back_to_life(&world.shared, &fresh.texts());
    invariants::the_head_is_whole(&world.shared, &lock(&world.shared.cloud));
    world.check()
}

/// A device that has nothing syncs for the first time.
fn fresh_device(world: &mut World) -> Result<Device, Violation> {
    world.join(Setup {
        queueing: ChangeTracking::Scanned,
        probed: false,
        width: 3,
        retries: 3,
        sizes: Sizes::default(),
        maintenance: false,
    });
    let place = world.devices.len() - 1;
    world.begin_sync(place);
    world.run_to_the_end()?;
    let mut fresh = world.devices.remove(place);
    match fresh.ended.take() {
        Some(Ok(report)) => budgets::first_sync(world, &fresh, &report),
        ended => {
            let detail = format!("a fresh device: {ended:?}");
            world.shared.violate("all devices end alike (1)", detail);
        }
    }
    world.check()?;
    Ok(fresh)
}
