//! Ctrl-C: the command is dropped where it stands, which is safe at any moment.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Runs a command until it ends or a signal asks it to.
pub(crate) async fn unless_interrupted(
    command: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    let listen = |kind| signal(kind).map_err(Failure::io("listen for signals"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    tokio::select! {
        outcome = command => outcome,
        _ = interrupt.recv() => Err(Failure::Interrupted),
        _ = terminate.recv() => Err(Failure::Interrupted),
        _ = hang_up.recv() => Err(Failure::Interrupted),
    }
}
