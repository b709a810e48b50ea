//! The flag of the compiler by which rules of the protocol can be switched off.

use std::env;
use std::path::Path;

use crate::{cargo, verdict};

const FLAG: &str = "db_to_cloud_mutants";

/// The environment of a build with the flag. It has a target folder of its own, so that the next
/// build without the flag finds its crates as they were.
pub(crate) fn environment() -> Vec<(&'static str, String)> {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        std::path::PathBuf::from,
    );
    vec![
        ("RUSTFLAGS", format!("{flags} --cfg {FLAG}").trim_start().to_owned()),
        ("CARGO_TARGET_DIR", target.join("mutants").display().to_string()),
    ]
}

/// Whether the core that others depend on is built without the flag: the compiler itself is asked,
/// with the flags, the configuration and the features of a usual build.
pub(crate) fn are_off() -> bool {
    let print =
        ["rustc", "--package=db-to-cloud", "--lib", "--locked", "--quiet", "--", "--print=cfg"];
    let printed = cargo().args(print).output();
    let text = printed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let passed = text.is_ok_and(|text| text.contains("feature=\"system\"") && !text.contains(FLAG));
    println!("== shipped: the core is built without `--cfg {FLAG}`: {}", verdict(passed));
    passed
}
