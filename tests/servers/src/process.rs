//! Programs that run for as long as a test needs them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server on a free port of 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    port: u16,
    process: Child,
    /// What the server stores, and its log.
    folder: TempDir,
}

/// How a server is started and how one sees that it is up.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'static str,
    pub(crate) program: &'a str,
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a [(&'a str, String)],
    /// A path that answers with this text once the server is ready.
    pub(crate) ready: (&'a str, &'a str),
}

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the server in the background and ends it when its own input ends: that is when the test
/// process is gone, in whatever way.
const KEEPER: &str =
    r#"server=$1; shift; "$server" "$@" </dev/null & cat; trap "" TERM; kill 0; wait"#;

/// Where `cargo xtask servers` puts the servers.
pub fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match std::env::var_os("DB_TO_CLOUD_SERVERS") {
        Some(folder) => folder.into(),
        None => workspace.join("target/servers"),
    }
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(folder: TempDir, port: u16, plan: &Plan<'_>) -> Self {
        // Links are kept: a Python knows by its path which environment it is of.
        let program = std::path::absolute(self::folder().join(plan.program));
        let program = program.expect("the current folder exists");
        if !program.exists() {
            panic!("{} is missing ({program:?}): run `cargo xtask servers`", plan.name);
        }
        let log = std::fs::File::create(folder.path().join("log")).expect("a log can be made");
        let process = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .args(plan.arguments)
            .envs(plan.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            // A Ctrl-C is for the test; the server ends with it.
            .process_group(0)
            .spawn()
            .expect("a shell can be started");
        let mut server = Self { name: plan.name, port, process, folder };
        server.wait_until_ready(plan.ready);
        server
    }

    /// What it is: `MinIO`, `LocalStack`, `moto`, `rclone`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it is, such as `http://127.0.0.1:9000`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of what it stores.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait_until_ready(&mut self, (path, text): (&str, &str)) {
        let began = Instant::now();
        while !answer(self.port, path).is_some_and(|answer| answer.contains(text)) {
            let ended = self.process.try_wait().expect("the process can be asked");
            if ended.is_some() || began.elapsed() > PATIENCE {
                let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
                let log = String::from_utf8_lossy(&log).into_owned();
                panic!("{} did not start within {PATIENCE:?}: {ended:?}\n{log}", self.name);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group, for a server may have children of its own.
        if let Some(group) = rustix::process::Pid::from_raw(self.process.id() as i32) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

/// A port that nobody uses right now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
    listener.local_addr().expect("it has an address").port()
}

/// What the server answers to a GET, status line and all.
fn answer(port: u16, path: &str) -> Option<String> {
    let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    line.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // What came before a time-out counts.
    let _ = line.read_to_end(&mut answer);
    Some(String::from_utf8_lossy(&answer).into_owned())
}
