//! One mix of two copies, in all sizes, and each order in which the devices come by.

use db_to_cloud::{ClientBuilder, Sizes};

use super::*;

const SIZES: [(u64, u64); 6] = [(1, 2), (2, 1), (3, 2), (2, 5), (5, 2), (20, 18)];

fn orders() -> Vec<[usize; 4]> {
    let all = (0..256).map(|n| [n % 4, n / 4 % 4, n / 16 % 4, n / 64]);
    all.filter(|order| (0..4).all(|k| order.contains(&k))).collect()
}

/// Devices in this order.
fn ordered(devices: [Device; 4], order: [usize; 4]) -> Vec<Device> {
    let mut devices = devices.map(Some);
    order.into_iter().map(|k| devices[k].take().unwrap()).collect()
}

#[test]
fn d8_all_devices_end_alike_in_whatever_order_they_come_by() {
    let mut met = BTreeSet::new();
    for order in orders() {
        for (k, size) in SIZES.into_iter().enumerate() {
            let is_large = k % 2 == 0;
            let (mut copies, devices) = mixed(World::new, size, is_large);
            let mut devices = ordered(devices, order);
            copies.come_by(&mut devices, &mut met);
            let fresh = copies.worlds[1].device("fresh");
            fresh.sync();
            assert_complete(&fresh, size, is_large);
            for device in &devices {
                assert_eq!(device.all(), fresh.all(), "{order:?} {size:?} {}", device.name);
            }
            copies.worlds.iter().for_each(World::assert_whole);
        }
    }
    assert!(met.contains("mixed") && met.contains("forked"), "{met:?}");
}

/// A new device that consents keeps both versions, although neither author ever comes back.
#[test]
fn d8_a_new_device_joins_what_two_lost_devices_have_left() {
    for size in [(3, 2), (5, 2)] {
        let (copies, _) = mixed(World::new, size, true);
        let [one, _] = &copies.worlds;
        let fresh = one.device("fresh").resolving_by(JoinLines::default());
        assert_eq!(fresh.try_sync().unwrap_err().divergence(), Some(Divergence::Mixed));
        fresh.try_sync_with(GO_ON).unwrap();
        let both = fresh.read("both").unwrap();
        let (alice, bob) = (format!("alice {}", size.0), format!("bob {}", size.1));
        // Of the longer branch only the end is in the log.
        assert!(both.contains(&alice) || both.contains(&bob), "{both:?}");
        for n in 1..=one.commits() {
            for (id, _) in one.changes(n).iter().filter(|(id, _)| !id.starts_with("gone")) {
                assert!(fresh.read(id.as_str()).is_some(), "{id} of entry {n}");
            }
        }
        let second = one.device("second");
        second.sync();
        assert_eq!(second.all(), fresh.all());
    }
}

/// On each storage: what copies it is seldom known.
#[test]
fn d8_without_consent_nothing_is_written() {
    for new in [World::new, World::weak] {
        let (copies, devices) = mixed(new, (3, 2), false);
        for (device, world) in devices.iter().zip([0, 1, 0, 1]) {
            let world = &copies.worlds[world];
            let (objects, documents) = (world.backup(), device.all());
            if let Err(e) = device.try_sync() {
                assert_eq!(device.all(), documents, "{}: {e}", device.name);
            }
            assert_eq!(world.backup(), objects);
        }
    }
}

/// Bob, who joins the branches, is stopped at each step; what he does then is seen by all.
#[test]
fn d8_a_join_that_stops_anywhere_is_ended_by_the_next_sync() {
    for new in [World::new, World::weak] {
        for stop in 1.. {
            let size = (3, 2);
            let (mut copies, mut devices) = mixed(new, size, stop % 2 == 0);
            let stopped = devices[1].sync_with_stopping_at(GO_ON, stop);
            copies.come_by(&mut devices, &mut BTreeSet::new());
            let fresh = copies.worlds[0].device("fresh");
            fresh.sync();
            assert_complete(&fresh, size, stop % 2 == 0);
            devices.iter().for_each(|d| assert_eq!(d.all(), fresh.all(), "{stop} {}", d.name));
            if !stopped {
                break;
            }
        }
    }
}

/// Whoever stands before the break is led around it, unasked.
#[test]
fn d8_a_device_behind_the_break_follows_the_snapshot_of_another_one() {
    let (mut copies, mut devices) = mixed(World::new, (3, 2), true);
    copies.come_by(&mut devices[..2], &mut BTreeSet::new());
    // Dave has seen the common entry only.
    assert_eq!(devices[3].status().version, 1);
    devices[3].sync();
    assert_eq!(devices[3].all(), devices[0].all());
}

/// The snapshot of one branch counts, and the log passes from one branch to the other before its entry and
/// after it: who begins with that snapshot would meet the same break for ever.
#[test]
fn d8_whichever_consent_is_given_leads_around_a_snapshot_of_one_branch() {
    for options in [GO_ON, db_to_cloud_tests::options::ACCEPT_REMOTE] {
        let mut copies = Copies::new(World::new);
        let early = |builder: ClientBuilder| {
            builder.with_sizes(Sizes { snapshot_entries: 3, part: 250, ..Sizes::default() })
        };
        let devices = copies.devices(&JoinLines::default()).map(|device| device.set_up(early));
        devices[0].edit("both", "start");
        devices[0].sync();
        copies.join();
        devices[1].sync();
        // Bob's third entry, of which he writes a snapshot, is between the entries of Alice.
        for (n, k) in [1, 0, 0, 1, 0].into_iter().enumerate() {
            devices[k].edit(format!("{n}"), "text");
            devices[k].edit("both", &format!("start\n{n} {}", devices[k].name));
            devices[k].sync();
            copies.look();
        }
        copies.join();
        let [one, _] = &copies.worlds;
        assert!(one.keys("snapshot").iter().any(|key| key.to_string().contains("/3.")));
        let fresh = one.device("fresh").resolving_by(JoinLines::default());
        assert_eq!(fresh.try_sync().unwrap_err().divergence(), Some(Divergence::Mixed));
        fresh.try_sync_with(options).unwrap();
        for n in ["1", "3", "4"] {
            assert!(fresh.read(n).is_some(), "{n}");
        }
    }
}
