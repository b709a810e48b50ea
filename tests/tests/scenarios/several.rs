//! Several storages of one database (rules T1, T2, T3 and T4): random edits and syncs, in several arrangements of
//! devices and storages. When the edits stop, all come to rest and have the same; and no text is gone about
//! which nobody was asked.

mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use db_to_cloud::{BoxError, Conflict, Document, ErrorKind, Report, Resolution, Resolver};
use db_to_cloud_tests::{Device, World};

use crate::branches::{Dice, GO_ON};

/// Who decides conflicts, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Local,
    Remote,
    Copies,
    /// This way on one device, that way on another, now so and now so.
    Any,
}

/// Which text is known to whom: each text with those that it replaced, or was preferred to.
type Family = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

#[derive(Clone)]
struct Judge {
    policy: Policy,
    family: Family,
    dice: Arc<Mutex<Dice>>,
    asked: Arc<Mutex<u64>>,
}

fn text(document: Option<&Document>) -> String {
    document.map_or("deleted".to_owned(), |d| String::from_utf8_lossy(&d.bytes).into_owned())
}

#[async_trait]
impl Resolver for Judge {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        *self.asked.lock().unwrap() += 1;
        let (local, remote) = (conflict.local.as_ref(), conflict.remote.as_ref());
        let keeps = match self.policy {
            Policy::Local => true,
            Policy::Remote => false,
            Policy::Any => self.dice.lock().unwrap().below(2) == 0,
            Policy::Copies => match (local, remote) {
                (Some(local), Some(_)) => {
                    let copy = format!("{} ({})", conflict.id, text(Some(local))).into();
                    return Ok(Resolution::KeepBoth { copy });
                }
                (local, _) => local.is_some(),
            },
        };
        let (winner, loser) = if keeps { (local, remote) } else { (remote, local) };
        let mut family = self.family.lock().unwrap();
        family.entry(text(winner)).or_default().insert(text(loser));
        Ok(if keeps { Resolution::KeepLocal } else { Resolution::TakeRemote })
    }
}

/// Devices, and the storages that each of them syncs with.
type Arrangement = &'static [&'static [usize]];

const TWO_WITH_TWO: Arrangement = &[&[0, 1], &[0, 1]];
const RING: Arrangement = &[&[0, 2], &[0, 1], &[1, 2]];
const CHAIN: Arrangement = &[&[0], &[0, 1], &[1]];
const STAR: Arrangement = &[&[0, 1], &[0], &[1], &[0, 1]];
const FOUR_WITH_THREE: Arrangement = &[&[0, 1, 2], &[0, 1, 2], &[0, 1, 2], &[0, 1, 2]];

struct Play {
    arrangement: Arrangement,
    worlds: Vec<World>,
    devices: Vec<Device>,
    family: Family,
    name: String,
}

impl Play {
    fn sync(&mut self, device: usize, storage: usize, stop: Option<u64>) -> Report {
        let (device, world) = (&mut self.devices[device], &self.worlds[storage]);
        device.sync_with(world, &format!("storage {storage}"));
        if let Some(stop) = stop {
            device.sync_with_stopping_at(GO_ON, stop);
        }
        match device.try_sync_with(GO_ON) {
            Err(e) if e.kind() == ErrorKind::TooManyDeletes => panic!("{}: {e}", self.name),
            report => report.unwrap(),
        }
    }

    /// A round of all devices with all their storages; says whether anything moved.
    fn round(&mut self) -> bool {
        let mut moved = false;
        for (device, storages) in self.arrangement.iter().enumerate() {
            for storage in *storages {
                let report = self.sync(device, *storage, None);
                assert_eq!(report.deferred, [], "{}", self.name);
                moved |= report.pulled + report.pushed + report.deleted > 0;
            }
        }
        moved
    }

