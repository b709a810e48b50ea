//! The binary is killed at random moments while two devices edit and sync; no edit is lost.
//!
//! `DB_TO_CLOUD_KILLS` sets how many kills, `DB_TO_CLOUD_SEED` repeats the choices of a run.

mod edits;
mod random;

use std::env;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use edits::Edits;
use random::Random;

use crate::world::{World, binary};

const DEVICES: [&str; 2] = ["a", "b"];
/// Enough syncs for any number of conflicts to come to rest.
const ROUNDS: usize = 12;
/// A lock that was left behind is broken each so many rounds.
const UNLOCK: u32 = 6;

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[test]
fn no_edit_is_lost_whenever_the_binary_is_killed() {
    let kills = setting("DB_TO_CLOUD_KILLS").unwrap_or(40);
    let seed = setting("DB_TO_CLOUD_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("DB_TO_CLOUD_SEED={seed} DB_TO_CLOUD_KILLS={kills}");
    let mut random = Random::new(seed);
    let world = World::new(&["a", "b", "c"]);
    let mut edits = DEVICES.map(|device| Edits::new(device, &world));
    let mut usual = usual_sync(&world);
    let (began, mut killed, mut rounds) = (Instant::now(), 0, 0);
    while killed < kills {
        rounds += 1;
        if rounds % UNLOCK == 0 {
            unlock(&world);
        }
        for edits in &mut edits {
            (0..random.below(4)).for_each(|_| edits.edit_at_rest(&mut random));
        }
        // One device, the other, or both at once; now and then nobody is killed.
        let syncing = random.below(3);
        let spare = random.below(5) == 0;
        let ends = thread::scope(|scope| {
            let chosen = edits.iter_mut().enumerate().filter(|(i, _)| syncing != *i as u64);
            let syncs: Vec<_> = chosen
                .map(|(_, edits)| {
                    let (mut random, world) = (random.split(), &world);
                    scope.spawn(move || sync_and_kill(world, edits, &mut random, usual, spare))
                })
                .collect();
            syncs.into_iter().map(|sync| sync.join().unwrap()).collect::<Vec<_>>()
        });
        for end in ends {
            match end {
                End::Killed => killed += 1,
                // The machine has other things to do, now more, now less.
                End::Done(after) => usual = (usual * 3 + after) / 4,
            }
        }
    }
    let editing = began.elapsed();
    until_quiet(&world);
    println!("{rounds} rounds in {editing:.1?}, quiet after {:.1?}", began.elapsed() - editing);
    edits::check(&edits, &world);
    world.sync("c");
    assert_eq!(world.tree("c"), world.tree("a"), "a new device gets the same");
}

/// How long a usual sync takes on this machine.
fn usual_sync(world: &World) -> Duration {
    let began = Instant::now();
    world.write("a/first", "first");
    world.sync("a");
    world.sync("b");
    began.elapsed() / 2
}

/// How a sync ended.
enum End {
    Killed,
    Done(Duration),
}

/// Who was killed while it held the lock is known to be gone: nobody waits for its time to be over.
fn unlock(world: &World) {
    assert_eq!(world.run(["unlock", "cloud", "--force"]).code, Some(0));
}

/// Starts a sync, edits meanwhile, and kills it if it lives until the moment chosen.
fn sync_and_kill(
    world: &World,
    edits: &mut Edits<'_>,
    random: &mut Random,
    usual: Duration,
    spare: bool,
) -> End {
    let moment = usual * u32::try_from(random.below(1300)).unwrap() / 1000;
    // One that is spared may find the lock of one that was killed: not every run waits for a minute.
    let moment = if spare { Duration::from_secs(1) } else { moment };
    let began = Instant::now();
    let mut child = start(world, edits.device());
    while began.elapsed() < moment && child.try_wait().unwrap().is_none() {
        if random.below(4) == 0 {
            edits.edit_meanwhile(random);
        }
        thread::sleep(Duration::from_millis(random.below(8)));
    }
    let after = began.elapsed();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.code() {
        None => End::Killed,
        Some(0 | 3) => End::Done(after),
        Some(code) => {
            let told = String::from_utf8_lossy(&output.stderr);
            panic!("{}: exit code {code}: {told}", edits.device());
        }
    }
}

fn start(world: &World, device: &str) -> Child {
    binary()
        .args(["sync", device, "cloud", "--device", device])
        .current_dir(world.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Syncs both until neither has anything to tell the other.
fn until_quiet(world: &World) {
    unlock(world);
    for _ in 0..ROUNDS {
        let reports = DEVICES.map(|device| world.report(device, &["--device", device]));
        let quiet = reports.iter().all(|report| {
            ["pulled", "pushed", "deleted", "deferred"].iter().all(|count| report[count] == 0)
        });
        if quiet {
            assert_eq!(world.tree("a"), world.tree("b"));
            return;
        }
    }
    panic!("the devices do not come to rest");
}
