//! Two copies of one storage that both go on and are then joined by a program that copies files: the newest
//! file of each name wins, so that one log holds entries of two branches (rule D8).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use db_to_cloud::{Divergence, Key};
use db_to_cloud_tests::{Device, World};

use super::branches::{GO_ON, JoinLines, sync};

mod gc;
mod random;
mod stories;

/// Two copies of a storage, and when each of their objects was last seen to change.
struct Copies {
    worlds: [World; 2],
    seen: [BTreeMap<Key, (Bytes, u64)>; 2],
    moment: u64,
}

impl Copies {
    fn new(new: fn() -> World) -> Self {
        let one = new();
        let two = World { time: one.time.clone(), ..new() };
        Self { worlds: [one, two], seen: Default::default(), moment: 0 }
    }

    /// Two devices at each copy.
    fn devices(&self, resolver: &JoinLines) -> [Device; 4] {
        [("alice", 0), ("bob", 1), ("carol", 0), ("dave", 1)]
            .map(|(name, copy)| self.worlds[copy].device(name).resolving_by(resolver.clone()))
    }

    /// All come by until nothing is left to do; after each, the copies are joined.
    fn come_by(&mut self, devices: &mut [Device], met: &mut BTreeSet<&'static str>) {
        self.join();
        for _ in 0..4 {
            for device in &mut *devices {
                drop(sync(device, met, None));
                self.join();
            }
        }
    }

    /// Notes what has changed since.
    fn look(&mut self) {
        self.moment += 1;
        for (world, seen) in self.worlds.iter().zip(&mut self.seen) {
            let there = world.cloud.objects();
            seen.retain(|key, _| there.contains_key(key));
            for (key, bytes) in there.iter() {
                if seen.get(key).is_none_or(|(known, _)| known != bytes) {
                    seen.insert(key.clone(), (bytes.clone(), self.moment));
                }
            }
        }
    }

    /// The newest object of each name is in both copies. A lock is not carried.
    fn join(&mut self) {
        self.look();
        let [mut both, two] = self.seen.clone();
        for (key, there) in two {
            let here = both.get(&key).map_or(0, |(_, moment)| *moment);
            if there.1 > here {
                both.insert(key, there);
            }
        }
        both.remove(&Key::parse("lock.json").unwrap());
        for (world, seen) in self.worlds.iter().zip(&mut self.seen) {
            *world.cloud.objects() =
                both.iter().map(|(key, (bytes, _))| (key.clone(), bytes.clone())).collect();
            seen.clone_from(&both);
        }
    }
}

const LARGE: usize = 9000;

/// The text of a document after this many commits of a device.
fn text(name: &str, n: u64, is_large: bool) -> String {
    (1..=n).map(|n| format!("{name} {n}")).collect::<Vec<_>>().join("\n")
        + &"\nlarge".repeat(if is_large { LARGE / 6 } else { 0 })
}

/// Alice and Carol share one copy, Bob and Dave the other one. From one state on Alice commits `a` times, Bob `b`
/// times: each time a document of their own, and one of both. Then the copies are joined.
fn mixed(new: fn() -> World, (a, b): (u64, u64), is_large: bool) -> (Copies, [Device; 4]) {
    let mut copies = Copies::new(new);
    let devices = copies.devices(&JoinLines::default());
    for id in ["start", "both", "gone of alice", "gone of bob"] {
        devices[0].edit(id, "start");
    }
    devices[0].sync();
    copies.join();
    devices[1..].iter().for_each(|device| drop(device.sync()));
    copies.join();
    for n in 1..=a.max(b) {
        for (device, most) in [(&devices[0], a), (&devices[1], b)] {
            if n <= most {
                device.edit(format!("{} {n}", device.name), &text(&device.name, n, is_large));
                device.edit("both", &("start\n".to_owned() + &text(&device.name, n, is_large)));
                device.delete(format!("gone of {}", device.name));
                device.sync();
                copies.look();
            }
        }
    }
    copies.join();
    (copies, devices)
}

/// Every text of both is there, and what was deleted is not.
#[track_caller]
fn assert_complete(device: &Device, (a, b): (u64, u64), is_large: bool) {
    let both = device.read("both").unwrap();
    for (name, most) in [("alice", a), ("bob", b)] {
        for n in 1..=most {
            let there = device.read(format!("{name} {n}"));
            assert_eq!(there, Some(text(name, n, is_large)), "{}: {name} {n}", device.name);
            assert!(both.contains(&format!("{name} {n}")), "{}: {both:?}", device.name);
        }
        assert_eq!(device.read(format!("gone of {name}")), None, "{}", device.name);
    }
}
