//! Waiting for another client's commit: a cursor of the folder of the log, and a request that is
//! answered when something changes behind it.
//!
//! The cursor only moves after what changed was seen, and no await lies between that and the answer:
//! a wait that is dropped anywhere sees the same change again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use db_to_cloud::{Folder, Wait};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;

/// What is known between two waits.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    cursor: Option<String>,
    /// The service asked not to be asked before this.
    until: Option<Instant>,
    /// The last thing that happened was that a cursor was lost.
    lost: bool,
}

#[derive(Serialize)]
struct Path<'a> {
    path: &'a str,
}

#[derive(Deserialize)]
struct Latest {
    cursor: String,
}

#[derive(Serialize)]
struct Listen<'a> {
    cursor: &'a str,
    timeout: u64,
}

#[derive(Deserialize)]
struct Heard {
    changes: bool,
    /// Seconds.
    backoff: Option<u64>,
}

/// What Dropbox takes for the time of one request, in seconds.
const TIMES: (u64, u64) = (30, 480);
/// Dropbox adds up to 90 seconds so that not all clients come back at once.
const JITTER: Duration = Duration::from_secs(90 + 30);

impl Watch {
    /// Waits for at most this long. The first wait knows of no earlier one: it answers at once.
    pub(crate) async fn wait(&self, client: &Client, most: Duration) -> Result<Wait, Failure> {
        let until = Instant::now() + most;
        match timeout(most, self.wait_on(client, until)).await {
            Ok(answer) => answer,
            Err(_) => Ok(Wait::TimedOut),
        }
    }

    async fn wait_on(&self, client: &Client, until: Instant) -> Result<Wait, Failure> {
        loop {
            let Some(cursor) = self.state().cursor.clone() else {
                let cursor = latest(client).await?;
                self.state().cursor = Some(cursor);
                return Ok(Wait::Changed);
            };
            match self.listen(client, &cursor, until).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(failure) => return self.lost(failure),
            }
            match advance(client, cursor).await {
                Ok((cursor, changed)) => {
                    self.state().cursor = Some(cursor);
                    if changed {
                        return Ok(Wait::Changed);
                    }
                    // Something elsewhere in this Dropbox.
                }
                Err(failure) => return self.lost(failure),
            }
        }
    }

    /// Whether something may have changed.
    async fn listen(&self, client: &Client, cursor: &str, until: Instant) -> Result<bool, Failure> {
        sleep(self.pause(client)).await;
        let left = until.saturating_duration_since(Instant::now()).as_secs();
        let listen = Listen { cursor, timeout: left.clamp(TIMES.0, TIMES.1) };
        let limit = Duration::from_secs(listen.timeout) + JITTER;
        let heard: Heard = client.listen("files/list_folder/longpoll", &listen, limit).await?;
        let mut state = self.state();
        state.lost = false;
        if let Some(pause) = heard.backoff {
            state.until = Some(Instant::now() + Duration::from_secs(pause));
        }
        Ok(heard.changes)
    }

    /// For how long the service asked to be left alone yet.
    fn pause(&self, client: &Client) -> Duration {
        let until = self.state().until;
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        left.unwrap_or_default().max(client.pace.pause_left())
    }

    /// A cursor that is of no use any more: what it would have told is not known, and the next wait
    /// gets another one. That of a cursor that was never of use is an error: nobody is to sync again
    /// and again for it.
    fn lost(&self, failure: Failure) -> Result<Wait, Failure> {
        if !failure.is_lost_cursor() && !failure.is_absence() {
            return Err(failure);
        }
        let mut state = self.state();
        state.cursor = None;
        match std::mem::replace(&mut state.lost, true) {
            true => Err(failure),
            false => Ok(Wait::Changed),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cursor behind all that is there. The folder of the log is made if there is none yet: there is no
/// cursor of nothing.
async fn latest(client: &Client) -> Result<String, Failure> {
    let path = client.path(Folder::Changes.name());
    let ask = || Call::rpc("files/list_folder/get_latest_cursor", &Path { path: &path });
    match client.ask::<Latest>(ask()).await {
        Err(failure) if failure.is_absence() => {
            let make = Call::rpc("files/create_folder_v2", &Path { path: &path });
            match client.ask::<Value>(make).await {
                // Made meanwhile.
                Err(failure) if failure.says(&["path", "conflict", "folder"]) => {}
                made => drop(made?),
            }
            client.ask::<Latest>(ask()).await.map(|latest| latest.cursor)
        }
        answer => answer.map(|latest| latest.cursor),
    }
}

/// The cursor behind all that changed, and whether anything did.
async fn advance(client: &Client, mut cursor: String) -> Result<(String, bool), Failure> {
    let mut changed = false;
    loop {
        let listed = client.list_on(&cursor).await?;
        changed |= !listed.entries.is_empty();
        cursor = listed.cursor;
        if !listed.has_more {
            return Ok((cursor, changed));
        }
    }
}
