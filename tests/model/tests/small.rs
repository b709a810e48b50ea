//! The small configurations, searched to exhaustion. A search that ran out of time fails.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use db_to_cloud_model::{Case, Expect, Outcome, Size, Verdict, all, table};

/// Far more than any of them needs on a busy machine.
const TIME: Duration = Duration::from_secs(300);

/// These have the steps in which a client may wait for another, or send again.
const LIVE: &[&str] = &[
    "steps",
    "sends-again",
    "2-documents",
    "restored-crash",
    "restored-attempt",
    "rejoin-2-documents",
    "put-back",
    "dead-snapshot",
    "dead-snapshot-rejoin",
    "reinstalled-2-documents",
    "hint-stubs",
    "webdav-sends-again",
    "webdav-2-documents",
    "lock",
    "lock-2-races",
    "weak",
];

#[test]
fn what_must_hold_holds_in_every_state() {
    let wrong = not(Verdict::Holds, &small(|case| case.expect == Expect::Holds), Case::run);
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn without_its_rule_each_counterexample_is_found_in_the_known_number_of_steps() {
    let wrong = not(Verdict::Found, &small(|case| case.expect != Expect::Holds), Case::run);
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn from_every_state_all_can_become_quiet() {
    let cases = small(|case| LIVE.contains(&case.name));
    assert_eq!(cases.len(), LIVE.len(), "a name that is in no catalogue");
    assert_eq!(not(Verdict::Holds, &cases, Case::run_live), [""; 0]);
}

#[test]
fn uploads_of_a_lost_race_are_used_again_somewhere() {
    use db_to_cloud_model::Sight::UsedAgain;
    let cases = small(|case| case.name == "sends-again");
    assert!(cases[0].run(TIME).seen.contains(&UsedAgain));
}

/// And nothing is lost by it, and all become equal: the two tests above search this one too.
#[test]
fn a_pull_after_an_interrupted_one_may_show_an_older_version_for_a_while() {
    use db_to_cloud_model::Sight::OlderAgain;
    let cases = small(|case| ["steps", "one-crash"].contains(&case.name));
    let is_seen = |case: &Case| case.run(TIME).seen.contains(&OlderAgain);
    assert_eq!(cases.iter().map(is_seen).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_search_that_is_cut_short_is_not_a_pass() {
    let core = all().into_iter().find(|case| case.name == "core").unwrap();
    assert_eq!(core.run(Duration::from_millis(50)).verdict, Verdict::NotExhausted);
    assert_eq!(core.run_live(Duration::from_millis(50)).verdict, Verdict::NotExhausted);
}

#[test]
fn a_counterexample_that_is_not_found_is_not_a_pass() {
    let mut case = small(|case| case.name == "3-devices").remove(0);
    case.expect = Expect::Breaks("the log is one chain", 1);
    let outcome = case.run(TIME);
    assert_eq!(outcome.verdict, Verdict::Wrong("no counterexample".to_owned()));
}

#[test]
fn names_are_given_once() {
    let mut names: Vec<_> = all().iter().map(|case| case.name).collect();
    let given = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), given);
}

#[test]
fn the_table_in_the_readme_is_up_to_date() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(&table()), "put the output of `-- table` into tests/model/README.md");
}

fn small(is_wanted: impl Fn(&Case) -> bool) -> Vec<Case> {
    all().into_iter().filter(|case| case.size == Size::Small && is_wanted(case)).collect()
}

/// Runs them, as many at once as there are processors, and tells which end otherwise.
fn not(
    expected: Verdict,
    cases: &[Case],
    run: impl Fn(&Case, Duration) -> Outcome + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
            let outcome = run(case, TIME);
            if outcome.verdict != expected {
                let steps = outcome.steps.join(" ");
                wrong.push(format!("{}: {} {steps}", case.name, outcome.verdict));
            }
        }
        wrong
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    })
}
