//! When the next sync is due. All that was learnt is in the fields of [`Watch`] before anything is
//! awaited again, so that a wait that is dropped goes on where it was.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, pending, select};

use super::{Asking, Cause, Watch};
use crate::local::state::Table;
use crate::storage::Wait;

/// A clock on the wall that runs ahead of the monotonic one by so much: the device slept.
const SLEPT: Duration = Duration::from_secs(30);

/// What a wait ended with.
enum Found {
    Storage(Asked),
    Local(Seen),
}

/// What the storage said.
enum Asked {
    Changed,
    Unchanged,
    NotNow,
    Never,
}

/// What was seen on this device.
enum Seen {
    Edit(u64),
    Slept,
    TimeIsUp,
}

impl Watch {
    /// Returns when a sync is due, with the reason: what comes first of all that [`Watch`] lists.
    pub async fn changed(&mut self) -> Cause {
        loop {
            if let Some(cause) = self.cause {
                return cause;
            }
            let (due, cause) = self.due();
            let left = due.saturating_sub(self.now());
            if left.is_zero() {
                tracing::debug!(?cause, "a sync is due");
                self.cause = Some(cause);
                continue;
            }
            match self.find(left).await {
                Found::Storage(asked) => self.heard(asked),
                Found::Local(seen) => self.saw(seen),
            }
        }
    }

    /// When the next sync is due, and why, as far as is known.
    fn due(&self) -> (Duration, Cause) {
        if let Some(retry) = self.retry {
            return (retry, Cause::Retry);
        }
        let patience = match self.asking {
            Asking::Yes if self.deferred == 0 => self.options.longest_wait,
            _ => self.options.poll(self.idle),
        };
        let time = (self.synced + patience, Cause::Time);
        // Backs off while change notifications turn out to be empty. The first empty one is ignored,
        // because our own commit causes one.
        let pause = self.futile.checked_sub(2).map_or(Duration::ZERO, |n| self.options.poll(n));
        let notified = self.notified.then_some((self.synced + pause, Cause::Remote));
        let edited = self.burst.map(|(first, last)| {
            let end = (last + self.options.quiet).min(first + self.options.longest_burst);
            (end, Cause::Edit)
        });
        let sooner = |a: (Duration, Cause), b: (Duration, Cause)| if b.0 < a.0 { b } else { a };
        [notified, edited].into_iter().flatten().fold(time, sooner)
    }

    async fn find(&self, left: Duration) -> Found {
        match select(pin!(self.ask(left)), pin!(self.look(left))).await {
            Either::Left((asked, _)) => Found::Storage(asked),
            Either::Right((seen, _)) => Found::Local(seen),
        }
    }

    fn heard(&mut self, asked: Asked) {
        match asked {
            Asked::Changed => self.notified = true,
            Asked::Unchanged => self.futile = 0,
            Asked::NotNow => self.asking = Asking::Later,
            Asked::Never => self.asking = Asking::Never,
        }
    }

    fn saw(&mut self, seen: Seen) {
        match seen {
            Seen::Edit(noted) => {
                let now = self.now();
                let first = self.burst.map_or(now, |(first, _)| first);
                (self.burst, self.noted) = (Some((first, now)), noted);
            }
            Seen::Slept => {
                self.notified = true;
                self.set_clocks();
            }
            Seen::TimeIsUp => {}
        }
    }

    /// Has the storage wait for a change. It is not asked if a sync is due soon in any case.
    async fn ask(&self, left: Duration) -> Asked {
        let soon = self.notified || self.burst.is_some() || left < self.options.shortest_poll;
        if soon || self.retry.is_some() || self.asking != Asking::Yes {
            return pending().await;
        }
        let (began, timeout) = (self.now(), left.min(self.options.wait));
        match self.client.wait_for_change(timeout).await {
            Ok(Wait::Changed) => Asked::Changed,
            // One that does not wait must not be asked in a circle.
            Ok(Wait::TimedOut) if self.now() - began < self.options.shortest_poll => Asked::NotNow,
            Ok(Wait::TimedOut) => Asked::Unchanged,
            Ok(Wait::Unsupported) => Asked::Never,
            Err(error) => {
                // Whatever it is, the sync after the next pause meets it, or does not.
                tracing::debug!(%error, "the storage could not wait for a change");
                Asked::NotNow
            }
        }
    }

    /// Looks at this device until the time is up.
    async fn look(&self, left: Duration) -> Seen {
        let environment = &self.client.0.environment;
        let until = self.now() + left;
        loop {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return Seen::TimeIsUp;
            }
            // A sync that failed is not repeated sooner because of an edit.
            if self.retry.is_some() {
                environment.sleep(left).await;
                continue;
            }
            let edit = pin!(self.client.0.edits.other_than(self.noted));
            let nap = environment.sleep(left.min(self.options.look));
            if let Either::Left(_) = select(edit, nap).await {
                return Seen::Edit(self.client.0.edits.count());
            }
            if self.slept() {
                return Seen::Slept;
            }
            if self.burst.is_none() && self.is_more_queued().await {
                return Seen::Edit(self.noted);
            }
        }
    }

    fn slept(&self) -> bool {
        let (wall, monotonic) = self.clocks;
        let passed = self.client.0.environment.now().since(wall).unwrap_or_default();
        passed > self.now().saturating_sub(monotonic) + SLEPT
    }

    async fn is_more_queued(&self) -> bool {
        match self.client.0.sync_state.count(Table::Dirty).await {
            Ok(queued) => queued > 0 && queued != self.stuck,
            // A sync reports what is wrong with the state.
            Err(_) => true,
        }
    }
}
