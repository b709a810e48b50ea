//! What two devices go through on every server. Each story is given a function that opens the storage
//! anew, as another device would.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use db_to_cloud::{Adapter, ClientBuilder, Created, Effect, Error, Event, Folder, Key, Limits};

use crate::{Device, Fault, Faults};

/// Opens the storage of the story.
pub type Open<'a> = &'a (dyn Fn() -> Arc<dyn Adapter> + Sync);

/// Documents, a conflict and a delete go both ways; then nothing moves, and that costs two
/// requests: the anchor and the slot after it (rule P3).
pub async fn two_devices_sync(open: Open<'_>) {
    let (alice, bob) = (Device::new("alice", open()), Device::new("bob", open()));
    for i in 0..120 {
        alice.edit(&format!("note {i}"), &format!("text {i}")).await;
    }
    alice.edit("large", &"x".repeat(100_000)).await;
    assert_eq!(alice.sync().await.pushed, 121);
    assert_eq!(bob.sync().await.pulled, 121);

    alice.edit("note 1", "alice's").await;
    bob.edit("note 1", "bob's").await;
    bob.delete("note 2").await;
    for device in [&alice, &bob, &alice] {
        device.sync().await;
    }
    assert_eq!(alice.all(), bob.all());
    let texts: Vec<_> = alice.all().into_values().collect();
    assert!(texts.contains(&"alice's".into()) && texts.contains(&"bob's".into()));
    assert_eq!(alice.read("note 2"), None);

    let idle = alice.sync().await;
    assert_eq!(idle.requests.total(), 2, "{:?}", idle.requests);
}

/// Both commit at once, again and again: every commit finds its slot.
pub async fn two_devices_race(open: Open<'_>) {
    let (alice, bob) = (Device::new("alice", open()), Device::new("bob", open()));
    for round in 0..8 {
        alice.edit(&format!("alice {round}"), "a").await;
        bob.edit(&format!("bob {round}"), "b").await;
        let (a, b) = tokio::join!(alice.try_sync(), bob.try_sync());
        a.and(b).unwrap();
    }
    alice.sync().await;
    bob.sync().await;
    assert_eq!((alice.all().len(), alice.all()), (16, bob.all()));
}

/// A server without an atomic create is found out: a warning, and two devices that sync all the same.
pub async fn a_weak_server_is_found_out(open: Open<'_>) {
    let warned = Arc::new(Mutex::new(0));
    let counts = warned.clone();
    let alice = Device::set_up("alice", open(), |builder| {
        builder.on_progress(move |event| {
            if matches!(event, Event::WeakStorage) {
                *counts.lock().unwrap() += 1;
            }
        })
    });
    let bob = Device::new("bob", open());
    alice.edit("note", "hello").await;
    alice.edit("gone", "soon").await;
    alice.sync().await;
    assert_eq!(*warned.lock().unwrap(), 1);
    bob.sync().await;
    bob.edit("note", "hello yourself").await;
    bob.delete("gone").await;
    bob.sync().await;
    alice.sync().await;
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.read("note").as_deref(), Some("hello yourself"));
    assert_eq!(alice.read("gone"), None);
}

/// Whatever goes wrong with a read or a list: the answer is the truth or an error. The object is in
/// `changes/`; `get` and `list` are the methods of the requests that read and list, and what their
/// addresses hold.
pub async fn an_unclear_read_is_never_a_lie(
    storage: &dyn Adapter,
    faults: &Faults,
    key: &Key,
    get: (&str, &str),
    list: (&str, &str),
) {
    let bytes = storage.get(key).await.unwrap().unwrap();
    for fault in Fault::ALL {
        faults.fail(get.0, get.1, fault);
        match storage.get(key).await {
            Ok(got) => assert_eq!(got.unwrap(), bytes, "{fault:?}"),
            Err(error) => assert!(error.is_transient(), "{fault:?}: {error:?}"),
        }
        faults.fail(get.0, get.1, fault);
        match storage.get_start(key, 10).await {
            Ok(got) => assert_eq!(got.unwrap(), bytes[..bytes.len().min(10)], "{fault:?}"),
            Err(error) => assert!(error.is_transient(), "{fault:?}: {error:?}"),
        }
        faults.fail(list.0, list.1, fault);
        match storage.list(Folder::Changes, None).await {
            Ok(page) => assert_eq!(page.keys, std::slice::from_ref(key), "{fault:?}"),
            Err(error) => assert!(error.is_transient(), "{fault:?}: {error:?}"),
        }
        faults.fail(list.0, list.1, fault);
        match storage.names(Some(Folder::Changes), 10).await {
            Ok(names) => assert_eq!(names, [key.split().unwrap().1], "{fault:?}"),
            Err(error) => assert!(error.is_transient(), "{fault:?}: {error:?}"),
        }
    }
}

