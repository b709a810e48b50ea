//! The account behind all requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::APP_KEY;
use super::jobs::Job;
use super::knobs::Knobs;
use super::listing::Cursor;
use super::sessions::Session;
use super::tree::Tree;
use crate::tokens::{Grant, Granted, Tokens};

/// All scopes that an app-folder application of files needs (facts 3.1).
pub(crate) const SCOPES: [&str; 4] =
    ["account_info.read", "files.content.read", "files.content.write", "files.metadata.read"];

/// Access tokens live for four hours.
const LIFE: Duration = Duration::from_secs(14_400);

/// The state of the service.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) tree: Tree,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) cursors: BTreeMap<String, Cursor>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) knobs: Knobs,
    /// Whether a batch holds the lock of the namespace.
    pub(crate) is_locked: bool,
}

impl Account {
    /// A user allows the application everything.
    pub(crate) fn sign_in(&mut self) -> Granted {
        self.tokens.grant(grant(&SCOPES))
    }
}

/// What a user allows [`APP_KEY`].
pub(crate) fn grant(scopes: &[&str]) -> Grant {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Grant { client: APP_KEY.to_owned(), scopes }
}

/// The service: what its requests share.
#[derive(Debug)]
pub(crate) struct Api(Mutex<Account>);

impl Default for Api {
    fn default() -> Self {
        let (sessions, cursors, jobs, knobs) = <_>::default();
        let tokens = Tokens::new("sl.u.", LIFE);
        let is_locked = false;
        let tree = Tree::new();
        Self(Mutex::new(Account { tree, tokens, sessions, cursors, jobs, knobs, is_locked }))
    }
}

impl Api {
    /// The lock of the namespace, if nobody has it.
    pub(crate) fn lock(self: &Arc<Self>) -> Option<Lock> {
        let mut account = self.account();
        let time = account.knobs.batch_time;
        if account.is_locked {
            return None;
        }
        // A batch that takes no time is in nobody's way.
        account.is_locked = !time.is_zero();
        let api = account.is_locked.then(|| self.clone());
        Some(Lock { api, time })
    }

    /// The state, for as long as nothing is awaited.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lock of the namespace: while it is held, no other may write.
#[derive(Debug)]
pub(crate) struct Lock {
    api: Option<Arc<Api>>,
    time: Duration,
}

impl Lock {
    /// Holds it for as long as the knob says.
    pub(crate) async fn hold(self) {
        if !self.time.is_zero() {
            tokio::time::sleep(self.time).await;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(api) = &self.api {
            api.account().is_locked = false;
        }
    }
}
