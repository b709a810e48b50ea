//! Lists, cursors and waiting for changes (facts 5.2).

use serde::Deserialize;

use super::account::{Account, Api};
use super::answers;
use super::arg::FolderPath;
use super::call::{Call, Outcome};
use super::json::Json;
use super::metadata::Node;
use super::tree::{Listing, Lookup};
use crate::Answer;
use crate::tokens::random;

/// A place in a listing that a client was given.
#[derive(Debug)]
pub(crate) struct Cursor {
    listing: Listing,
    /// Whether it is answered `reset`.
    pub(crate) is_void: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListArg {
    path: FolderPath,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    include_deleted: bool,
    limit: Option<u32>,
    #[serde(default, rename = "include_media_info")]
    _media: bool,
    #[serde(default, rename = "include_has_explicit_shared_members")]
    _members: bool,
    #[serde(default, rename = "include_restorable_info")]
    _restorable: bool,
    #[serde(rename = "include_mounted_folders")]
    _mounted: Option<bool>,
    #[serde(rename = "include_non_downloadable_files")]
    _papers: Option<bool>,
}

impl ListArg {
    fn begin(&self, account: &Account, call: &Call) -> Result<Listing, Answer> {
        if !self.limit.is_none_or(|limit| (1..=2000).contains(&limit)) {
            return Err(call.bad("limit: must be from 1 to 2000"));
        }
        let folder = account.tree.folder_to_list(&self.path.0);
        let refuse = |lookup: Lookup| call.refuse(Json::nested("path", lookup.json()));
        let asked = self.limit.map_or(2000, |limit| limit as usize);
        Ok(Listing {
            folder: folder.map_err(refuse)?,
            recursive: self.recursive,
            include_deleted: self.include_deleted,
            limit: asked.min(account.knobs.page_size),
            told: 0,
            began: account.tree.now(),
        })
    }
}

pub(crate) fn list(api: &Api, call: &Call) -> Outcome {
    let arg: ListArg = call.arg()?;
    let mut account = api.account();
    let listing = arg.begin(&account, call)?;
    Ok(account.page(listing).into())
}

pub(crate) fn latest(api: &Api, call: &Call) -> Outcome {
    let arg: ListArg = call.arg()?;
    let mut account = api.account();
    let mut listing = arg.begin(&account, call)?;
    listing.told = listing.began;
    Ok(Json::object().with("cursor", account.give(listing)).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorArg {
    cursor: String,
}

pub(crate) fn go_on(api: &Api, call: &Call) -> Outcome {
    let arg: CursorArg = call.arg()?;
    let mut account = api.account();
    let listing = account.listing(&arg.cursor, call)?;
    if !account.tree.still_lists(&listing) {
        return Err(call.refuse(Json::nested("path", Lookup::NotFound.json())));
    }
    Ok(account.page(listing).into())
}

impl Account {
    fn page(&mut self, mut listing: Listing) -> Json {
        let (nodes, has_more) = self.tree.page(&mut listing);
        let entries: Vec<_> = nodes.iter().map(Node::tagged).collect();
        let cursor = self.give(listing);
        Json::object().with("entries", entries).with("cursor", cursor).with("has_more", has_more)
    }

    /// A new cursor. The old ones stay good, as with the service.
    fn give(&mut self, listing: Listing) -> String {
        let cursor = random("AAH");
        self.cursors.insert(cursor.clone(), Cursor { listing, is_void: false });
        cursor
    }

    fn listing(&self, cursor: &str, call: &Call) -> Result<Listing, Answer> {
        let malformed = || call.bad(&format!("cursor: Invalid \"cursor\" argument: '{cursor}'"));
        let cursor = self.cursors.get(cursor).ok_or_else(malformed)?;
        (!cursor.is_void).then(|| cursor.listing.clone()).ok_or_else(answers::reset)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongpollArg {
    cursor: String,
    #[serde(default = "half_a_minute")]
    timeout: u32,
}

fn half_a_minute() -> u32 {
    30
}

pub(crate) async fn longpoll(api: &Api, call: &Call) -> Outcome {
    let arg: LongpollArg = call.arg()?;
    if !(30..=480).contains(&arg.timeout) {
        return Err(call.bad("timeout: must be from 30 to 480"));
    }
    let (mut news, patience, is_false_alarm) = {
        let mut account = api.account();
        let is_false_alarm = account.knobs.false_alarms > 0;
        account.knobs.false_alarms = account.knobs.false_alarms.saturating_sub(1);
        (account.tree.watch(), account.knobs.second * arg.timeout, is_false_alarm)
    };
    let end = tokio::time::Instant::now() + patience;
    let changes = loop {
        {
            let account = api.account();
            let listing = account.listing(&arg.cursor, call)?;
            if is_false_alarm || account.tree.has_news(&listing) {
                break true;
            }
        }
        if tokio::time::timeout_at(end, news.changed()).await.is_err() {
            break false;
        }
    };
    let answer = Json::object().with("changes", changes);
    Ok(match api.account().knobs.backoff {
        Some(seconds) => answer.with("backoff", seconds),
        None => answer,
    }
    .into())
}