/// Whatever goes wrong with the request that decides a slot: the answer is what is there, or an error
/// that does not pretend to know more than it does; and the slot is ours in the end. Slot n is tried with
/// the n-th fault, slots of before `first` being full. Returns what each attempt said.
pub async fn an_unclear_create_is_never_a_lie(
    storage: &dyn Adapter,
    faults: &Faults,
    first: u64,
    deciding: (&str, &str),
) -> Vec<(Fault, Result<Created, Error>)> {
    let mut said = Vec::new();
    for (slot, fault) in (first..).zip(Fault::ALL) {
        let key = Key::change(slot);
        faults.fail(deciding.0, deciding.1, fault);
        let created = storage.create(&key, "mine".into()).await;
        let stored = storage.get(&key).await.unwrap();
        match &created {
            Ok(_) => assert_eq!(stored.unwrap(), "mine", "{fault:?}"),
            Err(error) => {
                assert!(error.is_transient(), "{fault:?}: {error:?}");
                // Refused before it was sent, or nobody knows.
                let nothing = error.effect() == Effect::None;
                assert!(!nothing || stored.is_none(), "{fault:?}: {error:?}");
            }
        }
        // What is late arrives.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let again = storage.create(&key, "mine".into()).await.unwrap();
        let others = storage.create(&key, "theirs".into()).await.unwrap();
        assert_eq!(others, Created::Occupied, "{fault:?}, after {again:?}");
        assert_eq!(storage.get(&key).await.unwrap().unwrap(), "mine", "{fault:?}");
        said.push((fault, created));
    }
    said
}

/// A delete that the server did not do, or said nothing of, is an error; what was to be deleted is
/// there. `request` is that of a delete.
pub async fn an_unclear_delete_is_never_done(
    storage: &dyn Adapter,
    faults: &Faults,
    key: &Key,
    request: (&str, &str),
) {
    for fault in [Fault::Portal, Fault::DropBefore, Fault::FailBefore, Fault::SlowDown] {
        faults.fail(request.0, request.1, fault);
        assert!(storage.delete(key).await.unwrap_err().is_transient(), "{fault:?}");
        assert!(storage.get(key).await.unwrap().is_some());
    }
}

/// How many rounds of edits and syncs there are while requests fail; more, should too few have failed: a
/// storage may need few requests, and a busy machine does little in the time of a round.
const ROUNDS: std::ops::RangeInclusive<u64> = 40..=300;
/// So many requests must fail.
const FAILURES: usize = 12;

/// Two devices edit and sync through a proxy that loses, delays and garbles, and are stopped half way.
/// In the end nothing is lost and both are equal. `open` opens the storage behind the proxy.
pub async fn nothing_is_lost(open: Open<'_>, faults: &Faults, seed: u64) {
    println!("seed {seed}");
    let began = Instant::now();
    let limits = Limits { request: Duration::from_secs(3), retries: 4, ..Limits::default() };
    let setup = |builder: ClientBuilder| builder.with_limits(limits);
    let devices = ["alice", "bob"].map(|name| Device::set_up(name, open(), setup));
    let mut random = Random(seed | 1);
    let mut written = Vec::new();
    let failures = || faults.counts().0.values().sum::<usize>();
    for round in 0..*ROUNDS.end() {
        if round >= *ROUNDS.start() && failures() >= FAILURES {
            break;
        }
        for (i, device) in devices.iter().enumerate() {
            // Documents of one device, so that each edit must be found again.
            let (id, text) = (format!("{i} {}", random.below(12)), format!("round {round}"));
            device.edit(&id, &text).await;
            written.retain(|(other, _)| *other != id);
            written.push((id, text));
        }
        // Both at once, or one; stopped after a while, wherever they are.
        let who = random.below(3) as usize;
        let some = devices.iter().enumerate().filter(|(i, _)| *i != who);
        let syncs = some.map(|(_, device)| {
            let patience = Duration::from_millis(random.below(1500));
            tokio::time::timeout(patience, device.try_sync())
        });
        let _ = futures::future::join_all(syncs.collect::<Vec<_>>()).await;
    }
    faults.heal();
    let (happened, requests) = faults.counts();
    println!("seed {seed}: {requests} requests in {:?}, {happened:?}", began.elapsed());
    assert!(failures() >= FAILURES, "the proxy was idle");
    // What is late arrives.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for device in [&devices[0], &devices[1], &devices[0], &devices[1]] {
        sync_patiently(device, seed).await;
    }
    println!("seed {seed}: at rest after {:?}", began.elapsed());
    let fresh = Device::new("carol", open());
    fresh.sync().await;
    let want = written.into_iter().map(|(id, text)| (id.as_str().into(), text)).collect();
    for device in devices.iter().chain([&fresh]) {
        assert_eq!(device.all(), want, "seed {seed}");
    }
}

/// A device that was stopped half way may keep others from writing for a minute, not for longer.
async fn sync_patiently(device: &Device, seed: u64) {
    let began = Instant::now();
    loop {
        match device.try_sync().await {
            Ok(_) => return,
            Err(error) if error.is_transient() && began.elapsed() < Duration::from_secs(90) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}

/// Xorshift: good enough to vary.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}
