//! Reading contents (facts 5.2).

use serde::Deserialize;

use super::account::Api;
use super::arg::ReadPath;
use super::call::{self, Call, Outcome, Reply};
use super::json::Json;
use super::metadata::{File, Node};
use super::tree::Lookup;
use crate::Answer;
use crate::server::Response;

/// What is to be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathArg {
    pub(crate) path: ReadPath,
}

pub(crate) fn download(api: &Api, call: &Call) -> Outcome {
    let arg: PathArg = call.arg()?;
    let account = api.account();
    let refuse = |lookup: Lookup| call.refuse(Json::nested("path", lookup.json()));
    let node = account.tree.find(&arg.path.0).map_err(refuse)?;
    let file = node.file().ok_or_else(|| refuse(Lookup::NotFile))?;
    Ok(Reply::Download(send(call, node, file)))
}

/// All of the file, a range of it, or that it is the one the client has.
fn send(call: &Call, node: &Node, file: &File) -> Response {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let etag = format!("W/\"{}\"", file.rev);
    let mut response = match header("range").and_then(|range| part(range, file.content.len())) {
        _ if header("if-none-match") == Some(&etag) => {
            Answer::new(304, "application/octet-stream", "").into()
        }
        Some((from, to)) => {
            let content = file.content.slice(from..=to);
            let mut response = call::download(206, &node.json(), content);
            let range = format!("bytes {from}-{to}/{}", file.content.len());
            response.headers_mut().insert("content-range", range.try_into().unwrap());
            response
        }
        None => call::download(200, &node.json(), file.content.clone()),
    };
    response.headers_mut().insert("etag", etag.try_into().unwrap());
    response
}

/// The first and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = length.checked_sub(1)?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.min(last)),
        (Ok(from), Err(_)) if to.is_empty() => (from, last),
        (Err(_), Ok(n)) if from.is_empty() => (length.saturating_sub(n), last),
        _ => return None,
    };
    (from <= to).then_some((from, to))
}
