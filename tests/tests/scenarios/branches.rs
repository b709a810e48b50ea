//! Random histories of a storage that is backed up, restored, emptied and copied, and devices that go on
//! with what they find (rules D3 and D4). Each edit adds a line of its own to a text, and conflicts are
//! merged: whatever happens to the storage, no line is ever lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Conflict, Divergence, Document, ErrorKind, Report, Resolution, Resolver, SyncOptions,
};
use db_to_cloud_tests::{Device, World};

pub(super) const GO_ON: SyncOptions =
    SyncOptions { accept_deletes: true, ..db_to_cloud_tests::options::GO_ON };
/// For a storage that is not known to have anything to do with the one before.
const ANY: SyncOptions = SyncOptions { accept_remote: true, ..GO_ON };

/// Joins the lines of both sides; an edit wins over a delete. While it hesitates, each third conflict is
/// put off.
#[derive(Clone, Default)]
pub(super) struct JoinLines {
    pub(super) hesitates: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

#[async_trait]
impl Resolver for JoinLines {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        if self.asked.fetch_add(1, SeqCst).is_multiple_of(3) && self.hesitates.load(SeqCst) {
            return Ok(Resolution::Defer);
        }
        let sides = [&conflict.local, &conflict.remote];
        let lines: BTreeSet<&[u8]> = sides
            .into_iter()
            .flatten()
            .flat_map(|side| side.bytes.split(|b| *b == b'\n'))
            .collect();
        let text: Vec<&[u8]> = lines.into_iter().collect();
        Ok(Resolution::Merged(Document::of_content(text.join(&b'\n'))))
    }
}

/// Random numbers that are the same in each run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Syncs; says yes to what is asked. Stops at step `stop` on the way if there is one, and syncs again.
pub(super) fn sync(
    device: &mut Device,
    met: &mut BTreeSet<&'static str>,
    stop: Option<u64>,
) -> Report {
    if let Some(step) = stop {
        let options = if step % 2 == 0 { GO_ON } else { SyncOptions::default() };
        device.sync_with_stopping_at(options, step);
    }
    match device.try_sync() {
        Err(e) if e.kind() == ErrorKind::Diverged => {
            let divergence = e.divergence().unwrap();
            met.insert(divergence.code());
            let options = match divergence {
                Divergence::Exchanged => ANY,
                _ => GO_ON,
            };
            match device.try_sync_with(options) {
                // A decision was put off that must be made before the branches can be joined.
                Err(e) if e.divergence() == Some(Divergence::Mixed) => {
                    met.insert("undecided");
                    Report::default()
                }
                report => report.unwrap(),
            }
        }
        Err(e) if e.kind() == ErrorKind::TooManyDeletes => device.try_sync_with(GO_ON).unwrap(),
        report => report.unwrap(),
    }
}

fn play(seed: u64, met: &mut BTreeSet<&'static str>) {
    let mut dice = Dice::new(seed);
    let world = World::new();
    let resolver = JoinLines::default();
    resolver.hesitates.store(true, SeqCst);
    let device = |name| world.device(name).resolving_by(resolver.clone());
    let mut devices = ["alice", "bob", "carol"].map(device);
    let mut backups = vec![world.backup()];
    let mut lines = BTreeSet::new();
    for step in 0..60 {
        let device = &mut devices[dice.below(3) as usize];
        match dice.below(20) {
            0..7 => {
                let id = format!("doc-{}", dice.below(4));
                let line = format!("{seed} {step} {}", device.name);
                let before = device.read(id.as_str()).map_or(String::new(), |text| text + "\n");
                device.edit(id.as_str(), &(before + &line));
                lines.insert((id, line));
            }
            7..17 => {
                let stop = (dice.below(3) == 0).then(|| 1 + dice.below(80));
                drop(sync(device, met, stop));
            }
            17 => backups.push(world.backup()),
            18 if dice.below(3) == 0 => world.cloud.objects().clear(),
            18 => {}
            _ => {
                let backup = dice.below(backups.len() as u64) as usize;
                world.restore(&backups[backup]);
            }
        }
    }
    resolver.hesitates.store(false, SeqCst);
    for _ in 0..4 {
        devices.iter_mut().for_each(|device| drop(sync(device, met, None)));
    }
    let fresh = world.device("fresh");
    fresh.sync();
    for device in &devices {
        assert_eq!(device.all(), fresh.all(), "seed {seed}: {} and a new device", device.name);
    }
    for (id, line) in lines {
        let text = fresh.read(id.as_str()).unwrap_or_default();
        assert!(text.lines().any(|l| l == line), "seed {seed}: {line:?} of {id} is lost");
    }
    world.assert_whole();
}

#[test]
fn d3_no_line_is_lost_whatever_becomes_of_the_storage() {
    let mut met = BTreeSet::new();
    for seed in 1..=400 {
        play(seed, &mut met);
    }
    for code in ["emptied", "rolled-back", "forked", "continued", "exchanged"] {
        assert!(met.contains(code), "{code} was never met: {met:?}");
    }
}