    fn edit(&mut self, device: usize, id: &str, new: &str) {
        let device = &self.devices[device];
        let before = device.read(id).unwrap_or_else(|| "deleted".to_owned());
        let mut family = self.family.lock().unwrap();
        match new {
            "deleted" if before == new => {}
            "deleted" => device.delete(id),
            new => device.edit(id, new),
        }
        // A document may be deleted more than once: what was deleted is known to be gone.
        family.entry(new.to_owned()).or_default().insert(before);
    }

    /// All texts that the devices have, and those that they replaced.
    fn known(&self) -> BTreeSet<String> {
        let family = self.family.lock().unwrap();
        let mut open: Vec<String> = self.devices[0].all().into_iter().map(|(_, t)| t).collect();
        open.push("deleted".to_owned());
        let mut known = BTreeSet::new();
        while let Some(text) = open.pop() {
            open.extend(family.get(&text).into_iter().flatten().cloned());
            if !known.insert(text.clone()) {
                open.retain(|other| *other != text);
            }
            open.retain(|text| !known.contains(text));
        }
        known
    }
}

fn play(seed: u64, arrangement: Arrangement, policy: Policy, edits: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let storages = 1 + arrangement.iter().flat_map(|storages| *storages).max().unwrap();
    let worlds: Vec<_> = (0..storages).map(|_| World::new()).collect();
    let family = Family::default();
    let asked = Arc::default();
    let chance = Arc::new(Mutex::new(Dice::new(seed + 1)));
    let judge = Judge { policy, family: family.clone(), dice: chance, asked };
    let device = |i| worlds[0].device(&format!("device {i}")).resolving_by(judge.clone());
    let devices: Vec<_> = (0..arrangement.len()).map(device).collect();
    let name = format!("seed {seed}, {policy:?}, {arrangement:?}");
    let mut play = Play { arrangement, worlds, devices, family, name };
    for step in 0..edits {
        let device = dice.below(arrangement.len() as u64) as usize;
        let id = format!("doc-{}", dice.below(2));
        match dice.below(20) {
            0..7 => play.edit(device, &id, &format!("text {step} of {device}")),
            7 => play.edit(device, &id, "deleted"),
            _ => {
                let storages = arrangement[device];
                let storage = storages[dice.below(storages.len() as u64) as usize];
                let stop = (dice.below(4) == 0).then(|| 1 + dice.below(60));
                drop(play.sync(device, storage, stop));
            }
        }
    }
    let rounds =
        (0..12).find(|_| !play.round()).unwrap_or_else(|| panic!("{}: not at rest", play.name));
    let first = play.devices[0].all();
    for device in &play.devices {
        assert_eq!(device.all(), first, "{}: {} and the first device", play.name, device.name);
    }
    let known = play.known();
    let texts: BTreeSet<_> = play.family.lock().unwrap().keys().cloned().collect();
    let lost: Vec<_> = texts.difference(&known).collect();
    assert!(lost.is_empty(), "{}: nobody was asked about {lost:?}, {known:?}", play.name);
    rounds
}

/// `DB_TO_CLOUD_SEVERAL=5000` plays this number of seeds instead.
fn play_all(arrangement: Arrangement) {
    let seeds = std::env::var("DB_TO_CLOUD_SEVERAL").ok().and_then(|seeds| seeds.parse().ok());
    for policy in [Policy::Local, Policy::Remote, Policy::Copies, Policy::Any] {
        let rounds = (1..=seeds.unwrap_or(30))
            .map(|seed| play(seed, arrangement, policy, 24))
            .max()
            .unwrap();
        println!("{arrangement:?}, {policy:?}: at most {rounds} rounds");
    }
}

#[test]
fn t2_two_devices_with_the_same_two_storages_come_to_rest() {
    play_all(TWO_WITH_TWO);
}

#[test]
fn t2_a_ring_of_devices_and_storages_comes_to_rest() {
    play_all(RING);
}

#[test]
fn t2_a_device_between_two_storages_carries_everything() {
    play_all(CHAIN);
    play_all(STAR);
}

#[test]
fn t2_four_devices_with_three_storages_come_to_rest() {
    play_all(FOUR_WITH_THREE);
}
