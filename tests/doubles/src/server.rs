//! What every double runs on: a listener on a free port of 127.0.0.1.

use std::io::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::{Answer, Fault, Faults, Requests};

/// A request whose body is all there.
pub(crate) type Request = axum::http::Request<Bytes>;
/// What is answered.
pub(crate) type Response = axum::http::Response<Body>;

/// More than any service takes in one request.
const LARGEST: usize = 200 << 20;

/// What a double does with a request.
pub(crate) trait Service: Send + Sync + 'static {
    /// The name it is counted by and may fail by, such as `files/upload`.
    fn route(&self, request: &Request) -> String;

    /// Does it. Runs to its end even if the client has gone.
    fn answer(self: Arc<Self>, request: Request) -> impl Future<Output = Response> + Send;
}

/// A double that runs. Dropping it ends it and all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts on a free port.
    pub(crate) async fn start(
        service: Arc<impl Service>,
        faults: Faults,
        requests: Requests,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let shared = (service.clone(), faults.clone(), requests.clone());
                let serve = service_fn(move |request| {
                    let (service, faults, requests) = shared.clone();
                    serve(service, faults, requests, request)
                });
                connections.spawn(async move {
                    // An error here is a connection that a fault or the client ended.
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { port, accepting })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One request. An error ends the connection without an answer.
async fn serve(
    service: Arc<impl Service>,
    faults: Faults,
    requests: Requests,
    request: axum::http::Request<hyper::body::Incoming>,
) -> Result<Response> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), LARGEST).await.map_err(Error::other)?;
    let request = Request::from_parts(head, body);
    let route = service.route(&request);
    let counted = requests.begin(&route);
    let fault = faults.of(&route, &request);
    let answer = async move {
        let _counted = counted;
        service.answer(request).await
    };
    match fault {
        None => run(answer).await,
        Some(Fault::Delay(time)) => {
            run(async move {
                tokio::time::sleep(time).await;
                answer.await
            })
            .await
        }
        Some(Fault::DropBefore) => Err(lost()),
        Some(Fault::DropAfter) => run(answer).await.and(Err(lost())),
        Some(Fault::HangBefore) => std::future::pending().await,
        Some(Fault::HangAfter) => {
            run(answer).await?;
            std::future::pending().await
        }
        Some(Fault::Late(time)) => {
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                answer.await;
            });
            Err(lost())
        }
        Some(Fault::Answer(instead)) => Ok(instead.into()),
        Some(Fault::AnswerAfter(instead)) => run(answer).await.map(|_| instead.into()),
        Some(Fault::Truncated) => truncate(run(answer).await?).await,
    }
}

/// In a task of its own, so that it ends even if the connection does.
async fn run(answer: impl Future<Output = Response> + Send + 'static) -> Result<Response> {
    tokio::spawn(answer).await.map_err(Error::other)
}

fn lost() -> Error {
    Error::new(ErrorKind::ConnectionAborted, "lost on request")
}

/// The head promises all, half comes, and the connection ends.
async fn truncate(response: Response) -> Result<Response> {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, LARGEST).await.map_err(Error::other)?;
    head.headers.insert("content-length", body.len().into());
    let half = body.slice(..body.len() / 2);
    let pieces = futures::stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) if !half.is_empty() => Some((Ok(half), None)),
            _ => {
                // What was written reaches the client before the connection ends.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(lost()), None))
            }
        }
    });
    Ok(Response::from_parts(head, Body::from_stream(pieces)))
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(Body::from(answer.body));
        *response.status_mut() = answer.status.try_into().unwrap();
        for (name, value) in answer.headers {
            response.headers_mut().insert(name, value.try_into().unwrap());
        }
        response
    }
}
