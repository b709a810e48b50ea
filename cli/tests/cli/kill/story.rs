//! Two devices edit and sync, and most syncs are killed.

use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::edits::{self, Edits};
use super::moments::{Moment, Moments};
use super::random::Random;
use crate::world::World;

const DEVICES: [&str; 2] = ["a", "b"];
/// Enough syncs for any number of conflicts to come to rest.
const ROUNDS: usize = 12;
/// So many syncs that ended by themselves tell how long one takes now.
const REMEMBERED: usize = 9;
/// One that is spared may find the lock of one that was killed: it need not wait for a minute.
const SPARED: Duration = Duration::from_secs(2);

pub(crate) struct Story<'a> {
    world: &'a World,
    edits: [Edits<'a>; 2],
    random: Random,
    /// How long the last syncs took that nobody killed.
    took: Vec<Duration>,
    moments: Moments,
    hard_to_reach: bool,
}

/// How a sync ended.
struct End {
    after: Duration,
    killed: bool,
    moment: Moment,
}

impl<'a> Story<'a> {
    pub(crate) fn begin(world: &'a World, random: Random) -> Self {
        world.write("a/first", "first");
        let edits = DEVICES.map(|device| Edits::new(device, world));
        // A guess, until some were spared.
        let took = vec![Duration::from_millis(200)];
        Self { world, edits, random, took, moments: Moments::default(), hard_to_reach: false }
    }

    /// Syncs may fail, for the storage often does not answer.
    pub(crate) fn hard_to_reach(self) -> Self {
        Self { hard_to_reach: true, ..self }
    }

    pub(crate) fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Until so many syncs were killed.
    pub(crate) fn edit_and_kill(&mut self, kills: u64) {
        let (began, mut killed, mut rounds) = (Instant::now(), 0, 0);
        while killed < kills {
            rounds += 1;
            for edits in &mut self.edits {
                (0..self.random.below(4)).for_each(|_| edits.edit_at_rest(&mut self.random));
            }
            let ends = self.round();
            killed += ends.iter().filter(|end| end.killed).count() as u64;
            if ends.iter().any(|end| end.moment == Moment::Waiting) {
                // Who holds the lock was killed: nobody waits for its time to be over.
                unlock(self.world);
            }
            for end in ends {
                match end.killed {
                    true => self.moments.add(end.moment),
                    false => self.took.push(end.after),
                }
            }
        }
        println!("{killed} kills, {rounds} rounds in {:.1?}", began.elapsed());
    }

    /// One device syncs, the other, or both at once; now and then nobody is killed.
    fn round(&mut self) -> Vec<End> {
        let (idle, spare) = (self.random.below(3), self.random.below(5) == 0);
        let (world, usual, may_fail) = (self.world, self.usual(), self.hard_to_reach);
        thread::scope(|scope| {
            let chosen = self.edits.iter_mut().zip(0..).filter(|(_, i)| idle != *i);
            let syncs: Vec<_> = chosen
                .map(|(edits, _)| {
                    let mut random = self.random.split();
                    let moment = if spare { SPARED } else { moment(&mut random, usual) };
                    scope.spawn(move || sync_and_kill(world, edits, &mut random, moment, may_fail))
                })
                .collect();
            syncs.into_iter().map(|sync| sync.join().unwrap()).collect()
        })
    }

    /// How long a sync takes: the machine has other things to do, now more, now less.
    fn usual(&mut self) -> Duration {
        let old = self.took.len().saturating_sub(REMEMBERED);
        self.took.drain(..old);
        let mut took = self.took.clone();
        took.sort();
        took[took.len() / 2]
    }

    /// Nobody is killed any more: the devices come to rest, and every edit is there.
    pub(crate) fn end(&self) {
        let began = Instant::now();
        self.until_quiet();
        println!("quiet after {:.1?}", began.elapsed());
        edits::check(&self.edits, self.world);
        self.world.sync("c");
        assert_eq!(self.world.tree("c"), self.world.tree("a"), "a new device gets the same");
        unlock(self.world);
    }

    /// Syncs both until neither has anything to tell the other. Whatever lock was left behind, one
    /// that syncs alone needs none and does not wait.
    fn until_quiet(&self) {
        for _ in 0..ROUNDS {
            let reports = DEVICES.map(|device| {
                let sync =
                    ["sync", device, self.world.cloud(), "--device", device, "--json", "--join"];
                let run = self.world.run(sync);
                assert!(!run.stderr.contains("waiting for the lock"), "{run:?}");
                run.report()
            });
            let quiet = reports.iter().all(|report| {
                ["pulled", "pushed", "deleted", "deferred"].iter().all(|count| report[count] == 0)
            });
            if quiet {
                assert_eq!(self.world.tree("a"), self.world.tree("b"));
                return;
            }
        }
        panic!("the devices do not come to rest");
    }
}

/// Any moment of a sync's life; now and then its first milliseconds.
fn moment(random: &mut Random, usual: Duration) -> Duration {
    match random.below(8) {
        0 => Duration::from_micros(random.below(10_000)),
        _ => usual * u32::try_from(random.below(1150)).unwrap() / 1000,
    }
}

/// Starts a sync, edits meanwhile, and kills it if it lives until the moment.
fn sync_and_kill(
    world: &World,
    edits: &mut Edits<'_>,
    random: &mut Random,
    moment: Duration,
    may_fail: bool,
) -> End {
    let began = Instant::now();
    let mut child = start(world, edits.device());
    while began.elapsed() < moment && child.try_wait().unwrap().is_none() {
        if random.below(4) == 0 {
            edits.edit_meanwhile(random);
        }
        let left = moment.saturating_sub(began.elapsed());
        thread::sleep(Duration::from_micros(random.below(8000)).min(left));
    }
    let after = began.elapsed();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    check(&output, &told, may_fail);
    End { after, killed: output.status.code().is_none(), moment: Moment::of(&told) }
}

/// A sync that was not killed went well, or says that it could not reach the storage.
fn check(output: &Output, told: &str, may_fail: bool) {
    assert!(!told.contains("panicked") && !told.contains("warning: this storage"), "{told}");
    match output.status.code() {
        None | Some(0 | 3) => {}
        Some(1) if may_fail && told.contains("nothing is lost: sync again later") => {}
        Some(code) => panic!("exit code {code}: {told}"),
    }
}

fn start(world: &World, device: &str) -> Child {
    let mut command =
        world.command(["sync", device, world.cloud(), "--device", device, "-v", "--join"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn unlock(world: &World) {
    let run = world.run(["unlock", world.cloud(), "--force"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}
