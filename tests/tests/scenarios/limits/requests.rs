//! Time-outs, repetitions, pauses, and what the report counts.

use super::*;

#[test]
fn a_request_without_an_answer_is_given_up_after_its_time_and_repeated() {
    let (world, alice, bob) = two_devices(1);
    bob.edit("doc-0", "bob's");
    bob.sync();
    let began = elapsed(&world);
    alice.storage.fail("get", "changes/2.json", Fault::Hangs);
    assert_eq!(alice.sync().pulled, 1);
    let took = elapsed(&world) - began;
    assert!(took >= 30 * SECOND, "{took:?}");
    assert!(took < 200 * SECOND, "{took:?}");
}

#[test]
fn a_storage_that_never_answers_is_an_error_in_the_end() {
    let (world, alice, _) = two_devices(1);
    alice.storage.fail_for_long("get", "changes/", Fault::Hangs);
    let began = elapsed(&world);
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(elapsed(&world) - began < 3600 * SECOND);
    alice.storage.heal();
    alice.sync();
}

#[test]
fn any_write_whose_answer_never_comes_is_made_once() {
    for (operation, prefix) in [("put", "docs/"), ("create", "changes/"), ("put", "changes/")] {
        let world =
            if operation == "put" && prefix == "changes/" { World::weak() } else { World::new() };
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        alice.edit("note", "text");
        alice.storage.fail(operation, prefix, Fault::Hangs);
        assert_eq!(alice.sync().pushed, 1);
        assert_eq!(world.commits(), 1, "{operation} {prefix}");
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("text"));
        assert_eq!(alice.sync().pushed, 0);
    }
}

#[test]
fn a_large_object_is_given_more_time() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("large", &"x".repeat(60 * 16 * 1024));
    alice.storage.fail("put", "docs/", Fault::Hangs);
    let began = elapsed(&world);
    alice.sync();
    assert!(elapsed(&world) - began >= 90 * SECOND);
}

/// Somebody who never decides.
struct Undecided;

#[async_trait]
impl Resolver for Undecided {
    async fn resolve(&self, _: &Conflict) -> Result<Resolution, BoxError> {
        std::future::pending().await
    }
}

#[test]
fn a_whole_sync_ends_after_its_time_and_the_next_goes_on() {
    let (world, alice, bob) = two_devices(1);
    bob.edit("doc-0", "bob's");
    bob.edit("new", "bob's");
    bob.sync();
    alice.edit("doc-0", "alice's");
    let limited = |b: db_to_cloud::ClientBuilder| {
        b.with_limits(Limits { sync: Some(60 * SECOND), ..Limits::default() })
    };
    let alice = alice.set_up(limited).resolving_by(Undecided);
    let began = elapsed(&world);
    let error = alice.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(elapsed(&world) - began, 60 * SECOND);
    assert_eq!(alice.read("doc-0").as_deref(), Some("alice's"));
    assert_eq!(alice.read("new").as_deref(), Some("bob's"));
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::TimedOut, "it is not busy");
    let alice = alice.set_up(|unlimited| unlimited).resolving_by(LocalWins);
    alice.sync();
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(bob.read("doc-0").as_deref(), Some("alice's"));
}

#[test]
fn five_repetitions_by_default_and_no_more() {
    for (failures, works) in [(1, true), (5, true), (6, false)] {
        let (world, alice, _) = two_devices(1);
        for _ in 0..failures {
            alice.storage.fail("get", "changes/", Fault::Lost);
        }
        let began = elapsed(&world);
        assert_eq!(alice.try_sync().is_ok(), works, "{failures} failures");
        let took = elapsed(&world) - began;
        assert!(took >= Duration::from_millis(200), "a pause comes first");
        assert!(took < 60 * SECOND, "{took:?}");
    }
}

#[test]
fn no_repetitions_if_none_are_wanted() {
    let (_, alice, _) = two_devices(1);
    let once =
        |b: db_to_cloud::ClientBuilder| b.with_limits(Limits { retries: 0, ..Limits::default() });
    let alice = alice.set_up(once);
    alice.storage.journal.take();
    alice.storage.fail("get", "changes/", Fault::Lost);
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Unavailable);
    // The anchor and the slot after it are read at once.
    assert_eq!(alice.storage.journal.take().len(), 2);
}

#[test]
fn what_will_not_pass_is_not_repeated() {
    for kind in [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::Full] {
        let (_, alice, _) = two_devices(1);
        alice.storage.journal.take();
        alice.storage.fail("get", "changes/", Fault::Refused(kind));
        assert_eq!(alice.try_sync().unwrap_err().kind(), kind);
        assert_eq!(alice.storage.journal.take().len(), 2, "{kind:?}");
    }
}

