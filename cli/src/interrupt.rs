//! Ctrl-C and its like. A command is dropped where it stands, which is safe at any moment; a sync gives
//! its lock back before.

use std::pin::pin;
use std::process::ExitCode;

use db_to_cloud::{Error, ErrorKind};
use tokio::sync::Notify;

use crate::failure::Failure;
use crate::sys;

/// The signals that ask a command to end.
#[derive(Debug)]
pub(crate) struct Signals(sys::Signals);

impl Signals {
    /// From now on they do not end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        sys::Signals::new().map(Self).map_err(Failure::io("listen for signals"))
    }

    /// Returns when there is another one.
    pub(crate) async fn next(&mut self) {
        self.0.next().await;
    }

    /// Runs a command until it ends or a signal asks it to.
    pub(crate) async fn cut_short<T>(
        &mut self,
        command: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            outcome = command => outcome,
            () = self.next() => Err(Failure::Interrupted),
        }
    }

    /// Runs a sync that stops in order, and gives its lock back, once `stop` is notified: at the first
    /// signal. The second one drops it.
    pub(crate) async fn stop_in_order<T>(
        &mut self,
        sync: impl Future<Output = Result<T, Error>>,
        stop: &Notify,
    ) -> Result<Result<T, Error>, Failure> {
        let mut sync = pin!(sync);
        tokio::select! {
            outcome = &mut sync => return Ok(outcome),
            () = self.next() => stop.notify_one(),
        }
        self.last_moments(sync).await
    }

    /// The rest of a sync that was asked to stop.
    pub(crate) async fn last_moments<T>(
        &mut self,
        sync: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Failure> {
        match self.cut_short(async { Ok(sync.await) }).await? {
            Err(e) if e.kind() == ErrorKind::Stopped => Err(Failure::Interrupted),
            outcome => Ok(outcome),
        }
    }
}

/// Runs a command until it ends or a signal asks it to.
pub(crate) async fn unless_interrupted(
    command: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    Signals::listen()?.cut_short(command).await
}
