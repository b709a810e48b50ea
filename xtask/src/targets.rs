//! `cargo xtask targets`: the other systems that people use. Their code is type-checked, and that for Windows is also run
//! under Wine.
//!
//! The project's own toolchain has no standard library for them. That of Debian comes with the source of one, which is
//! built along.

mod tools;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const TARGETS: [&str; 4] =
    ["aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-linux-android", WINDOWS];

/// The crates whose code differs between systems, and that take little time.
const FEW: [&str; 4] =
    ["db-to-cloud", "db-to-cloud-fs", "db-to-cloud-folder", "db-to-cloud-sqlite"];
/// The command line needs all adapters, and with them a hundred other crates.
const ALL: [&str; 1] = ["db-to-cloud-cli"];

/// The tests that are run under Wine.
const UNDER_WINE: [(&str, &[&str]); 3] = [
    ("db-to-cloud-fs", &["--lib", "--test=conformance", "--test=crash"]),
    ("db-to-cloud-folder", &["--lib", "--tests"]),
    ("db-to-cloud-sqlite", &["--test=conformance"]),
];

/// Checks the crates whose code differs between systems for one system of each kind.
pub(crate) fn few() -> bool {
    let one_of_each = TARGETS.iter().filter(|target| **target != "x86_64-apple-darwin");
    tools::install() && check(one_of_each, &FEW)
}

/// Checks everything for every system, and runs what can be run.
pub(crate) fn all() -> bool {
    let checked = tools::install() && check(TARGETS.iter(), &FEW) && check(TARGETS.iter(), &ALL);
    checked && wine()
}

/// Runs the tests for Windows under Wine.
pub(crate) fn wine() -> bool {
    if !tools::install() || !tools::install_wine(&folder()) {
        return false;
    }
    let run = |(package, tests): &(&str, &[&str])| {
        let mut cargo = cargo("test", WINDOWS, &folder().join("windows"));
        cargo.args(["--no-fail-fast", "-p", package]).args(*tests);
        tools::link_for_windows(&mut cargo, &folder());
        timed(&format!("{package} under Wine"), &mut cargo)
    };
    // All are run, whatever becomes of the first.
    let outcomes: Vec<bool> = UNDER_WINE.iter().map(run).collect();
    outcomes.into_iter().all(|passed| passed)
}

fn check<'a>(targets: impl Iterator<Item = &'a &'a str>, packages: &[&str]) -> bool {
    let Some(stub) = tools::stub_compiler(&folder()) else { return false };
    let check = |target: &&str| {
        let mut cargo = cargo("check", target, &folder().join("checked"));
        cargo.args(packages.iter().flat_map(|package| ["-p", package]));
        // Nothing is linked: C code need not be compiled.
        for tool in ["TARGET_CC", "TARGET_CXX"] {
            cargo.env(tool, stub.join("cc"));
        }
        cargo.env("TARGET_AR", stub.join("ar")).env("TARGET_RANLIB", stub.join("ar"));
        timed(&format!("{} for {target}", packages.join(", ")), &mut cargo)
    };
    let outcomes: Vec<bool> = targets.map(check).collect();
    outcomes.into_iter().all(|passed| passed)
}

/// What is built by the other compiler is kept apart.
fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    std::path::absolute(target.join("other-systems")).unwrap_or(target)
}

fn cargo(command: &str, target: &str, into: &Path) -> Command {
    let mut cargo = super::cargo();
    cargo
        .args([command, "--locked", "-Z", "build-std", "--target", target])
        .env("RUSTC", tools::RUSTC)
        .env("RUSTDOC", tools::RUSTDOC)
        // The source of the standard library is built by the very compiler that it belongs to.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", into);
    // Those of the compiler that runs this do not fit.
    for name in ["RUSTC_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}

fn timed(what: &str, cargo: &mut Command) -> bool {
    let arguments: Vec<_> = cargo.get_args().map(OsStr::to_string_lossy).collect();
    println!("== targets: {what}: cargo {}", arguments.join(" "));
    let began = Instant::now();
    let passed = match cargo.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot start cargo: {error}");
            false
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    println!("== targets: {what}: {} in {seconds:.0} s", super::verdict(passed));
    passed
}
