//! Google Drive v3, as far as an application of its own files uses it.
//!
//! ```no_run
//! # async fn example() {
//! let drive = db_to_cloud_test_doubles::Drive::start().await;
//! let (address, token) = (drive.url(), drive.token());
//! # }
//! ```

mod answers;
mod batch;
mod fields;
mod files;
mod list;
mod multipart;
mod oauth;
mod parameters;
mod upload;

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;
use bytes::Bytes;

pub use answers::{
    app_not_authorized, backend_error, id_in_use, insufficient_file_permissions,
    insufficient_scopes, invalid_credentials, portal, quota_exceeded, rate_limit,
    too_many_requests, unavailable, user_rate_limit,
};
pub use files::Space;
use files::{Files, Metadata};
use parameters::Parameters;

use crate::server::{Request, Response, Server, Service};
use crate::tokens::{Grant, Tokens};
use crate::{Answer, Faults, Requests};

/// The only client secret that the token endpoint knows.
pub const CLIENT_SECRET: &str = "GOCSPX-not-a-secret";
const SCOPE_FILE: &str = "https://www.googleapis.com/auth/drive.file";
const SCOPE_APP_DATA: &str = "https://www.googleapis.com/auth/drive.appdata";

/// A double of Google Drive with one user. Dropping it ends it.
///
/// Names are not unique, ids are; a name is found late; preconditions are ignored.
#[derive(Debug)]
pub struct Drive {
    server: Server,
    shared: Arc<Shared>,
    faults: Faults,
    requests: Requests,
}

#[derive(Debug)]
struct Shared(std::sync::Mutex<State>);

#[derive(Debug)]
struct State {
    files: Files,
    tokens: Tokens,
    sessions: upload::Sessions,
    used: u64,
    quota: u64,
    page_size: usize,
    sparse: bool,
}

/// A file, as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Its name, which others may have, too.
    pub name: String,
    /// The id of the folder that it is in.
    pub parent: String,
    /// Its content; empty of a folder.
    pub content: Bytes,
}

impl Drive {
    /// Starts an empty one on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If no port can be had.
    pub async fn start() -> Self {
        let state = State {
            files: Files::default(),
            tokens: Tokens::new("ya29.", Duration::from_secs(3599)),
            sessions: upload::Sessions::default(),
            used: 0,
            quota: u64::MAX,
            page_size: 1000,
            sparse: false,
        };
        let shared = Arc::new(Shared(state.into()));
        let (faults, requests) = (Faults::default(), Requests::default());
        let server = Server::start(shared.clone(), faults.clone(), requests.clone()).await;
        Self { server: server.expect("a port can be had"), shared, faults, requests }
    }

    /// Stands for `https://www.googleapis.com` and for `https://oauth2.googleapis.com`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What goes wrong. Routes are `files.create`, `files.get`, `files.media`, `files.list`,
    /// `files.update`, `files.delete`, `files.upload` (of content, by `POST`), `files.replace` (by
    /// `PATCH`), `files.chunk`, `files.generateIds`, `changes.start`, `changes.list`, `batch`,
    /// `token` and `revoke`.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// An access token for both spaces.
    pub fn token(&self) -> String {
        self.token_for(&[Space::Drive, Space::AppData])
    }

    /// An access token for these spaces.
    pub fn token_for(&self, spaces: &[Space]) -> String {
        self.shared.state().tokens.grant(grant("test", spaces)).access
    }

    /// A refresh token of this client for both spaces.
    pub fn refresh_token(&self, client: &str) -> String {
        let both = [Space::Drive, Space::AppData];
        self.shared.state().tokens.grant(grant(client, &both)).refresh
    }

    /// The user says yes in the browser: the code that goes to the redirect address.
    pub fn allow(&self, client: &str, challenge: &str, redirect: &str, spaces: &[Space]) -> String {
        let grant = grant(client, spaces);
        self.shared.state().tokens.allow(grant, challenge, Some(redirect))
    }