/// The storage asks Alice for a pause of two minutes at this request; from then on every request of
/// hers is checked.
fn throttle(world: &World, alice: &Device, operation: &'static str, prefix: &str) {
    let asked: Arc<Mutex<Option<Duration>>> = Arc::default();
    let (time, at) = (world.time.clone(), asked.clone());
    alice.storage.before(operation, prefix, move || *at.lock().unwrap() = Some(time.monotonic()));
    alice.storage.fail(operation, prefix, Fault::Throttled(120 * SECOND));
    for operation in ["get", "put", "create", "delete", "list"] {
        for _ in 0..30 {
            let (time, asked) = (world.time.clone(), asked.clone());
            alice.storage.before(operation, "", move || {
                if let Some(at) = *asked.lock().unwrap() {
                    let pause = time.monotonic() - at;
                    assert!(
                        pause >= 120 * SECOND,
                        "{operation} came {pause:?} after the request to wait"
                    );
                }
            });
        }
    }
}

#[test]
fn a_pause_that_the_storage_asks_for_is_kept() {
    for (operation, prefix) in
        [("get", "changes/2.json"), ("put", "docs/"), ("create", "changes/"), ("get", "docs/")]
    {
        let (world, alice, bob) = two_devices(1);
        if prefix == "docs/" && operation == "get" {
            bob.edit("bobs", &"x".repeat(5000));
            bob.sync();
        } else {
            alice.edit("note", "text");
        }
        throttle(&world, &alice, operation, prefix);
        let began = elapsed(&world);
        alice.sync();
        assert!(elapsed(&world) - began >= 120 * SECOND, "{operation} {prefix}");
        bob.sync();
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn a_storage_that_keeps_asking_for_pauses_is_an_error_that_names_the_pause() {
    let (_, alice, _) = two_devices(1);
    alice.storage.fail_for_long("get", "changes/", Fault::Throttled(120 * SECOND));
    let error = alice.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.retry_after(), Some(120 * SECOND));
}

#[test]
fn a_storage_that_asks_for_hours_is_not_waited_for() {
    for (operation, prefix) in [("get", "changes/"), ("put", "docs/"), ("create", "changes/")] {
        let (world, alice, bob) = two_devices(1);
        alice.edit("note", "text");
        let hours = 36 * 3600 * SECOND;
        alice.storage.fail(operation, prefix, Fault::Throttled(hours));
        let began = elapsed(&world);
        let error = alice.try_sync().unwrap_err();
        assert_eq!(error.retry_after(), Some(hours), "{operation} {prefix}");
        assert!(elapsed(&world) - began < 60 * SECOND, "{operation} {prefix}");
        alice.sync();
        bob.sync();
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn the_report_counts_every_request_that_was_made() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..40 {
        let device = if i % 3 == 0 { &bob } else { &alice };
        device.edit(format!("doc-{}", i % 7), &"x".repeat(i * 200));
        if i % 5 == 0 {
            device.storage.fail("get", "changes/", Fault::Lost);
            device.storage.fail("put", "docs/", Fault::AnswerLost);
            device.storage.fail("create", "changes/", Fault::AnswerLost);
        }
        if i % 9 == 0 {
            world.time.pass(Duration::from_secs(9 * 24 * 3600));
        }
        device.storage.journal.take();
        let report = device.sync();
        device.storage.heal();
        let journal = device.storage.journal.take();
        let count = |operation: &str| {
            journal.iter().filter(|line| line.split(' ').next() == Some(operation)).count() as u64
        };
        let made = Requests {
            get: count("get"),
            put: count("put"),
            create: count("create"),
            delete: count("delete"),
            list: count("list"),
        };
        assert_eq!(report.requests, made, "sync {i}");
        assert_eq!(report.requests.total(), journal.len() as u64);
    }
}

#[test]
fn the_report_counts_bytes_and_time() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", &"x".repeat(5000));
    let time = world.time.clone();
    alice.storage.before("put", "docs/", move || time.pass(7 * SECOND));
    let report = alice.sync();
    let stored: usize = world.cloud.objects().values().map(|bytes| bytes.len()).sum();
    assert_eq!(report.bytes_up, stored as u64);
    assert!(report.elapsed >= 7 * SECOND && report.elapsed < 9 * SECOND, "{:?}", report.elapsed);
    assert_eq!(bob.sync().bytes_down, stored as u64);
}
