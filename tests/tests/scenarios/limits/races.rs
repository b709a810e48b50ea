//! Lost races and unclear answers of commits, which `Limits::retries` is not about; and limits that
//! are as large as can be.

use db_to_cloud::{ClientBuilder, LockPolicy};

use super::*;

/// The pauses of a device that never locks and loses twelve races, and when it gave up.
fn pauses(setup: fn(ClientBuilder) -> ClientBuilder) -> Vec<Duration> {
    let (world, alice, bob) = two_devices(1);
    let alice = alice.set_up(setup);
    let (bob, creates) = (Arc::new(bob), Arc::new(Mutex::new(Vec::new())));
    for race in 0..12 {
        let (rival, time, at) = (bob.clone(), world.time.clone(), creates.clone());
        alice.storage.before("create", "changes/", move || {
            at.lock().unwrap().push(time.monotonic());
            rival.edit("bobs", &format!("race {race}"));
            rival.sync();
        });
    }
    alice.edit("note", "alice's");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Locked);
    let mut moments = creates.lock().unwrap().clone();
    moments.push(elapsed(&world));
    assert_eq!(alice.sync().pushed, 1, "nothing is lost");
    moments.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn never_locking(builder: ClientBuilder, retries: usize) -> ClientBuilder {
    builder.with_lock(LockPolicy::Never).with_limits(Limits { retries, ..Limits::default() })
}

#[test]
fn pauses_between_lost_races_grow_with_jitter_whatever_the_number_of_retries() {
    let setups: [fn(ClientBuilder) -> ClientBuilder; 3] =
        [|b| never_locking(b, 0), |b| never_locking(b, 5), |b| never_locking(b, usize::MAX)];
    for setup in setups {
        let pauses = pauses(setup);
        let [first, between @ .., last] = &pauses[..] else { panic!("{pauses:?}") };
        assert_eq!(*first, Duration::ZERO, "the second try comes at once");
        assert_eq!(*last, Duration::ZERO, "who gives up does not wait before");
        assert_eq!(between.len(), 10);
        let mut grown = Duration::from_millis(200);
        for pause in between {
            let (least, most) = (grown - Duration::from_millis(1), 2 * grown);
            assert!((least..=most).contains(pause), "{pause:?} is not about {grown:?}: {pauses:?}");
            grown = (2 * grown).min(20 * SECOND);
        }
        let mut different = between.to_vec();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 10, "each has its own jitter: {pauses:?}");
    }
}

#[test]
fn a_commit_that_does_not_arrive_is_sent_again_whatever_the_number_of_retries() {
    for (lost, arrives) in [(1, true), (5, true), (6, false)] {
        let (world, alice, bob) = two_devices(1);
        let once = |b: ClientBuilder| b.with_limits(Limits { retries: 0, ..Limits::default() });
        let alice = alice.set_up(once);
        alice.edit("note", "alice's");
        (0..lost).for_each(|_| alice.storage.fail("create", "changes/", Fault::Lost));
        assert_eq!(alice.try_sync().is_ok(), arrives, "{lost} were lost");
        let _ = alice.try_sync();
        assert_eq!(world.commits(), 2, "one commit for {lost} losses");
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("alice's"));
    }
}

#[test]
fn the_largest_limits_overflow_nothing() {
    let largest = |b: ClientBuilder| {
        b.with_limits(Limits { request: Duration::MAX, sync: None, retries: usize::MAX })
    };
    let (world, alice, bob) = two_devices(10);
    let (alice, bob) = (alice.set_up(largest), bob.set_up(largest));
    for i in 0..40 {
        alice.edit("large", &format!("{i} {}", "x".repeat(100_000)));
        alice.sync();
        world.time.pass(24 * 3600 * SECOND);
    }
    bob.sync();
    assert_eq!(bob.all(), alice.all());
    alice.edit("large", "small");
    alice.storage.fail("get", "changes/", Fault::Hangs);
    alice.storage.fail("create", "changes/", Fault::Hangs);
    assert_eq!(alice.sync().pushed, 1, "a day is waited for an answer, and no longer");
}
