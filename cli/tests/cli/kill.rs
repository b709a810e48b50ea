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
    let longest = longest_sync(&world);
    let mut killed = 0;
    while killed < kills {
        for edits in &mut edits {
            (0..random.below(4)).for_each(|_| edits.edit_at_rest(&mut random));
        }
        // One device, the other, or both at once; now and then nobody is killed.
        let syncing = random.below(3);
        let spare = random.below(5) == 0;
        killed += thread::scope(|scope| {
            let chosen = edits.iter_mut().enumerate().filter(|(i, _)| syncing != *i as u64);
            let syncs: Vec<_> = chosen
                .map(|(_, edits)| {
                    let mut random = random.split();
                    let world = &world;
                    scope.spawn(move || sync_and_kill(world, edits, &mut random, longest, spare))
                })
                .collect();
            syncs.into_iter().map(|sync| u64::from(sync.join().unwrap())).sum::<u64>()
        });
    }
    until_quiet(&world);
    edits::check(&edits, &world);
    world.sync("c");
    assert_eq!(world.tree("c"), world.tree("a"), "a new device gets the same");
}

/// How long a usual sync takes on this machine.
fn longest_sync(world: &World) -> Duration {
    let began = Instant::now();
    world.write("a/first", "first");
    world.sync("a");
    world.sync("b");
    began.elapsed()
}

/// Starts a sync, edits meanwhile, and kills it; says whether it was still alive.
fn sync_and_kill(
    world: &World,
    edits: &mut Edits<'_>,
    random: &mut Random,
    longest: Duration,
    spare: bool,
) -> bool {
    let moment = longest * u32::try_from(random.below(1000)).unwrap() / 1000;
    let began = Instant::now();
    let mut child = start(world, edits.device());
    while began.elapsed() < moment {
        if random.below(3) == 0 {
            edits.edit_meanwhile(random);
        }
        thread::sleep(Duration::from_millis(random.below(8)));
    }
    let alive = child.try_wait().unwrap().is_none();
    if alive && !spare {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        // Killed.
        None => true,
        Some(0 | 3) => false,
        Some(code) => panic!("{}: exit code {code}: {told}", edits.device()),
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
    // The device that held it is gone: nobody waits for its time to be over.
    world.run(["unlock", "cloud", "--force"]);
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
