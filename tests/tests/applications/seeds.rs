//! Which runs are played, and what is printed of those that fail.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::application::Application;
use crate::plan::{Editors, Plan};
use crate::play::{Played, play};
use crate::shrink::shrink;

/// Where the devices of a run live: their folders, and that of the storage, gone in the end.
pub(crate) struct Homes {
    folder: tempfile::TempDir,
    /// A folder for device 1, where that is another file system.
    elsewhere: Option<tempfile::TempDir>,
}

impl Homes {
    pub(crate) fn new(elsewhere: Option<&PathBuf>) -> Self {
        let elsewhere = elsewhere.map(|path| tempfile::tempdir_in(path).unwrap());
        // In memory where that is possible: these tests do not cut the power, and need not wait for it.
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
        Self { folder: folder.unwrap(), elsewhere }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let own = |i: usize| self.folder.path().join(format!("device-{i}"));
        let elsewhere = |i: usize| self.elsewhere.as_ref().filter(|_| i == 1);
        let home = |i| elsewhere(i).map_or_else(|| own(i), |folder| folder.path().join("home"));
        (0..3).map(home).collect()
    }
}

/// The application, the seed, what went wrong, and the shortest run where it does.
type Failure = (String, u64, String, Option<String>);

/// Plays runs of this application: those of the fixed seeds from `first` on, as many as
/// `DB_TO_CLOUD_RUNS` says (a number, or seconds as `600s`), from `DB_TO_CLOUD_FROM` on, or the one
/// of `DB_TO_CLOUD_SEED`. All are played, then the test fails if one did.
pub(crate) fn play_all<A: Application>(
    apps: &[A],
    editors: Editors,
    runs: u64,
    elsewhere: Option<&PathBuf>,
) {
    play_each(|_| apps.to_vec(), editors, runs, elsewhere);
}

/// The same with other applications for each seed.
pub(crate) fn play_each<A: Application>(
    apps: impl Fn(u64) -> Vec<A>,
    editors: Editors,
    runs: u64,
    elsewhere: Option<&PathBuf>,
) {
    let (seeds, deadline) = seeds(runs);
    let mut failures: Vec<Failure> = Vec::new();
    let mut played = Played::default();
    'all: for seed in seeds {
        for app in &apps(seed) {
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                break 'all;
            }
            let plan = Plan::of_seed(app, editors, seed);
            if let Some(error) = outcome(app, &plan, elsewhere, &mut played) {
                let is_first = !failures.iter().any(|(name, ..)| *name == app.name());
                println!("{}, DB_TO_CLOUD_SEED={seed}: {error}", app.name());
                let shown = is_first.then(|| shown(app, plan, &error, elsewhere));
                failures.push((app.name(), seed, error, shown));
            }
        }
    }
    println!("{played:?}, {} failed", failures.len());
    assert!(failures.is_empty(), "{}", summary(&failures));
}

/// Whether one of so many runs fails with a broken application, and not with the right one.
pub(crate) fn is_caught<A: Application, B: Application<Op = A::Op>>(
    broken: &B,
    right: &A,
    editors: Editors,
    runs: u64,
) -> bool {
    let is_caught = |seed| {
        let plan = Plan::of_seed(right, editors, seed);
        outcome(broken, &plan, None, &mut Played::default()).is_some()
            && outcome(right, &plan, None, &mut Played::default()).is_none()
    };
    (1..=runs).any(is_caught)
}

fn seeds(runs: u64) -> (std::ops::Range<u64>, Option<Instant>) {
    let number = |name| env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    if let Some(seed) = number("DB_TO_CLOUD_SEED") {
        return (seed..seed + 1, None);
    }
    let from = number("DB_TO_CLOUD_FROM").unwrap_or(1);
    match env::var("DB_TO_CLOUD_RUNS") {
        Ok(text) => match text.strip_suffix('s') {
            Some(seconds) => {
                let time = Duration::from_secs(seconds.parse().unwrap());
                (from..u64::MAX, Some(Instant::now() + time))
            }
            None => (from..from + text.parse::<u64>().unwrap(), None),
        },
        Err(_) => (from..from + runs, None),
    }
}

/// What went wrong.
fn outcome<A: Application>(
    app: &A,
    plan: &Plan<A::Op>,
    elsewhere: Option<&PathBuf>,
    played: &mut Played,
) -> Option<String> {
    let homes = Homes::new(elsewhere);
    let cloud = homes.folder.path().join("cloud");
    std::fs::create_dir(&cloud).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Box::pin(play(app, plan, &homes.paths(), &cloud, played))).err()
}

/// The shortest run that fails.
fn shown<A: Application>(
    app: &A,
    plan: Plan<A::Op>,
    error: &str,
    elsewhere: Option<&PathBuf>,
) -> String {
    let fails = |plan: &Plan<A::Op>| outcome(app, plan, elsewhere, &mut Played::default());
    let (plan, error) = shrink(plan, error.to_owned(), fails);
    // Once more: of the last one the application has what happened.
    let error = fails(&plan).unwrap_or(error);
    let mut text = format!("{} devices; {error}\n", plan.devices);
    for (i, step) in plan.steps.iter().enumerate() {
        writeln!(text, "    {}. {step:?}", i + 1).unwrap();
    }
    for line in app.story() {
        writeln!(text, "    {line}").unwrap();
    }
    text
}

fn summary(failures: &[Failure]) -> String {
    let mut text = format!("{} runs failed:\n", failures.len());
    for (name, seed, error, shown) in failures {
        let short: String = error.chars().take(300).collect();
        writeln!(text, "{name}, DB_TO_CLOUD_SEED={seed}: {short}").unwrap();
        if let Some(shown) = shown {
            writeln!(text, "  the shortest that fails: {shown}").unwrap();
        }
    }
    text
}
