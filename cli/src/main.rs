//! `db-to-cloud`: syncs the files of a folder, or the tables of a SQLite database, between devices,
//! through storage the user owns.
//!
//! | file | what it does |
//! |---|---|
//! | `args` | what can be said on the command line |
//! | `remote` | which storage a URL or path means, and how it is opened |
//! | `local`, `side`, `tables` | opens the folder or the tables, and this device's state for a storage |
//! | `sync`, `dry_run`, `status`, `unlock`, `repair`, `detach` | one command each |
//! | `import` | takes over a storage of the JavaScript db-to-cloud |
//! | `watch` | `sync --watch` |
//! | `login`, `logout` | the user signs in to a service, and out |
//! | `service`, `tokens` | which service it is, and the file that keeps the sign-in |
//! | `conflict`, `ask` | who wins when two devices edited one file |
//! | `progress`, `report`, `output` | what people and scripts get to see: names without hidden characters, no passwords |
//! | `failure` | errors, what to do about them, exit codes |
//! | `interrupt` | Ctrl-C |

mod args;
mod ask;
mod conflict;
mod decide;
mod detach;
mod dry_run;
mod failure;
mod import;
mod interrupt;
mod local;
mod login;
mod logout;
mod output;
mod progress;
mod remote;
mod repair;
mod report;
mod service;
mod side;
mod status;
mod sync;
mod sys;
mod tables;
mod tokens;
mod unlock;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::interrupt::unless_interrupted;

/// How long unfinished writes may take after the end; dropping them is safe, but not tidy.
const LAST_WRITES: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(answer) => return usage(&answer),
    };
    output::trace(args.verbose);
    let script = args.command.script();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(source) => return Failure::io("start the runtime")(source).report(script),
    };
    let outcome = runtime.block_on(run(args));
    // An interrupted sync leaves its writes to finish or not.
    runtime.shutdown_timeout(LAST_WRITES);
    outcome.unwrap_or_else(|failure| failure.report(script))
}

/// Prints the help or the version, or what is wrong with the command line: clap repeats what was typed.
fn usage(answer: &clap::Error) -> ExitCode {
    if !answer.use_stderr() {
        // Without a reader there is nobody to help.
        let _ = answer.print();
        return ExitCode::SUCCESS;
    }
    output::without_passwords(&answer.to_string()).lines().for_each(output::note);
    ExitCode::from(2)
}

async fn run(args: Args) -> Result<ExitCode, Failure> {
    let verbose = args.verbose;
    match args.command {
        // They end in their own way.
        Command::Sync(options) if options.watch => watch::run(options, verbose).await,
        Command::Sync(options) => Box::pin(sync::run(options, verbose)).await,
        Command::Repair(options) => repair::run(options).await,
        Command::Status(options) => Box::pin(unless_interrupted(status::run(options))).await,
        Command::Import(options) => unless_interrupted(import::run(options, verbose)).await,
        Command::Detach(options) => unless_interrupted(detach::run(options)).await,
        Command::Unlock(options) => unless_interrupted(unlock::run(options)).await,
        Command::Login(options) => unless_interrupted(login::run(options)).await,
        Command::Logout(options) => unless_interrupted(logout::run(options)).await,
    }
}
