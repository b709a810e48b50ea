//! Waiting for another client: Google tells a program without an address of its own only when asked.

use std::collections::BTreeSet;
use std::time::Duration;

use db_to_cloud::Wait;
use reqwest::Method;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::drive::json;
use crate::error::Failure;
use crate::storage::Storage;

/// Where this client is in Drive's list of changes.
#[derive(Debug)]
pub(crate) struct Waiting {
    token: Mutex<Option<String>>,
    first: Duration,
}

/// The pause between two looks grows to so many times the first.
const GROWTH: u32 = 12;
const CHANGES: &str = "/drive/v3/changes";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    #[serde(default)]
    changes: Vec<Change>,
    next_page_token: Option<String>,
    new_start_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(default)]
    file_id: String,
}

impl Waiting {
    pub(crate) fn new(first: Duration) -> Self {
        Self { token: Mutex::default(), first: first.max(Duration::from_millis(1)) }
    }
}

impl Storage {
    /// Looks again and again, more and more seldom. The first call only finds out where the list of
    /// changes stands: what changed before is not known, so it says that something did.
    pub(crate) async fn wait(&self, timeout: Duration) -> Result<Wait, Failure> {
        let mut token = self.waiting.token.lock().await;
        let Some(at) = &mut *token else {
            *token = Some(self.start_token().await?);
            return Ok(Wait::Changed);
        };
        let (deadline, mut pause) = (Instant::now() + timeout, self.waiting.first);
        loop {
            match self.look_for_changes(at).await {
                Ok(true) => return Ok(Wait::Changed),
                Ok(false) => {}
                // A token that Google no longer takes: begin anew, as the first call does.
                Err(failure) if failure.has_status(400) || failure.has_status(410) => {
                    *token = None;
                    return Ok(Wait::Changed);
                }
                Err(failure) => return Err(failure),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Wait::TimedOut);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(self.waiting.first * GROWTH);
        }
    }

    async fn start_token(&self) -> Result<String, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Start {
            start_page_token: String,
        }
        let path = format!("{CHANGES}/startPageToken");
        let request = self.drive.client.request(Method::GET, &path, &[]);
        let start: Start = json(&self.drive.client.send(request).await?)?;
        Ok(start.start_page_token)
    }

    /// Reads all that is new; moves on only after that, so that a stop half way loses nothing.
    async fn look_for_changes(&self, at: &mut String) -> Result<bool, Failure> {
        let (mut token, mut changed) = (at.clone(), false);
        loop {
            let query = [
                ("pageToken", &*token),
                ("spaces", self.drive.space.name()),
                ("pageSize", "1000"),
                ("fields", "nextPageToken,newStartPageToken,changes(fileId)"),
            ];
            let request = self.drive.client.request(Method::GET, CHANGES, &query);
            let page: Changes = json(&self.drive.client.send(request).await?)?;
            changed |= self.concerns_the_log(&page.changes);
            match (page.next_page_token, page.new_start_page_token) {
                (Some(next), _) => token = next,
                (None, Some(start)) => {
                    *at = start;
                    return Ok(changed);
                }
                (None, None) => return Err(Failure::not_drive("changes without a token")),
            }
        }
    }

    /// Whether somebody made a slot after those that are known. Documents and locks come before and
    /// after commits, and matter with them; what this client wrote is no news to it.
    fn concerns_the_log(&self, changes: &[Change]) -> bool {
        let known = self.known();
        let head = known.remembered.head;
        let next: BTreeSet<&String> =
            known.remembered.slots.range(head + 1..).map(|(_, id)| id).collect();
        // Without a storage yet, all is news.
        next.is_empty() && !changes.is_empty()
            || changes.iter().any(|change| next.contains(&change.file_id))
    }
}
