//! Two devices with one state, such as a copied disk: the lock of one is not that of the other (rule L1).

use super::*;

/// Alice was stopped for good while she held the lock. Whether what she sent has arrived varies.
fn stopped_with_the_lock() -> Vec<(World, Device)> {
    let mut stories = Vec::new();
    for step in 1.. {
        let (world, mut alice, _) = two_devices();
        alice.edit("a", "alice's");
        let stopped = alice.sync_stopping_at(step);
        if !stopped {
            assert!(stories.len() > 10, "{}", stories.len());
            return stories;
        }
        if world.object(LOCK).is_some() {
            stories.push((world, alice));
        }
    }
    unreachable!()
}

fn sync_time(world: &World, device: &Device) -> Duration {
    let began = world.time.monotonic();
    device.sync();
    world.time.monotonic() - began
}

#[test]
fn l1_a_copy_of_a_device_waits_for_the_lock_of_the_other() {
    for (world, mut alice) in stopped_with_the_lock() {
        let copy = alice.clone_as(&world, "copy");
        copy.edit("b", "the copy's");
        let before = world.commits();
        let waited = sync_time(&world, &copy);
        assert!(waited >= TTL + MARGIN, "the copy entered after {waited:?}, {before} commits");
        alice.restart();
        assert_all_equal(&world, &[&alice, &copy]);
        assert_eq!(alice.read("a").as_deref(), Some("alice's"));
        assert_eq!(alice.read("b").as_deref(), Some("the copy's"));
    }
}

#[test]
fn l1_the_device_itself_enters_its_own_lock_again_at_once() {
    for (world, alice) in stopped_with_the_lock() {
        alice.edit("b", "also alice's");
        let waited = sync_time(&world, &alice);
        assert!(waited < Duration::from_secs(20), "waited {waited:?}");
        assert_eq!(world.object(LOCK), None);
    }
}

/// Of a state that does not say where it lies, as one of another release.
#[test]
fn l1_a_state_without_a_place_waits_for_its_own_lock() {
    let (world, alice) = stopped_with_the_lock().pop().unwrap();
    let mut record = alice.position();
    record.as_object_mut().unwrap().remove("lock_place").unwrap();
    alice.set_position(&record);
    alice.edit("b", "also alice's");
    assert!(sync_time(&world, &alice) >= TTL + MARGIN);
    assert_all_equal(&world, &[&alice]);
}
