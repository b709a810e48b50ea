//! Commands for people who work on db-to-cloud: `cargo xtask <command>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks")]

mod apt;
mod mutants;
mod servers;
mod simulate;
mod targets;

use std::env;
use std::process::{Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "usage: cargo xtask test       format, lints, all tests, documentation
       cargo xtask servers    install the storage servers that tests need
       cargo xtask targets [all | wine]
                              type-check the crates that differ between systems for macOS, Android and
                              Windows; all: every crate, and the tests for Windows under Wine;
                              wine: these only
       cargo xtask bench s3   measure the S3 adapter at a MinIO
       cargo xtask bench webdav
                              measure the WebDAV adapter at an Apache, beside rclone
       cargo xtask bench core measure the core over a storage with simulated latency
       cargo xtask bench folder
                              measure a folder of 50,000 files beside a bare walk and rsync
       cargo xtask bench sqlite
                              measure tables of a SQLite database, synced through a folder
       cargo xtask model [filter] [seconds] [live]
                              search the protocol's model (tests/model), each for so long
       cargo xtask simulate [--seconds N] [--seed S]
                              play runs of the simulator that were never played before, for 10
                              minutes or N seconds; or the run of one seed

An argument after `test` runs only the steps whose name contains it: servers, fmt, clippy, shipped,
bare core, planted, test, mount, doc, targets.";

/// The examples that take long to build.
const EXAMPLES: &str = "--features=db-to-cloud-examples/s3,db-to-cloud-examples/webdav,\
                        db-to-cloud-examples/dropbox,db-to-cloud-examples/google-drive,\
                        db-to-cloud-notes/s3,db-to-cloud-notes/webdav,\
                        db-to-cloud-notes/dropbox,db-to-cloud-notes/google-drive";

/// What `cargo xtask test` runs, in order: a name, the arguments of cargo.
const STEPS: &[(&str, &[&str])] = &[
    ("fmt", &["fmt", "--all", "--check"]),
    (
        "clippy",
        &["clippy", "--workspace", "--all-targets", EXAMPLES, "--locked", "--", "-D", "warnings"],
    ),
    // An application that brings its own clock, timer and randomness.
    (
        "bare core",
        &[
            "clippy",
            "-p",
            "db-to-cloud",
            "--no-default-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    // Rules of the protocol are switched off: see `mutants`.
    (
        "planted clippy",
        &[
            "clippy",
            "-p",
            "db-to-cloud-tests",
            "--test=planted",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    ("planted", &["test", "-p", "db-to-cloud-tests", "--test=planted", "--locked"]),
    ("test", &["test", "--workspace", EXAMPLES, "--locked", "--no-fail-fast"]),
    ("doc", &["doc", "--workspace", "--no-deps", "--locked"]),
];

/// Tests that mount a file system: they run where that is allowed, and it is said where they do not.
const MOUNT: &[(&str, &[&str])] = &[
    (
        "mount",
        &[
            "test",
            "--locked",
            "--package",
            "db-to-cloud-fs",
            "--package",
            "db-to-cloud-folder",
            "--",
            "--ignored",
            "--skip",
            "endless_writer",
            // These are started by another test, and by hand.
            "--skip",
            "unprivileged",
            "--skip",
            "measure",
        ],
    ),
    (
        "mount tables",
        &[
            "test",
            "--locked",
            "--package",
            "db-to-cloud-sqlite",
            "--test",
            "conformance",
            "--",
            "--ignored",
            "on_a_small_disk",
        ],
    ),
    (
        "mount watch",
        &[
            "test",
            "--locked",
            "--package",
            "db-to-cloud-cli",
            "--test",
            "cli",
            "--",
            "--ignored",
            "watching::mounted",
        ],
    ),
    // A file system that ignores case.
    (
        "mount applications",
        &[
            "test",
            "--locked",
            "--package",
            "db-to-cloud-tests",
            "--test",
            "applications",
            "--",
            "--ignored",
        ],
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("test") => test(arguments.get(1).map(String::as_str)),
        Some("servers") => exit_code(servers::install()),
        Some("targets") => match arguments.get(1).map(String::as_str) {
            None => exit_code(targets::few()),
            Some("all") => exit_code(targets::all()),
            Some("wine") => exit_code(targets::wine()),
            Some(_) => usage(),
        },
        Some("bench") => bench(arguments.get(1).map(String::as_str)),
        Some("model") => exit_code(run(&("model", &model(&arguments[1..])))),
        Some("simulate") => simulate::simulate(&arguments[1..]),
        Some("help" | "--help") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn test(only: Option<&str>) -> ExitCode {
    let mut steps = STEPS.to_vec();
    if may_mount() {
        steps.extend(MOUNT);
    } else {
        println!("== not run: the tests that mount a file system (they need root on Linux)");
    }
    let is_wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    steps.retain(|(name, _)| is_wanted(name));
    let mut failed = Vec::new();
    if (is_wanted("servers") || is_wanted("test")) && !servers::install() {
        failed.push("servers");
    }
    if is_wanted("shipped") && !mutants::are_off() {
        failed.push("shipped");
    }
    if is_wanted("targets") && !targets::few() {
        failed.push("targets");
    }
    let passed = |step: &&(&str, &[&str])| match step.0.starts_with("planted") {
        true => run_with(step, &mutants::environment()),
        false => run(step),
    };
    failed.extend(steps.iter().filter(|step| !passed(step)).map(|(name, _)| *name));
    if failed.is_empty() {
        println!("== all passed");
    } else {
        println!("== failed: {}", failed.join(", "));
    }
    exit_code(failed.is_empty())
}

/// Measures in release.
fn bench(what: Option<&str>) -> ExitCode {
    let bench = |package| ["bench", "--locked", "--package", package];
    let at_servers = |package| exit_code(servers::install() && run(&("bench", &bench(package))));
    match what {
        Some("s3") => at_servers("db-to-cloud-s3"),
        Some("webdav") => at_servers("db-to-cloud-webdav"),
        Some(name @ ("core" | "folder" | "sqlite")) => {
            let bench = ["bench", "--locked", "--package", "db-to-cloud-benches", "--bench", name];
            exit_code(run(&("bench", &bench)))
        }
        _ => usage(),
    }
}

/// The arguments of cargo that search the model.
fn model(arguments: &[String]) -> Vec<&str> {
    let search = ["run", "--release", "--locked", "--package", "db-to-cloud-model", "--"];
    search.into_iter().chain(arguments.iter().map(String::as_str)).collect()
}

fn exit_code(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(step: &(&str, &[&str])) -> bool {
    run_with(step, &[])
}

fn run_with((name, arguments): &(&str, &[&str]), environment: &[(&str, String)]) -> bool {
    println!("== {name}: cargo {}", arguments.join(" "));
    let began = Instant::now();
    let mut command = cargo();
    command.args(*arguments).env("RUSTDOCFLAGS", "-D warnings");
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    let passed = match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot start cargo: {error}");
            false
        }
    };
    println!("== {name}: {} in {:.0} s", verdict(passed), began.elapsed().as_secs_f64());
    passed
}

fn cargo() -> Command {
    Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

/// Whether a file system can be mounted here, found out by mounting one.
fn may_mount() -> bool {
    let folder = env::temp_dir().join(format!("xtask-mount-{}", std::process::id()));
    if std::fs::create_dir(&folder).is_err() {
        return false;
    }
    let quietly = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg(&folder);
        command.output().is_ok_and(|output| output.status.success())
    };
    let mounted = quietly("mount", &["-t", "tmpfs", "tmpfs"]);
    if mounted {
        quietly("umount", &[]);
    }
    // What is left behind if this fails is an empty folder.
    let _ = std::fs::remove_dir(&folder);
    mounted
}
