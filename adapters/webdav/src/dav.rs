//! The methods of WebDAV. A path is below the storage's collection; that of a collection ends with a
//! slash, without which some servers refuse or redirect.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use db_to_cloud_http::{Answer, first_bytes, is_of_nothing, length_of_start};
use reqwest::{Method, Url};

use crate::client::{Client, Request};
use crate::error::{Failure, Refusal};
use crate::multistatus::{self, Response};

/// A member of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) is_collection: bool,
    /// How long ago it last changed, by the clock of the server.
    pub(crate) age: Option<Duration>,
}

/// A collection, as a PROPFIND shows it.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) members: Vec<Member>,
    /// How long ago it last changed, by the clock of the server.
    pub(crate) age: Option<Duration>,
}

/// What became of a MOVE.
#[derive(Debug)]
pub(crate) enum Moved {
    /// The server says that it was done. Some say so to all who race.
    Done,
    /// The server says that it was not.
    Refused(Failure),
}

/// What a server said to a COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyAnswer {
    Done,
    /// There is nothing to copy.
    Missing,
    /// There is a file of this name already: perhaps the copy, perhaps a part of it.
    Occupied,
    /// It says that it was done, but the lengths differ.
    Doubtful,
    /// It does not copy, or not so that it could be proven.
    Refused,
}

/// The token of a lock.
#[derive(Debug)]
pub(crate) struct LockToken(String);

const LIST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getlastmodified/></prop></propfind>"#;
const LOCK: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>
<owner>db-to-cloud</owner></lockinfo>"#;
const XML: (&str, &str) = ("content-type", "application/xml; charset=utf-8");