    /// Ends all access tokens; refresh tokens live on.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.expire();
    }

    /// The user takes back what was allowed.
    pub fn revoke_all(&self) {
        self.shared.state().tokens.revoke_all();
    }

    /// Files are found by name only after this time.
    pub fn set_name_lag(&self, lag: Duration) {
        self.shared.state().files.name_lag = lag;
    }

    /// Files are listed at all only after this time, and for this time after they were deleted.
    pub fn set_list_lag(&self, lag: Duration) {
        self.shared.state().files.list_lag = lag;
    }

    /// Pages are never longer than this; with `sparse`, every second one is empty.
    pub fn set_pages(&self, size: usize, sparse: bool) {
        let mut state = self.shared.state();
        (state.page_size, state.sparse) = (size, sparse);
    }

    /// Uploads beyond so many bytes in all are refused.
    pub fn set_quota(&self, bytes: u64) {
        self.shared.state().quota = bytes;
    }

    /// All files and folders of a space, oldest first.
    pub fn stored(&self, space: Space) -> Vec<Stored> {
        let state = self.shared.state();
        let there = state.files.all.values().filter(|f| f.space == space && f.died.is_none());
        let mut there: Vec<_> = there.collect();
        there.sort_by_key(|file| file.created);
        let describe = |file: &&files::File| Stored {
            id: file.id.clone(),
            name: file.name.clone(),
            parent: file.parent.clone(),
            content: file.content.clone().unwrap_or_default(),
        };
        there.iter().map(describe).collect()
    }

    /// Puts a file into the bin.
    pub fn trash(&self, id: &str) {
        if let Some(file) = self.shared.state().files.all.get_mut(id) {
            file.trashed = true;
        }
    }

    /// Gives a file another content, as the user may do.
    ///
    /// # Panics
    /// If it is not there.
    pub fn overwrite(&self, id: &str, content: &str) {
        let content = (content.to_owned().into(), String::new());
        let both = [Space::Drive, Space::AppData];
        let mut state = self.shared.state();
        let changed = state.files.update(id, Metadata::default(), Some(content), &both);
        changed.expect("it is there");
    }

    /// Deletes a file for good, as the user may do.
    ///
    /// # Panics
    /// If it is not there.
    pub fn delete(&self, id: &str) {
        let mut state = self.shared.state();
        let deleted = state.files.delete(id, &[Space::Drive, Space::AppData]);
        deleted.expect("it is there");
    }
}

fn grant(client: &str, spaces: &[Space]) -> Grant {
    let scope = |space: &Space| match space {
        Space::Drive => SCOPE_FILE.to_owned(),
        Space::AppData => SCOPE_APP_DATA.to_owned(),
    };
    Grant { client: client.to_owned(), scopes: spaces.iter().map(scope).collect() }
}

