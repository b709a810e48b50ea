//! Later versions of an application come to its devices.

use std::sync::PoisonError;

use crate::application::Application;
use crate::play::Play;

impl<A: Application> Play<A> {
    /// A device gets its next version, unless all must have it at once.
    pub(crate) async fn upgrade(&mut self, on: usize) {
        if self.can_upgrade(on) {
            self.upgrade_one(on, self.version(on)).await;
        }
    }

    /// Whether a device can get its next version alone.
    pub(crate) fn can_upgrade(&self, on: usize) -> bool {
        let version = self.version(on);
        version < self.app.versions() && !self.app.needs_all(version)
    }

    /// All devices get the next version, when all have the same rows.
    pub(crate) async fn upgrade_all(&mut self) -> Result<(), String> {
        self.rest(true).await?;
        let version = self.version(0);
        if version < self.app.versions() {
            for on in 0..self.devices.len() {
                self.upgrade_one(on, version).await;
            }
            // Each row is an edit of each device now: the same one, as long as nobody makes another.
            self.rest(true).await?;
        }
        Ok(())
    }

    /// All devices get the latest version that one of them has, if they cannot wait or must not.
    pub(crate) async fn catch_up(&mut self, must: bool) {
        let (first, last) = self.versions();
        if !must && (first..last).all(|version| self.app.can_wait(version)) {
            return;
        }
        for on in 0..self.devices.len() {
            for version in self.version(on)..last {
                self.upgrade_one(on, version).await;
            }
        }
    }

    /// The earliest version that a device has, and the latest.
    pub(crate) fn versions(&self) -> (usize, usize) {
        let all = || (0..self.devices.len()).map(|on| self.version(on));
        (all().min().unwrap_or_default(), all().max().unwrap_or_default())
    }

    /// A step to the next version that is ready to be made.
    pub(crate) fn upgrading(&self, on: usize) -> impl FnOnce() + Send + 'static {
        let (app, oracle) = (self.app.clone(), self.oracle.clone());
        let home = self.devices[on].home().to_owned();
        move || {
            let before = app.read(&home);
            app.upgrade(&home);
            let (before, after) = (app.migrated(&home, before), app.read(&home));
            let mut oracle = oracle.lock().unwrap_or_else(PoisonError::into_inner);
            oracle.edited(&app, on, &before, &after);
        }
    }

    fn version(&self, on: usize) -> usize {
        self.app.version_of(self.devices[on].home())
    }

    /// A program upgrades at its start; now and then another one does while it runs.
    async fn upgrade_one(&mut self, on: usize, version: usize) {
        self.upgrades += 1;
        self.upgrading(on)();
        if self.app.restarts(version) {
            self.devices[on].restart().await;
        } else {
            self.unseen = Some(self.unseen.map_or(version, |earlier| earlier.min(version)));
        }
    }
}
