//! Packages of Debian, installed for the whole machine.

use std::process::Command;

/// Installs these; false and a word about it if that is not possible.
pub(crate) fn install(step: &str, packages: &[&str]) -> bool {
    println!("== {step}: installing {} with apt", packages.join(" "));
    let install = ["install", "--yes", "--no-install-recommends"];
    if run(apt(&["update"])) && run(apt(&install).args(packages)) {
        return true;
    }
    eprintln!("missing: {}; this needs root and the apt-get of a Debian", packages.join(" "));
    false
}

fn apt(arguments: &[&str]) -> Command {
    let mut apt = Command::new("apt-get");
    // A server is not started for a machine that says it has one user only.
    apt.args(arguments)
        .arg("--quiet")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    apt
}

fn run(mut command: impl std::borrow::BorrowMut<Command>) -> bool {
    let command = command.borrow_mut();
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot start {:?}: {error}", command.get_program());
            false
        }
    }
}
