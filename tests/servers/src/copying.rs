//! A WebDAV server that moves by copying, as Tomcat's does, and that can be stopped in the middle.

use std::fs;
use std::io::{Error, ErrorKind, Result, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::http::{Connection, Message};

/// The step after which a MOVE is stopped; that of a file has one, `Half`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its new collection is made and empty.
    Made,
    /// A half of its file is copied.
    Half,
    /// Its file is copied, and the old collection is still there.
    Copied,
    /// The file of the old collection is deleted.
    Emptied,
}

/// How long each step takes, so that other requests come between.
const PAUSE: Duration = Duration::from_millis(3);

/// A server on a free port of 127.0.0.1 that knows no users and names no age of collections. A MOVE
/// makes the new collection first, which decides who is first; it copies over what is there. Dropping
/// it ends it.
#[derive(Debug)]
pub struct CopyingServer {
    files: Arc<Files>,
    port: u16,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Files {
    root: TempDir,
    /// The next MOVE to a path that holds this text is stopped after this step.
    stop: Mutex<Option<(String, Step)>>,
}

/// A status, and the headers and the body of the answer.
type Answer = (u16, String, Vec<u8>);

impl CopyingServer {
    /// Starts it, with nothing in it.
    ///
    /// # Errors
    /// If no port or no folder can be had.
    pub async fn start() -> Result<Self> {
        let files = Arc::new(Files { root: tempfile::tempdir()?, stop: Mutex::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = files.clone();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(Connection::new(stream), shared.clone()));
            }
        });
        Ok(Self { files, port, accepting })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder of its files.
    pub fn data(&self) -> &Path {
        self.files.root.path()
    }

    /// The next MOVE to a path that holds this text is stopped after this step. There is no answer,
    /// and the server is back at once.
    pub fn stop(&self, path: &str, step: Step) {
        *self.files.stopped() = Some((path.to_owned(), step));
    }
}

impl Drop for CopyingServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut client: Connection, files: Arc<Files>) {
    while let Ok(Some(request)) = client.request().await {
        let answer = match files.answer(&request).await {
            Ok(answer) => answer,
            Err(error) => match error.kind() {
                ErrorKind::ConnectionAborted => return,
                ErrorKind::NotFound if matches!(request.first.as_str(), "PUT" | "MKCOL") => {
                    plain(409)
                }
                ErrorKind::NotFound => plain(404),
                _ => plain(500),
            },
        };
        let (status, headers, body) = answer;
        let date = httpdate::fmt_http_date(SystemTime::now());
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} x\r\nDate: {date}\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        if client.stream.write_all(&[head.into_bytes(), body].concat()).await.is_err() {
            return;
        }
    }
}

fn plain(status: u16) -> Answer {
    (status, String::new(), Vec::new())
}

impl Files {
    async fn answer(&self, request: &Message) -> Result<Answer> {
        let place = self.place(&request.path);
        match request.first.as_str() {
            "GET" if place.is_dir() => Ok(plain(405)),
            "GET" => Ok((200, "Content-Type: application/json\r\n".into(), fs::read(place)?)),
            "PUT" if place.is_dir() => Ok(plain(405)),
            "PUT" => {
                let status = if place.exists() { 204 } else { 201 };
                fs::write(place, &request.body)?;
                Ok(plain(status))
            }
            "DELETE" if place.is_dir() => fs::remove_dir_all(place).map(|()| plain(204)),
            "DELETE" => fs::remove_file(place).map(|()| plain(204)),
            "MKCOL" => match fs::create_dir(place) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(plain(405)),
                made => made.map(|()| plain(201)),
            },
            "PROPFIND" => list(&place, &request.path),
            "MOVE" => self.rename(&place, request).await,
            _ => Ok(plain(501)),
        }
    }

    async fn rename(&self, from: &Path, request: &Message) -> Result<Answer> {
        let header = |name: &str| request.header(name).unwrap_or_default();
        let destination = header("destination");
        let to = self.place(destination.splitn(4, '/').nth(3).unwrap_or_default());
        let is_there = to.exists();
        if is_there && header("overwrite") == "F" {
            return Ok(plain(412));
        }
        let stop = self.stopped().take_if(|(path, _)| destination.contains(path.as_str()));
        let stop = stop.map(|(_, step)| step);
        let after = |step| match stop == Some(step) {
            true => Err(Error::from(ErrorKind::ConnectionAborted)),
            false => Ok(()),
        };
        if from.is_dir() {
            match fs::create_dir(&to) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(plain(412)),
                made => made?,
            }
            tokio::time::sleep(PAUSE).await;
            after(Step::Made)?;
            for name in names(from)? {
                copy(&from.join(&name), &to.join(&name), stop == Some(Step::Half)).await?;
                after(Step::Copied)?;
                fs::remove_file(from.join(&name))?;
            }
            after(Step::Emptied)?;
            fs::remove_dir(from)?;
        } else {
            copy(from, &to, stop == Some(Step::Half)).await?;
            fs::remove_file(from)?;
        }
        Ok(plain(if is_there { 204 } else { 201 }))
    }

    fn place(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_matches('/'))
    }

    fn stopped(&self) -> MutexGuard<'_, Option<(String, Step)>> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn copy(from: &Path, to: &Path, stop: bool) -> Result<()> {
    let bytes = fs::read(from)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut file = fs::File::create(to)?;
    file.write_all(first)?;
    tokio::time::sleep(PAUSE).await;
    if stop {
        return Err(ErrorKind::ConnectionAborted.into());
    }
    file.write_all(second)?;
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn list(place: &Path, path: &str) -> Result<Answer> {
    let path = path.trim_end_matches('/');
    let mut found = vec![(path.to_owned(), place.to_owned())];
    let members = if place.is_dir() { names(place)? } else { Vec::new() };
    found.extend(members.iter().map(|name| (format!("{path}/{name}"), place.join(name))));
    let mut text = r#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">"#.to_owned();
    for (path, place) in found {
        // What is gone meanwhile is left out, but for the collection itself.
        let property = match fs::metadata(&place) {
            Ok(found) if found.is_dir() => {
                "<D:resourcetype><D:collection/></D:resourcetype>".to_owned()
            }
            Ok(found) => {
                let modified = httpdate::fmt_http_date(found.modified()?);
                format!("<D:resourcetype/><D:getlastmodified>{modified}</D:getlastmodified>")
            }
            Err(error) if error.kind() == ErrorKind::NotFound && text.contains("<D:href>") => {
                continue;
            }
            Err(error) => return Err(error),
        };
        text.push_str(&format!(
            "<D:response><D:href>{path}</D:href><D:propstat><D:prop>{property}</D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        ));
    }
    text.push_str("</D:multistatus>");
    Ok((207, "Content-Type: application/xml\r\n".into(), text.into_bytes()))
}
