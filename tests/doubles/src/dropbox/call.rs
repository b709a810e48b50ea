//! A request on its way to an endpoint: what it must look like before its argument is read.

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::account::Api;
use super::json::Json;
use super::routes::{Route, Style};
use super::{answers, arg};
use crate::Answer;
use crate::server::{Request, Response};
use crate::tokens::Refused;

/// A request of a known route whose form is right.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) route: String,
    pub(crate) headers: HeaderMap,
    pub(crate) token: Option<String>,
    arg: Vec<u8>,
    /// Where the argument stands, as messages call it.
    place: &'static str,
    /// Content for the service.
    pub(crate) body: Bytes,
}

/// What an endpoint answers when all is well.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(Json),
    Download(Response),
}

/// What an endpoint answers.
pub(crate) type Outcome = Result<Reply, Answer>;

impl From<Json> for Reply {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        match reply {
            // The official client takes no other content type than this.
            Reply::Json(json) => Answer::new(200, "application/json", json.to_string()).into(),
            Reply::Download(response) => response,
        }
    }
}

impl Call {
    /// Checks method, token, headers and where the argument is.
    pub(crate) fn read(api: &Api, route: &Route, request: Request) -> Result<Self, Answer> {
        let bad = |why: &str| answers::bad_request(route.name, why);
        let (head, body) = request.into_parts();
        let by_get = route.style == Style::Download && head.method == Method::GET;
        if head.method != Method::POST && !by_get {
            return Err(bad(&format!("method {} is not allowed, use POST", head.method)));
        }
        if head.headers.contains_key("dropbox-api-path-root") {
            return Err(bad("Path root is not supported for sandbox app."));
        }
        let token = authorize(api, route, &head.headers)?;
        check_content_type(route, &head.headers)?;
        let in_header = "HTTP header \"Dropbox-API-Arg\"";
        let (arg, place, body) = match route.style {
            Style::Rpc => (body.to_vec(), "request body", Bytes::new()),
            Style::Download if !body.is_empty() => {
                return Err(bad("this function takes no request body"));
            }
            Style::Upload | Style::Download => {
                let header = head.headers.get("dropbox-api-arg").map(|arg| arg.as_bytes().to_vec());
                let arg = header.or_else(|| arg_in_address(head.uri.query().unwrap_or_default()));
                let missing =
                    "Must provide HTTP header \"Dropbox-API-Arg\" or URL parameter \"arg\".";
                (arg.ok_or_else(|| bad(missing))?, in_header, body)
            }
        };
        if place == in_header && !arg.is_ascii() && head.headers.contains_key("dropbox-api-arg") {
            return Err(bad(&format!("{in_header}: could not decode input as JSON")));
        }
        let (route, headers) = (route.name.to_owned(), head.headers);
        Ok(Self { route, headers, token, arg, place, body })
    }

    /// The argument.
    pub(crate) fn arg<T: DeserializeOwned>(&self) -> Result<T, Answer> {
        arg::parse(&self.arg, self.place).map_err(|why| answers::bad_request(&self.route, &why))
    }

    /// 400: the argument can be read and means nothing.
    pub(crate) fn bad(&self, why: &str) -> Answer {
        answers::bad_request(&self.route, &format!("{}: {why}", self.place))
    }

    /// 409: the endpoint refuses.
    pub(crate) fn refuse(&self, error: Json) -> Answer {
        answers::error(409, error)
    }
}

/// A token with the scope of the route; none on the routes without.
fn authorize(api: &Api, route: &Route, headers: &HeaderMap) -> Result<Option<String>, Answer> {
    let bad = |why: &str| answers::bad_request(route.name, why);
    let given = headers.get("authorization").map(|value| value.to_str().unwrap_or_default());
    let Some(scope) = route.scope else {
        let why = "this function does not take an authorization";
        return given.map_or(Ok(None), |_| Err(bad(why)));
    };
    let given = given.ok_or_else(|| {
        bad("Must provide HTTP header \"Authorization\" or URL parameter \"authorization\".")
    })?;
    let token = given.strip_prefix("Bearer ").ok_or_else(|| {
        bad("Invalid authorization value in HTTP header/URL parameter \"authorization\".")
    })?;
    let account = api.account();
    let grant = account.tokens.check(token).map_err(|refused| match refused {
        Refused::Malformed => bad("The given OAuth 2 access token is malformed."),
        Refused::Unknown => answers::invalid_access_token(),
        Refused::Expired => answers::expired_access_token(),
    })?;
    if !scope.is_empty() && !grant.scopes.contains(scope) {
        let required = Json::tag("missing_scope").with("required_scope", scope);
        return Err(answers::error(401, required));
    }
    Ok(Some(token.to_owned()))
}

fn check_content_type(route: &Route, headers: &HeaderMap) -> Result<(), Answer> {
    let allowed: &[&str] = match route.style {
        Style::Rpc => &[
            "application/json",
            "application/json; charset=utf-8",
            "text/plain; charset=dropbox-cors-hack",
        ],
        Style::Upload => &["application/octet-stream", "text/plain; charset=dropbox-cors-hack"],
        Style::Download => {
            &["", "text/plain", "text/plain; charset=utf-8", "application/octet-stream"]
        }
    };
    let given = headers.get("content-type").map_or("", |value| value.to_str().unwrap_or("?"));
    if allowed.contains(&given) {
        return Ok(());
    }
    let expected = allowed.iter().filter(|kind| !kind.is_empty());
    let expected: Vec<_> = expected.map(|kind| format!("\"{kind}\"")).collect();
    let expected = expected.join(", ");
    let why =
        format!("Bad HTTP \"Content-Type\" header: \"{given}\".  Expecting one of {expected}.");
    Err(answers::bad_request(route.name, &why))
}

/// `?arg=` of a download.
fn arg_in_address(query: &str) -> Option<Vec<u8>> {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    fields.find(|(name, _)| name == "arg").map(|(_, arg)| arg.as_bytes().to_vec())
}

/// A download: bytes, and what they are in a header.
pub(crate) fn download(status: u16, result: &Json, content: Bytes) -> Response {
    let answer = Answer::new(status, "application/octet-stream", "");
    let mut response: Response = answer.with("dropbox-api-result", result).into();
    *response.body_mut() = Body::from(content);
    response
}
