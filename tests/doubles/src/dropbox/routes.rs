//! Which routes there are, and who answers them.

use std::sync::Arc;

use super::account::Api;
use super::answers;
use super::call::{Call, Outcome};
use super::{append, download, files, finish, folders, jobs, listing, oauth, sessions, zip};
use crate::server::{Request, Response};

/// Where a route's argument and content are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Argument in the body.
    Rpc,
    /// Argument in a header, content in the body.
    Upload,
    /// Argument in a header, result in another, content in the answer.
    Download,
}

/// A route of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// What the token must allow; `""` is any token, None is no token at all.
    pub(crate) scope: Option<&'static str>,
}

const READ: Option<&str> = Some("files.content.read");
const WRITE: Option<&str> = Some("files.content.write");
const LOOK: Option<&str> = Some("files.metadata.read");

/// All routes that the double knows, with their scopes (facts 3.1, 5.2).
const ROUTES: &[(&str, Style, Option<&str>)] = &[
    ("auth/token/revoke", Style::Rpc, Some("")),
    ("files/copy_batch/check_v2", Style::Rpc, WRITE),
    ("files/copy_batch_v2", Style::Rpc, WRITE),
    ("files/copy_v2", Style::Rpc, WRITE),
    ("files/create_folder_v2", Style::Rpc, WRITE),
    ("files/delete_batch", Style::Rpc, WRITE),
    ("files/delete_batch/check", Style::Rpc, WRITE),
    ("files/delete_v2", Style::Rpc, WRITE),
    ("files/download", Style::Download, READ),
    ("files/download_zip", Style::Download, READ),
    ("files/get_metadata", Style::Rpc, LOOK),
    ("files/list_folder", Style::Rpc, LOOK),
    ("files/list_folder/continue", Style::Rpc, LOOK),
    ("files/list_folder/get_latest_cursor", Style::Rpc, LOOK),
    ("files/list_folder/longpoll", Style::Rpc, None),
    ("files/move_v2", Style::Rpc, WRITE),
    ("files/upload", Style::Upload, WRITE),
    ("files/upload_session/append_batch", Style::Upload, WRITE),
    ("files/upload_session/append_v2", Style::Upload, WRITE),
    ("files/upload_session/finish", Style::Upload, WRITE),
    ("files/upload_session/finish_batch", Style::Rpc, WRITE),
    ("files/upload_session/finish_batch/check", Style::Rpc, WRITE),
    ("files/upload_session/finish_batch_v2", Style::Rpc, WRITE),
    ("files/upload_session/start", Style::Upload, WRITE),
    ("files/upload_session/start_batch", Style::Rpc, WRITE),
    ("users/get_current_account", Style::Rpc, Some("account_info.read")),
];

/// The route of this name, such as `files/upload`.
pub(crate) fn find(name: &str) -> Option<Route> {
    let (name, style, scope) = *ROUTES.iter().find(|(known, ..)| *known == name)?;
    Some(Route { name, style, scope })
}

/// A request of a route that is on this host.
pub(crate) async fn answer(api: &Arc<Api>, route: &Route, request: Request) -> Response {
    let outcome = match Call::read(api, route, request) {
        Ok(call) => dispatch(api, call).await,
        Err(answer) => Err(answer),
    };
    let id: String = (0..4).map(|_| format!("{:08x}", fastrand::u32(..))).collect();
    let mut response: Response = outcome.map_or_else(Into::into, Into::into);
    response.headers_mut().insert("x-dropbox-request-id", id.try_into().unwrap());
    response
}

async fn dispatch(api: &Arc<Api>, call: Call) -> Outcome {
    match call.route.as_str() {
        "auth/token/revoke" => oauth::revoke(api, &call),
        "files/copy_batch_v2" => jobs::copy_batch(api, &call),
        "files/copy_v2" => folders::copy(api, &call),
        "files/create_folder_v2" => folders::create_folder(api, &call),
        "files/delete_batch" => jobs::delete_batch(api, &call),
        "files/copy_batch/check_v2"
        | "files/delete_batch/check"
        | "files/upload_session/finish_batch/check" => jobs::check(api, &call),
        "files/delete_v2" => files::delete(api, &call),
        "files/download" => download::download(api, &call),
        "files/download_zip" => zip::download(api, &call),
        "files/get_metadata" => files::get_metadata(api, &call),
        "files/list_folder" => listing::list(api, &call),
        "files/list_folder/continue" => listing::go_on(api, &call),
        "files/list_folder/get_latest_cursor" => listing::latest(api, &call),
        "files/list_folder/longpoll" => listing::longpoll(api, &call).await,
        "files/move_v2" => folders::rename(api, &call),
        "files/upload" => files::upload(api, call),
        "files/upload_session/append_batch" => append::append_batch(api, &call),
        "files/upload_session/append_v2" => append::append(api, &call),
        "files/upload_session/finish" => finish::finish(api, &call),
        "files/upload_session/finish_batch" => jobs::finish_batch(api, &call),
        "files/upload_session/finish_batch_v2" => finish::finish_batch(api, &call).await,
        "files/upload_session/start" => sessions::start(api, &call),
        "files/upload_session/start_batch" => sessions::start_batch(api, &call),
        "users/get_current_account" => oauth::account(&call),
        name => Err(answers::bad_request(name, "this route is in the table alone")),
    }
}
