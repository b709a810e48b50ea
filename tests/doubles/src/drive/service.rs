//! What the double does with a request.

use std::sync::Arc;

use axum::http::Method;

use super::files::{Metadata, Space};
use super::parameters::Parameters;
use super::{
    Shared, State, answers, batch, fields, header, list, multipart, oauth, spaces, upload,
};
use crate::Answer;
use crate::server::{Request, Response, Service};

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
    let copied = path.strip_prefix("/drive/v3/files/").and_then(|id| id.strip_suffix("/copy"));
    if let Some(id) = copied.filter(|_| is(Method::POST)) {
        return ("files.copy", id);
    }
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
        self.race(&request).await;
        self.state().answer(&request).unwrap_or_else(Response::from)
    }
}

impl Shared {
    /// If told to, looks whether the id is free, and later makes the file whatever has come meanwhile.
    async fn race(&self, request: &Request) {
        let time = self.state().race;
        if time.is_zero() || self.route(request) != "files.upload" {
            return;
        }
        let kind = header(request, "content-type").unwrap_or_default();
        let parts = multipart::parse(kind, request.body()).unwrap_or_default();
        let metadata = parts.first().and_then(|part| Metadata::parse(&part.body).ok());
        let Some(id) = metadata.and_then(|metadata| metadata.id) else { return };
        if self.state().files.all.contains_key(&id) {
            return;
        }
        tokio::time::sleep(time).await;
        self.state().files.all.remove(&id);
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

    pub(super) fn answer(&mut self, request: &Request) -> Result<Response, Answer> {
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
            "files.copy" => {
                let new = Metadata::parse(request.body())?;
                let file = upload::copy(self, id, new, &spaces)?;
                Ok(answers::ok(&fields::of_file(self.files.describe(&file), wanted)?))
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
