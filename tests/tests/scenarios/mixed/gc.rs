//! Rule G1 over a mixed log: a device that knows one branch only deletes nothing of the other one.

use std::time::Duration;

use super::*;

#[test]
fn g1_nothing_is_deleted_by_a_device_that_knows_one_branch_only() {
    let (mut copies, mut devices) = mixed(World::new, (3, 2), true);
    let [one, _] = &copies.worlds;
    let before = one.keys("docs");
    let knows_one: Vec<_> = devices.iter().filter(|device| device.try_sync().is_ok()).collect();
    assert!(!knows_one.is_empty());
    for _ in 0..30 {
        one.time.pass(Duration::from_secs(10 * 86_400));
        knows_one.iter().for_each(|device| drop(device.sync()));
    }
    let left: BTreeSet<_> = one.keys("docs").into_iter().collect();
    assert!(before.iter().all(|key| left.contains(key)));
    copies.come_by(&mut devices, &mut BTreeSet::new());
    assert_complete(&devices[0], (3, 2), true);
}