impl Client {
    /// Reads a file; only a 404 or 410 means that there is none.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>, Failure> {
        let answer = self.ask("GET", path, &[], Bytes::new()).await?;
        match answer.status {
            404 | 410 => Ok(None),
            200 if is_wrong_page(path, &answer) => Err(Failure::not_dav("a page for people")),
            200 => Ok(Some(answer.body)),
            206 => Err(Failure::not_dav("a part of the file")),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Reads a file of another program; what is no file of ours is never a page for people.
    pub(crate) async fn get_at(&self, url: Url) -> Result<Option<Bytes>, Failure> {
        let answer = self.ask_at("GET", url, &[], Bytes::new()).await?;
        match answer.status {
            404 | 410 => Ok(None),
            200 if answer.is_page() => Err(Failure::not_dav("a page for people")),
            200 => Ok(Some(answer.body)),
            206 => Err(Failure::not_dav("a part of the file")),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Reads the first bytes of a file. A server that does not know ranges sends all of it: then no more
    /// is read.
    pub(crate) async fn get_start(
        &self,
        path: &str,
        at_most: usize,
    ) -> Result<Option<Bytes>, Failure> {
        let headers = vec![("range", first_bytes(at_most))];
        let (method, url, body) = (Method::GET, self.url(path), Bytes::new());
        let answer = self.send(Request { method, url, headers, body, at_most }).await?;
        let range = answer.header("content-range");
        match answer.status {
            404 | 410 => Ok(None),
            200 | 206 if is_wrong_page(path, &answer) => Err(Failure::not_dav("a page for people")),
            206 if range.is_none() => Err(Failure::not_dav("an unknown part of the file")),
            200 | 206 => {
                let range = range.filter(|_| answer.status == 206);
                let length = length_of_start(range, answer.body.len(), at_most);
                Ok(Some(answer.body.slice(..length.map_err(Failure::not_dav)?)))
            }
            416 if is_of_nothing(range) => Ok(Some(Bytes::new())),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Writes a file, replacing one that is there.
    pub(crate) async fn put(&self, path: &str, bytes: Bytes) -> Result<(), Failure> {
        self.put_with(path, bytes, &[]).await
    }

    /// The same, under this lock.
    pub(crate) async fn put_locked(
        &self,
        path: &str,
        bytes: Bytes,
        token: &LockToken,
    ) -> Result<(), Failure> {
        self.put_with(path, bytes, &[("if", format!("(<{}>)", token.0))]).await
    }

    async fn put_with(
        &self,
        path: &str,
        bytes: Bytes,
        headers: &[(&'static str, String)],
    ) -> Result<(), Failure> {
        let length = bytes.len();
        let kind = ("content-type", "application/octet-stream".to_owned());
        let headers = [&[kind], headers].concat();
        let answer = self.ask("PUT", path, &headers, bytes).await?;
        let believed =
            answer.header("etag").is_some() || answer.header("x-sabre-version").is_none();
        match answer.status {
            200 | 201 | 204 if answer.is_page() && answer.status == 200 => {
                Err(Failure::not_dav("a page for people"))
            }
            200 | 201 | 204 if believed => Ok(()),
            // Plain sabre/dav says 201 although its disk is full.
            200 | 201 | 204 => match self.get(path).await.map_err(Failure::after_sending)? {
                Some(stored) if stored.len() == length => Ok(()),
                _ => Err(Failure::not_dav("the server says that it stored what it did not")),
            },
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Makes a collection; answers whether it was not there before.
    pub(crate) async fn mkcol(&self, path: &str) -> Result<bool, Failure> {
        self.mkcol_at(&self.url(path)).await
    }

    /// The same for one outside of the storage.
    pub(crate) async fn mkcol_at(&self, url: &Url) -> Result<bool, Failure> {
        let answer = self.ask_at("MKCOL", url.clone(), &[], Bytes::new()).await?;
        match answer.status {
            201 => Ok(true),
            405 => Ok(false),
            200..=299 => Err(Failure::not_dav("a page for people")),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Renames a file or collection. An error means that nothing is known.
    pub(crate) async fn rename(
        &self,
        from: &str,
        to: &str,
        overwrite: bool,
    ) -> Result<Moved, Failure> {
        let headers = [
            // Apache takes whole addresses only.
            ("destination", self.url(to).to_string()),
            ("overwrite", if overwrite { "T" } else { "F" }.to_owned()),
        ];
        let answer = self.ask("MOVE", from, &headers, Bytes::new()).await?;
        Ok(match answer.status {
            200 if answer.is_page() => return Err(Failure::not_dav("a page for people")),
            200 | 201 | 204 => Moved::Done,
            // lighttpd says so with an inner 412.
            207 => Moved::Refused(Failure::of_status(inner_error(&answer)?.unwrap_or(412))),
            _ => Moved::Refused(Failure::refused(&answer)),
        })
    }

    /// Copies a file to where nothing is. Over something sabre/dav would first delete that, and then look
    /// whether there is anything to copy: a request that arrives late would delete a copy in use.
    pub(crate) async fn copy(&self, from: &str, to: &str) -> Result<CopyAnswer, Failure> {
        let headers = [
            ("destination", self.url(to).to_string()),
            ("overwrite", "F".to_owned()),
            ("depth", "0".to_owned()),
        ];
        let answer = self.ask("COPY", from, &headers, Bytes::new()).await?;
        match answer.status {
            // Apache's 201 has a page, too.
            200 if answer.is_page() => Err(Failure::not_dav("a page for people")),
            // Plain sabre/dav says 201 although its disk is full.
            201 | 204 if answer.header("x-sabre-version").is_some() => {
                match self.length(to).await.map_err(Failure::after_sending)? {
                    Some(length) if self.length(from).await? == Some(length) => {
                        Ok(CopyAnswer::Done)
                    }
                    _ => Ok(CopyAnswer::Doubtful),
                }
            }
            201 | 204 => Ok(CopyAnswer::Done),
            404 | 410 => Ok(CopyAnswer::Missing),
            412 => Ok(CopyAnswer::Occupied),
            // Not done yet, done in part, or not done: it is not found out.
            200..=299 => Ok(CopyAnswer::Refused),
            // 403 and 409 also say that a kind of storage cannot copy, 400 and 502 that a proxy in
            // between changes addresses: the destination then is another one to the server.
            400 | 403 | 405 | 409 | 415 | 422 | 501 | 502 => Ok(CopyAnswer::Refused),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// How long a file is; `None` if the server does not say.
    async fn length(&self, path: &str) -> Result<Option<u64>, Failure> {
        let answer = self.ask("HEAD", path, &[], Bytes::new()).await?;
        match answer.status {
            200 => Ok(answer.header("content-length").and_then(|length| length.parse().ok())),
            404 | 405 | 410 | 501 => Ok(None),
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Deletes a file, or a collection with all in it. One that is not there is deleted already.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        let answer = self.ask("DELETE", path, &[], Bytes::new()).await?;
        match answer.status {
            200 if answer.is_page() => Err(Failure::not_dav("a page for people")),
            200 | 202 | 204 | 404 | 410 => Ok(()),
            207 => match inner_error(&answer)? {
                Some(status) => Err(Failure::of_status(status).after_sending()),
                None => Ok(()),
            },
            _ => Err(Failure::refused(&answer)),
        }
    }

    /// Looks into a collection; `None` if there is none. WebDAV has no pages: all come at once.
    pub(crate) async fn list(&self, path: &str) -> Result<Option<Collection>, Failure> {
        let headers = [("depth", "1".to_owned()), (XML.0, XML.1.to_owned())];
        let answer = self.ask("PROPFIND", path, &headers, LIST.into()).await?;
        match answer.status {
            404 | 410 => return Ok(None),
            207 => {}
            200..=299 => return Err(Failure::not_dav("a list that is none")),
            _ => return Err(Failure::refused(&answer)),
        }
        let responses = multistatus::parse(&answer.body)?;
        let own = own_path(&self.url(path), &responses);
        let now = answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let age = |then: Option<SystemTime>| now?.duration_since(then?).ok();
        let (mut members, mut own_age) = (Vec::new(), None);
        for response in &responses {
            match response.path.strip_prefix(&own) {
                Some("") => own_age = age(response.modified),
                Some(rest) if rest.starts_with('/') => members.push(Member {
                    name: rest[1..].to_owned(),
                    is_collection: response.is_collection,
                    age: age(response.modified),
                }),
                _ => return Err(Failure::not_dav("a list of another collection")),
            }
        }
        Ok(Some(Collection { members, age: own_age }))
    }

    /// Locks a file for a minute, whether it is there or not; `None` if somebody else has.
    pub(crate) async fn lock(&self, path: &str) -> Result<Option<LockToken>, Failure> {
        // One value only: more than one hangs lighttpd.
        let headers =
            [("depth", "0"), ("timeout", "Second-60"), XML].map(|(n, value)| (n, value.to_owned()));
        let answer = self.ask("LOCK", path, &headers, LOCK.into()).await?;
        match (answer.status, answer.header("lock-token")) {
            (200 | 201, Some(token)) => {
                // ASGIWebDAV leaves the brackets out.
                let token = token.trim().trim_start_matches('<').trim_end_matches('>');
                Ok(Some(LockToken(token.to_owned())))
            }
            (200..=299, _) => Err(Failure::not_dav("a lock without a token")),
            (423, _) => Ok(None),
            _ => Err(Failure::refused(&answer)),
        }
    }

    pub(crate) async fn unlock(&self, path: &str, token: &LockToken) -> Result<(), Failure> {
        let headers = [("lock-token", format!("<{}>", token.0))];
        let answer = self.ask("UNLOCK", path, &headers, Bytes::new()).await?;
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(Failure::refused(&answer)),
        }
    }

    async fn ask(
        &self,
        method: &'static str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        self.ask_at(method, self.url(path), headers, body).await
    }

    async fn ask_at(
        &self,
        method: &'static str,
        url: Url,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        // The names of WebDAV's methods are legal ones.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let headers = headers.to_vec();
        self.send(Request { method, url, headers, body, at_most: usize::MAX }).await
    }
}

/// Whether a page came where it cannot be ours. Our control objects are no pages. Documents may look like
/// one to a server that goes by names; they are checked by their hash.
fn is_wrong_page(path: &str, answer: &Answer) -> bool {
    answer.is_page() && !path.starts_with("docs/")
}

impl Failure {
    fn refused(answer: &Answer) -> Self {
        Self::of_refusal(Refusal::of(answer))
    }
}

/// The path of the collection itself in its own list. It is the one that was asked for, unless a proxy
/// changes paths; then it is the shortest, for all others are below it.
fn own_path(url: &Url, responses: &[Response]) -> String {
    let asked = db_to_cloud_http::percent_decoded(url.path()).unwrap_or_default();
    let asked = asked.trim_end_matches('/');
    let mut paths = responses.iter().map(|response| response.path.as_str());
    let shortest = paths.clone().min_by_key(|path| path.len()).unwrap_or(asked);
    let own = if paths.any(|path| path == asked) { asked } else { shortest };
    own.to_owned()
}

/// The first status in a 207 that is an error.
fn inner_error(answer: &Answer) -> Result<Option<u16>, Failure> {
    let responses = multistatus::parse(&answer.body).map_err(Failure::after_sending)?;
    Ok(responses.iter().filter_map(|response| response.status).find(|status| *status >= 300))
}
