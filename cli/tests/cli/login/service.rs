//! A double of the sign-in services, as small as the command line needs it; how they answer in detail is
//! tested in `adapters/oauth`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers each request with a grant, and remembers what was asked.
pub(crate) struct Service {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

/// Whose refresh token must never be shown.
pub(crate) const GRANT: &str = r#"{"access_token": "sl.access", "token_type": "bearer", "expires_in": 14400, "refresh_token": "hunter2"}"#;

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let note = heard.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = answer(stream.unwrap());
                note.lock().unwrap().push(request);
            }
        });
        Self { url, heard }
    }

    /// The requests: paths, spaces, bodies.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{GRANT}", GRANT.len()).unwrap();
    format!("{} {body}", first.split(' ').nth(1).unwrap())
}
