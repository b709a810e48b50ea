//! A proxy that fails, by a seed or on request.

use std::collections::{BTreeMap, VecDeque};
use std::io::Result;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::http::{Connection, Message};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// The connection ends and the server hears nothing.
    DropBefore,
    /// The server does it and the connection ends.
    DropAfter,
    /// The server hears nothing and nobody answers.
    HangBefore,
    /// The server does it and nobody answers.
    HangAfter,
    /// The connection ends, and the server does it half a second later.
    Late,
    /// 500, and the server hears nothing.
    FailBefore,
    /// The server does it, and 500.
    FailAfter,
    /// 503 SlowDown.
    SlowDown,
    /// 409 ConditionalRequestConflict.
    Conflict,
    /// 200 with a page for people.
    Portal,
    /// The answer comes in small pieces.
    Slow,
    /// Half of the answer comes.
    Truncated,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::DropBefore,
        Self::DropAfter,
        Self::HangBefore,
        Self::HangAfter,
        Self::Late,
        Self::FailBefore,
        Self::FailAfter,
        Self::SlowDown,
        Self::Conflict,
        Self::Portal,
        Self::Slow,
        Self::Truncated,
    ];
}

/// How often each fault happened, and how many requests came.
pub type Counts = (BTreeMap<Fault, usize>, usize);

/// What goes wrong, and when. The clones are one.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    random: u64,
    /// So many requests of a thousand fail.
    rate: u64,
    planned: VecDeque<(String, String, Fault)>,
    happened: BTreeMap<Fault, usize>,
    requests: usize,
}

impl Faults {
    /// So many requests of a thousand fail, by the seed.
    pub fn random(seed: u64, rate: u64) -> Self {
        Self(Arc::new(Mutex::new(State { random: seed, rate, ..State::default() })))
    }

    /// The next request of this method whose path holds this text fails so.
    pub fn fail(&self, method: &str, path: &str, fault: Fault) {
        self.state().planned.push_back((method.to_owned(), path.to_owned(), fault));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        let mut state = self.state();
        state.rate = 0;
        state.planned.clear();
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        let state = self.state();
        (state.happened.clone(), state.requests)
    }

    fn of(&self, request: &Message) -> Option<Fault> {
        let mut state = self.state();
        state.requests += 1;
        let matches = |(method, path, _): &(String, String, Fault)| {
            *method == request.first && request.path.contains(path)
        };
        let fault = match state.planned.iter().position(matches) {
            Some(i) => state.planned.remove(i).map(|(_, _, fault)| fault),
            None => state.throw(),
        }?;
        *state.happened.entry(fault).or_default() += 1;
        Some(fault)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn throw(&mut self) -> Option<Fault> {
        let fails = self.next() % 1000 < self.rate;
        let which = self.next() as usize % Fault::ALL.len();
        Fault::ALL.get(which).copied().filter(|_| fails)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A proxy on a free port of 127.0.0.1, between clients and one server. Dropping it ends it.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Begins to pass requests on to this port of 127.0.0.1.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(server: u16, faults: Faults) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, server, faults.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { port, accepting })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection of a client, until it ends or a fault ends it.
async fn serve(stream: TcpStream, server: u16, faults: Faults) {
    let mut client = Connection::new(stream);
    while let Ok(Some(request)) = client.request().await {
        let fault = faults.of(&request);
        match pass_on(&mut client, server, request, fault).await {
            Ok(true) => {}
            _ => return,
        }
    }
}

/// Answers whether the connection goes on.
async fn pass_on(
    client: &mut Connection,
    server: u16,
    request: Message,
    fault: Option<Fault>,
) -> Result<bool> {
    match fault {
        None => {
            let answer = ask(server, &request).await?;
            client.stream.write_all(&[answer.head, answer.body].concat()).await?;
            return Ok(!answer.ends_line);
        }
        Some(Fault::DropBefore) => {}
        Some(Fault::DropAfter) => drop(ask(server, &request).await),
        Some(Fault::HangBefore) => hang(client).await,
        Some(Fault::HangAfter) => {
            drop(ask(server, &request).await);
            hang(client).await;
        }
        Some(Fault::Late) => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                drop(ask(server, &request).await);
            });
        }
        Some(Fault::FailBefore) => return say(client, 500, "InternalError").await,
        Some(Fault::FailAfter) => {
            drop(ask(server, &request).await);
            return say(client, 500, "InternalError").await;
        }
        Some(Fault::SlowDown) => return say(client, 503, "SlowDown").await,
        Some(Fault::Conflict) => return say(client, 409, "ConditionalRequestConflict").await,
        Some(Fault::Portal) => {
            let page = "<html><body>Please sign in</body></html>";
            return send(client, 200, "text/html; charset=utf-8", page).await;
        }
        Some(Fault::Slow) => {
            let answer = ask(server, &request).await?;
            let bytes = [answer.head, answer.body].concat();
            for piece in bytes.chunks(bytes.len().div_ceil(20)) {
                client.stream.write_all(piece).await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            return Ok(!answer.ends_line);
        }
        Some(Fault::Truncated) => {
            let answer = ask(server, &request).await?;
            let half = answer.body.len() / 2;
            client.stream.write_all(&answer.head).await?;
            client.stream.write_all(&answer.body[..half]).await?;
            // Without a body the answer is whole.
            return Ok(answer.body.is_empty());
        }
    }
    Ok(false)
}

/// Asks the server on a connection of its own.
async fn ask(server: u16, request: &Message) -> Result<Message> {
    let mut server = Connection::new(TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?);
    server.stream.write_all(&request.head).await?;
    server.stream.write_all(&request.body).await?;
    server.answer(&request.first).await
}

/// Until the client gives up.
async fn hang(client: &mut Connection) {
    let mut byte = [0];
    let _ = client.stream.read(&mut byte).await;
}

async fn say(client: &mut Connection, status: u16, code: &str) -> Result<bool> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>by the proxy</Message></Error>"
    );
    send(client, status, "application/xml", &body).await
}

async fn send(client: &mut Connection, status: u16, kind: &str, body: &str) -> Result<bool> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} By the proxy\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    client.stream.write_all(format!("{head}{body}").as_bytes()).await?;
    Ok(true)
}
