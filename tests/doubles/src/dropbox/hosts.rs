//! The three hosts of the service, each with its own routes (facts 5.1).

use std::sync::Arc;

use super::account::Api;
use super::routes::{self, Style};
use super::{answers, authorize, oauth};
use crate::server::{Request, Response, Service};

/// A host of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `api`: arguments and results in bodies; tokens.
    Api,
    /// `content`: what carries files.
    Content,
    /// `notify`: longpolls.
    Notify,
}

/// The service as one host shows it; None is all of them in one.
#[derive(Debug)]
pub(crate) struct At {
    pub(crate) api: Arc<Api>,
    pub(crate) host: Option<Host>,
}

impl At {
    fn has(&self, host: Host) -> bool {
        self.host.is_none_or(|here| here == host)
    }
}

impl Service for At {
    fn route(&self, request: &Request) -> String {
        let path = request.uri().path();
        path.strip_prefix("/2/").unwrap_or(path.trim_start_matches('/')).to_owned()
    }

    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let name = Service::route(&*self, &request);
        let long = self.api.account().knobs.header;
        if request.headers().values().any(|value| value.len() > long) {
            return answers::header_too_long().into();
        }
        match request.uri().path() {
            "/oauth2/token" if self.has(Host::Api) => oauth::token(&self.api, &request).into(),
            "/oauth2/authorize" if self.host.is_none() => {
                authorize::page(&self.api, &request).into()
            }
            path => match routes::find(&name).filter(|_| path.starts_with("/2/")) {
                Some(route) if self.has(host(&name, route.style)) => {
                    routes::answer(&self.api, &route, request).await
                }
                Some(_) => answers::bad_request(&name, "this function is on another host").into(),
                None => answers::unknown_function(&name).into(),
            },
        }
    }
}

fn host(name: &str, style: Style) -> Host {
    match style {
        Style::Rpc if name.ends_with("/longpoll") => Host::Notify,
        Style::Rpc => Host::Api,
        Style::Upload | Style::Download => Host::Content,
    }
}