fn spaces(scopes: &BTreeSet<String>) -> Vec<Space> {
    let known = [(SCOPE_FILE, Space::Drive), (SCOPE_APP_DATA, Space::AppData)];
    known.into_iter().filter(|(s, _)| scopes.contains(*s)).map(|(_, space)| space).collect()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// What a request is about: its route and the id in its path.
fn route<'a>(method: &Method, path: &'a str, query: &str) -> (&'static str, &'a str) {
    let is = |wanted: Method| *method == wanted;
    match path {
        "/token" if is(Method::POST) => return ("token", ""),
        "/revoke" if is(Method::POST) => return ("revoke", ""),
        "/batch/drive/v3" if is(Method::POST) => return ("batch", ""),
        "/drive/v3/files/generateIds" if is(Method::GET) => return ("files.generateIds", ""),
        "/drive/v3/changes/startPageToken" if is(Method::GET) => return ("changes.start", ""),
        "/drive/v3/changes" if is(Method::GET) => return ("changes.list", ""),
        "/drive/v3/files" if is(Method::GET) => return ("files.list", ""),
        "/drive/v3/files" if is(Method::POST) => return ("files.create", ""),
        "/upload/drive/v3/files" if is(Method::POST) => return ("files.upload", ""),
        "/upload/drive/v3/files" if is(Method::PUT) => return ("files.chunk", ""),
        _ => {}
    }
    let media = query.split('&').any(|pair| pair == "alt=media");
    let with_content = path.strip_prefix("/upload/drive/v3/files/");
    match (path.strip_prefix("/drive/v3/files/"), with_content) {
        (Some(id), _) if is(Method::GET) && media => ("files.media", id),
        (Some(id), _) if is(Method::GET) => ("files.get", id),
        (Some(id), _) if is(Method::PATCH) => ("files.update", id),
        (Some(id), _) if is(Method::DELETE) => ("files.delete", id),
        (_, Some(id)) if is(Method::PATCH) => ("files.replace", id),
        (_, Some(_)) if is(Method::PUT) => ("files.chunk", ""),
        _ => ("unknown", ""),
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Shared {
    fn route(&self, request: &Request) -> String {
        let query = request.uri().query().unwrap_or_default();
        route(request.method(), request.uri().path(), query).0.to_owned()
    }

    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let is_batch = self.route(&request) == "batch";
        if is_batch {
            let allowed = self.state().allowed(&request).map(drop);
            return match allowed {
                Ok(()) => batch::run(&self, &request).await.unwrap_or_else(Response::from),
                Err(refused) => refused.into(),
            };
        }
        self.state().answer(&request).unwrap_or_else(Response::from)
    }
}

impl State {
    /// The spaces that the token of a request covers.
    fn allowed(&self, request: &Request) -> Result<Vec<Space>, Answer> {
        let token = header(request, "authorization").and_then(|text| text.strip_prefix("Bearer "));
        let grant = self.tokens.check(token.unwrap_or_default());
        let grant = grant.map_err(|_| answers::invalid_credentials())?;
        Ok(spaces(&grant.scopes))
    }

    fn answer(&mut self, request: &Request) -> Result<Response, Answer> {
        let query = request.uri().query().unwrap_or_default();
        let (route, id) = route(request.method(), request.uri().path(), query);
        let parameters = Parameters::parse(query);
        match (route, parameters.get("upload_id")) {
            ("token", _) => return oauth::token(self, request),
            ("revoke", _) => return oauth::revoke(self, request),
            // The address of a session is a credential of its own.
            ("files.chunk", Some(session)) => return upload::chunk(self, request, session),
            _ => {}
        }
        let spaces = self.allowed(request)?;
        let wanted = parameters.get("fields");
        match route {
            "files.generateIds" => self.generate_ids(&parameters, &spaces),
            "files.create" => {
                let new = Metadata::parse(request.body())?;
                let file = self.files.create(new, None, &spaces)?;
                let file = fields::of_file(self.files.describe(&file), wanted)?;
                Ok(answers::ok(&file))
            }
            "files.upload" => upload::begin(self, request, &parameters, &spaces, None),
            "files.replace" => upload::begin(self, request, &parameters, &spaces, Some(id)),
            "files.get" => {
                let file = self.files.get(id, &spaces)?;
                Ok(answers::ok(&fields::of_file(self.files.describe(file), wanted)?))
            }
            "files.media" => self.media(id, &spaces),
            "files.update" => {
                let new = Metadata::parse(request.body())?;
                let file = self.files.update(id, new, None, &spaces)?;
                Ok(answers::ok(&fields::of_file(self.files.describe(&file), wanted)?))
            }
            "files.delete" => self.files.delete(id, &spaces).map(|()| answers::no_content()),
            "files.list" => {
                let pages = (self.page_size, self.sparse);
                list::files(&self.files, &parameters, &spaces, pages).map(|list| answers::ok(&list))
            }
            "changes.start" => {
                let token = self.files.changes.len().to_string();
                let kind = "drive#startPageToken";
                let body = serde_json::json!({"kind": kind, "startPageToken": token});
                Ok(answers::ok(&body))
            }
            "changes.list" => {
                list::changes(&self.files, &parameters, &spaces).map(|list| answers::ok(&list))
            }
            _ => Err(Answer::new(404, "text/html; charset=UTF-8", "<html>Not Found</html>")),
        }
    }

    fn generate_ids(
        &mut self,
        parameters: &Parameters,
        spaces: &[Space],
    ) -> Result<Response, Answer> {
        let count = parameters.number("count", 1..=1000)?.unwrap_or(10);
        let space = Space::of(parameters.get("space").unwrap_or("drive"));
        let space = space.ok_or_else(|| answers::bad("space", "Invalid Value"))?;
        if !spaces.contains(&space) {
            return Err(answers::insufficient_scopes());
        }
        let ids = self.files.issue(space, count);
        let kind = "drive#generatedIds";
        let body = serde_json::json!({"kind": kind, "space": space.name(), "ids": ids});
        Ok(answers::ok(&body))
    }

    fn media(&self, id: &str, spaces: &[Space]) -> Result<Response, Answer> {
        let file = self.files.get(id, spaces)?;
        let Some(content) = file.content.clone() else {
            let message = "Only files with binary content can be downloaded.";
            return Err(answers::bad("alt", message));
        };
        let mut response = Response::new(content.into());
        let kind = file.mime_type.parse();
        let kind = kind.unwrap_or(axum::http::HeaderValue::from_static("application/octet-stream"));
        response.headers_mut().insert("content-type", kind);
        Ok(response)
    }
}
