//! Invariant 11: what the last syncs of a run cost, against the formulas of the protocol. Requests
//! of maintenance and of the lock are left out: they come on top, now and then.

use db_to_cloud::{Action, Report};

use super::device::Device;
use super::plan::Action::Edit;
use super::plan::Planned;
use super::shared::lock;
use super::world::World;
use super::{Kind, Violation};

/// `3 + Pn + max(T, 1) + (documents larger than the body limit)`. Of the tail the log is read a little past
/// its head.
pub(super) fn first_sync(world: &World, fresh: &Device, report: &Report) {
    if world.shared.kind == Kind::Weak {
        return;
    }
    let cloud = lock(&world.shared.cloud);
    let journal = fresh.take_journal();
    let counted = |prefix: &str| journal.iter().filter(|l| l.starts_with(prefix)).count() as u64;
    let parts = counted("get snapshot/").saturating_sub(1);
    let from = journal.iter().filter_map(|line| {
        let name = line.strip_prefix("get snapshot/")?;
        name.split('.').next()?.parse::<u64>().ok()
    });
    let tail = cloud.last() - from.max().unwrap_or(0);
    let documents = counted("get docs/");
    // Those of the snapshot, and those that the tail replaced.
    let live = cloud.head.values().filter(|change| change.action == Action::Put).count() as u64;
    let replaced = cloud.log.values().rev().take(tail as usize).flat_map(|entry| &entry.changes);
    let replaced = replaced.filter(|change| change.body.is_none()).count() as u64;
    // Without an entry after the snapshot its own last slot is read (rule P13).
    let proof = u64::from(parts > 0 && tail == 0);
    let most = 4 + parts + tail + tail / 4 + proof + documents;
    if report.requests.total() > most || documents > live + replaced {
        let detail = format!("a first sync took {journal:?}, more than {most} requests");
        drop(cloud);
        world.shared.violate("requests stay within the formulas (11)", detail);
    }
}

/// One device edits two documents and pushes them, another pulls them.
pub(super) fn check(world: &mut World) -> Result<(), Violation> {
    if world.shared.kind == Kind::Weak || world.devices.is_empty() {
        return Ok(());
    }
    let edit = |document| Planned { action: Edit { device: 0, document, queued: true }, steps: 9 };
    world.play(&[edit(0), edit(1)])?;
    world.run_to_the_end()?;
    let commits = world.devices[0].setup.sizes.entry_changes;
    push(world, 2_usize.div_ceil(commits) as u64)?;
    if world.devices.len() > 1 {
        pull(world)?;
    }
    Ok(())
}

/// `N + 2 + c⌈N/500⌉`, with this device's number in the place of 500.
fn push(world: &mut World, commits: u64) -> Result<(), Violation> {
    let journal = sync(world, 0)?;
    expect(world, "a push of 2 documents", &journal, 2 + 2 + commits)
}

/// `E + 2 + D₊`.
fn pull(world: &mut World) -> Result<(), Violation> {
    let entries =
        lock(&world.shared.cloud).last() - super::state::place(&world.devices[1].state).version;
    let bodiless = {
        let cloud = lock(&world.shared.cloud);
        let newest = cloud.log.values().rev().take(entries as usize).flat_map(|e| &e.changes);
        newest.filter(|change| change.body.is_none()).count() as u64
    };
    let journal = sync(world, 1)?;
    expect(world, "a pull", &journal, entries + 2 + bodiless)
}

fn sync(world: &mut World, place: usize) -> Result<Vec<String>, Violation> {
    world.begin_sync(place);
    world.run_to_the_end()?;
    let maintenance = ["meta.json", "lock.json", "snapshot/", "list ", "delete ", "probe/"];
    let mut journal = world.devices[place].take_journal();
    let maintained = journal.iter().any(|line| maintenance.iter().any(|m| line.contains(m)));
    if maintained {
        // A checkpoint reads the log too.
        journal.clear();
    }
    Ok(journal)
}

fn expect(world: &World, what: &str, journal: &[String], most: u64) -> Result<(), Violation> {
    if journal.len() as u64 > most {
        let detail = format!("{what} took {journal:?}, more than {most} requests");
        world.shared.violate("requests stay within the formulas (11)", detail);
    }
    world.check()
}
