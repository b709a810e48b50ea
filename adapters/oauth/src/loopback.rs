//! Listens for the browser that comes back from the service.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::answer::Answer;
use crate::error::Failure;

/// So many connections at once: browsers open some that they do not use.
const CONNECTIONS: usize = 16;
/// How long one may take.
const CONNECTION: Duration = Duration::from_secs(10);
/// The longest head of a request.
const HEAD: usize = 16 * 1024;

/// A port of this machine that only this machine reaches.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    pub(crate) port: u16,
}

impl Loopback {
    /// Takes the first free one of these ports; 0 is any.
    pub(crate) async fn bind(ports: &[u16]) -> Result<Self, Failure> {
        let mut why = None;
        for port in ports {
            match bind(*port).await {
                Ok(loopback) => return Ok(loopback),
                Err(error) => why = Some(error),
            }
        }
        let why = why.map(|error| error.to_string()).unwrap_or_default();
        Err(Failure::NoListener(format!(
            "cannot listen for the browser on 127.0.0.1, ports {ports:?}: {why}; end what listens \
             there, or sign in with the code"
        )))
    }

    /// Waits for the answer with this state. Whatever else comes is answered and ignored.
    pub(crate) async fn hear(&self, state: &str) -> Answer {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(answer) = connections.next() => {
                    if let Some(answer) = answer {
                        return answer;
                    }
                }
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => {
                    match accepted {
                        Ok((stream, _)) => connections.push(serve(stream, state)),
                        // Out of files, or the browser was gone at once: the next may go better.
                        Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    }
                }
            }
        }
    }
}

async fn bind(port: u16) -> io::Result<Loopback> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    Ok(Loopback { listener, port })
}

/// Answers one connection to its end, so that the browser has its page before anything else happens.
async fn serve(stream: TcpStream, state: &str) -> Option<Answer> {
    let heard = Mutex::new(None);
    let service = service_fn(|request: Request<Incoming>| {
        let (answer, page) = answer(&request, state);
        if let Some(answer) = answer {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        async { Ok::<_, Infallible>(page) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // Whatever becomes of the connection: what was heard was heard.
    let _ = tokio::time::timeout(CONNECTION, connection).await;
    heard.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn answer(request: &Request<Incoming>, state: &str) -> (Option<Answer>, Response<Full<Bytes>>) {
    if request.method() != Method::GET || request.uri().path() != "/" {
        return (None, page(StatusCode::NOT_FOUND, "There is nothing here."));
    }
    match Answer::of_query(request.uri().query().unwrap_or_default(), state) {
        Answer::Foreign => {
            (None, page(StatusCode::BAD_REQUEST, "This is not the sign-in that is going on."))
        }
        answer @ Answer::Code(_) => {
            (Some(answer), page(StatusCode::OK, "Go back to the application. You can close this."))
        }
        answer @ Answer::Denied { .. } => {
            (Some(answer), page(StatusCode::OK, "Nobody was signed in. You can close this."))
        }
    }
}

/// A page. Nothing that came with the request is on it.
fn page(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in</title><p>{text}</p>\n"
    );
    let mut page = Response::new(Full::new(html.into()));
    *page.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        // The address has the code in it.
        (REFERRER_POLICY, "no-referrer"),
    ] {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}
