//! Time limits and repetitions of requests.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::future::{Either, select};

use super::Storage;
use crate::model::{Error, ErrorKind, Key};

/// The slowest line that a request's time limit allows for, in bytes a second.
const SLOWEST_LINE: u64 = 16 * 1024;

/// How long this many bytes take on the slowest line.
pub(super) fn transfer_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST_LINE)
}

/// A storage that asks for a longer pause is left alone: the sync ends, and its error says how long.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Pauses grow up to this, before the jitter.
const LONGEST_GROWN: Duration = Duration::from_secs(20);

/// Growing pauses with jitter, without end.
#[derive(Debug)]
pub(crate) struct RacePauses(ExponentialBackoff);

impl RacePauses {
    /// The next pause: twice the one before, up to 20 seconds, and up to as much again by chance, so
    /// that devices which lost one race do not meet in the next.
    pub(crate) fn next_pause(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST_GROWN)
    }
}

impl Storage {
    /// One call for many items; the items that failed for now are tried again together.
    pub(super) async fn many<I, T, F, Fut>(
        &self,
        operation: &'static str,
        items: &[I],
        bytes: u64,
        call: F,
    ) -> Vec<Result<T, Error>>
    where
        I: Clone + Send,
        T: Send,
        F: Fn(Vec<I>) -> Fut + Send,
        Fut: Future<Output = Vec<Result<T, Error>>> + Send,
    {
        let rounds = items.len().div_ceil(self.capabilities().concurrency.max(1)) as u64;
        let rounds_take = rounds.saturating_mul(SLOWEST_LINE * self.limits.request.as_secs());
        let slack = bytes.saturating_add(rounds_take);
        let missing = || Err(Error::new(ErrorKind::Unavailable, operation));
        let mut answers: Vec<Result<T, Error>> = items.iter().map(|_| missing()).collect();
        let mut open: Vec<usize> = (0..items.len()).collect();
        let mut pauses = self.pauses();
        while !open.is_empty() {
            let batch = open.iter().filter_map(|i| items.get(*i).cloned()).collect();
            match self.timed(operation, None, slack, call(batch)).await {
                Ok(results) => {
                    for (i, result) in open.iter().zip(results) {
                        answers[*i] = result;
                    }
                }
                Err(_) => open.iter().for_each(|i| {
                    answers[*i] = Err(Error::new(ErrorKind::TimedOut, operation));
                }),
            }
            open.retain(|i| answers[*i].as_ref().is_err_and(Error::is_transient));
            let errors = open.iter().filter_map(|i| answers[*i].as_ref().err());
            let Some(worst) = errors.max_by_key(|e| e.retry_after()) else { break };
            if !self.pause(&mut pauses, worst).await {
                break;
            }
        }
        answers
    }

    /// Repeats a request that failed for now.
    pub(super) async fn retry<T, F, Fut>(&self, mut request: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let mut pauses = self.pauses();
        loop {
            let error = match request().await {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            if !self.pause(&mut pauses, &error).await {
                return Err(error);
            }
        }
    }

    /// Waits before a request is repeated: as long as the storage asks for, and growing. False if it
    /// is not to be repeated: too often already, or asked to wait longer than a sync should last.
    async fn pause(
        &self,
        pauses: &mut (impl Iterator<Item = Duration> + Send),
        error: &Error,
    ) -> bool {
        let asked = error.retry_after().unwrap_or_default();
        let Some(pause) = pauses.next().filter(|_| asked <= LONGEST_PAUSE) else { return false };
        let pause = pause.max(asked);
        tracing::debug!(%error, ?pause, "repeating a request");
        self.environment.sleep(pause).await;
        true
    }

    /// Growing pauses with jitter, as many as there are retries.
    fn pauses(&self) -> ExponentialBackoff {
        self.growing().with_max_times(self.limits.retries).build()
    }

    /// The pauses between lost races, and between sendings of one commit. They have nothing to do
    /// with how often a request is repeated.
    pub(crate) fn race_pauses(&self) -> RacePauses {
        RacePauses(self.growing().without_max_times().build())
    }

    fn growing(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(LONGEST_GROWN)
            .with_jitter()
            .with_jitter_seed(self.environment.random() as u64)
    }

    /// Gives a request a time limit that grows with the bytes it moves.
    pub(super) async fn timed<T>(
        &self,
        operation: &'static str,
        key: Option<&Key>,
        bytes: u64,
        request: impl Future<Output = T> + Send,
    ) -> Result<T, Error> {
        self.timed_within(self.time_limit(bytes), operation, key, request).await
    }

    /// How long a request that moves so many bytes may take.
    pub(super) fn time_limit(&self, bytes: u64) -> Duration {
        self.limits.request.saturating_add(transfer_time(bytes))
    }

    pub(super) async fn timed_within<T>(
        &self,
        limit: Duration,
        operation: &'static str,
        key: Option<&Key>,
        request: impl Future<Output = T> + Send,
    ) -> Result<T, Error> {
        futures::pin_mut!(request);
        match select(request, self.environment.sleep(limit)).await {
            Either::Left((answer, _)) => Ok(answer),
            Either::Right(_) => {
                let error = Error::new(ErrorKind::TimedOut, operation);
                let error = error.with_message(format!("no answer within {} s", limit.as_secs()));
                Err(key.into_iter().fold(error, |error, key| error.with_key(key)))
            }
        }
    }
}
