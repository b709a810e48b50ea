//! Clocks that are wrong, and that jump (lesson 6).

use std::time::Duration;

use db_to_cloud_tests::{Judge, World, settle};

#[test]
fn wrong_clocks_change_nothing() {
    const YEAR: i64 = 365 * 24 * 3600 * 1000;
    let story = |wrong: [i64; 3], jump: i64| {
        let world = World::new();
        let judges = [Judge::merging(), Judge::merging(), Judge::merging()];
        let devices = ["alice", "bob", "carol"].into_iter().zip(&judges);
        let devices: Vec<_> =
            devices.map(|(name, judge)| world.device(name).resolving_by(judge.clone())).collect();
        for round in 0..12_i64 {
            for (i, device) in devices.iter().enumerate() {
                device.time.set_wrong_by(wrong[i] + if round % 2 == 0 { 0 } else { jump });
                device.edit("all", &format!("{}{round}", device.name));
                device.edit(format!("{}s", device.name), &format!("{round}"));
                if round % 3 == 2 {
                    device.delete("all");
                }
                if !(round as usize + i).is_multiple_of(3) {
                    device.sync();
                }
                world.time.pass(Duration::from_secs(3600));
            }
        }
        let [alice, bob, carol] = &devices[..] else { unreachable!("three devices") };
        settle(&[alice, bob, carol]);
        (alice.all(), judges.map(|judge| judge.count()), world.commits())
    };
    let right = story([0, 0, 0], 0);
    assert!(right.1.iter().sum::<usize>() > 0, "there are conflicts in the story");
    assert_eq!(story([-10 * YEAR, 0, YEAR], 0), right);
    assert_eq!(story([YEAR, -10 * YEAR, 0], 0), right);
    assert_eq!(story([0, 0, 0], YEAR), right);
    assert_eq!(story([0, -YEAR, YEAR], -10 * YEAR), right);
}
