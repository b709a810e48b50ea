//! Contents come to sessions (facts 2.1, 5.2).

use serde::Deserialize;

use super::account::Api;
use super::arg::Hash;
use super::call::{Call, Outcome};
use super::json::Json;
use super::sessions::{Cursor, check_content, check_entries};

/// The most entries of an `append_batch`, as the official client 12.2.4 has it (the facts say 1000).
const APPENDS: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppendArg {
    cursor: Cursor,
    #[serde(default)]
    close: bool,
    content_hash: Option<Hash>,
}

pub(crate) fn append(api: &Api, call: &Call) -> Outcome {
    let arg: AppendArg = call.arg()?;
    check_content(call, arg.content_hash.as_ref())?;
    let appended = api.account().append(&arg.cursor, &call.body, arg.close);
    appended.map_err(|unfit| call.refuse(unfit.json()))?;
    Ok(Json::Null.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppendBatchArg {
    entries: Vec<AppendEntry>,
    content_hash: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppendEntry {
    cursor: Cursor,
    length: usize,
    #[serde(default)]
    close: bool,
}

pub(crate) fn append_batch(api: &Api, call: &Call) -> Outcome {
    let arg: AppendBatchArg = call.arg()?;
    check_entries(call, arg.entries.len(), APPENDS)?;
    check_content(call, arg.content_hash.as_ref())?;
    if arg.entries.iter().map(|entry| entry.length).sum::<usize>() != call.body.len() {
        return Err(call.refuse(Json::tag("length_mismatch")));
    }
    let mut account = api.account();
    let mut rest = call.body.clone();
    let entries = arg.entries.into_iter().map(|entry| {
        let content = rest.split_to(entry.length);
        match account.append(&entry.cursor, &content, entry.close) {
            Ok(()) => Json::tag("success"),
            Err(unfit) => Json::nested("failure", unfit.json()),
        }
    });
    let entries: Vec<_> = entries.collect();
    Ok(Json::object().with("entries", entries).into())
}
