//! Signing in and out.

mod service;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use self::service::Service;
use crate::world::{Run, World};

struct User {
    world: World,
    service: Service,
}

impl User {
    fn new() -> Self {
        Self { world: World::new(&["bin"]), service: Service::start() }
    }

    /// A machine without a screen, and a service that is the double.
    fn command(&self, line: &[&str]) -> Command {
        let mut command = self.world.command(line);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"] {
            command.env_remove(name);
        }
        for name in ["DROPBOX_APP_KEY", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"] {
            command.env_remove(name);
        }
        command.env("DB_TO_CLOUD_DROPBOX_URL", &self.service.url);
        command.env("DB_TO_CLOUD_GOOGLE_URL", &self.service.url);
        command
    }

    /// Runs it while somebody types this.
    #[track_caller]
    fn typing(&self, code: i32, command: &mut Command, text: &str) -> Run {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let run = Run { code: output.status.code(), stdout, stderr };
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
        run
    }

    #[track_caller]
    fn run(&self, code: i32, line: &[&str]) -> Run {
        self.typing(code, &mut self.command(line), "")
    }

    /// Signs in to Dropbox by hand.
    #[track_caller]
    fn login(&self, more: &[&str]) -> Run {
        let line = ["login", "dropbox", "--client-id", "my-key"];
        self.typing(0, &mut self.command(&[&line, more].concat()), "the-code\n")
    }
}

#[test]
fn without_a_screen_the_code_is_pasted_and_kept_in_a_private_file() {
    let user = User::new();
    let typed = "\nhttp://127.0.0.1/nothing\n the-code \n";
    let mut command = user.command(&["login", "dropbox"]);
    let run = user.typing(0, command.env("DROPBOX_APP_KEY", "my-key"), typed);
    assert!(
        run.stderr.contains("/oauth2/authorize?response_type=code&client_id=my-key"),
        "{run:?}"
    );
    assert_eq!(run.stderr.matches("there is no code in this").count(), 2, "{run:?}");
    let file = user.world.path("config/db-to-cloud/dropbox.json");
    assert!(run.stdout.starts_with(&format!("signed in at Dropbox; kept in {file:?}")), "{run:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let heard = user.service.heard();
    assert!(heard[0].starts_with("/oauth2/token grant_type=authorization_code&code=the-code"));
    assert!(
        !heard[0].contains("redirect_uri") && heard[0].contains("client_id=my-key"),
        "{heard:?}"
    );
}

#[test]
fn a_browser_is_opened_and_comes_back() {
    let user = User::new();
    // The browser of this machine notes where it is sent.
    user.world.write("bin/xdg-open", "#!/bin/sh\nprintf %s \"$1\" > url.new && mv url.new url\n");
    fs::set_permissions(user.world.path("bin/xdg-open"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", user.world.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = user.command(&["login", "google-drive", "--access", "both"]);
    command.env("PATH", path).env("DISPLAY", ":0");
    command.env("GOOGLE_CLIENT_ID", "my-id").env("GOOGLE_CLIENT_SECRET", "GOCSPX-mine");
    let browser = user.world.path("url");
    let page = thread::spawn(move || come_back(&browser));
    let run = user.typing(0, &mut command, "");
    assert!(run.stdout.starts_with("signed in at Google Drive; kept in"), "{run:?}");
    assert!(!format!("{run:?}").contains("GOCSPX"), "{run:?}");
    let (url, page) = page.join().unwrap();
    assert!(url.contains("drive.file") && url.contains("drive.appdata"), "{url}");
    assert!(page.contains("Go back to the application"), "{page}");
    let heard = user.service.heard();
    assert!(heard[0].starts_with("/token grant_type=authorization_code&code=browser"), "{heard:?}");
    assert!(heard[0].contains("client_secret=GOCSPX-mine"), "{heard:?}");
    assert!(heard[0].contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A"), "{heard:?}");
}

/// Plays the browser: goes where the service would send it; gives what it was told and shown.
fn come_back(told: &std::path::Path) -> (String, String) {
    let until = Instant::now() + Duration::from_secs(20);
    while !told.exists() {
        assert!(Instant::now() < until, "no browser was opened");
        thread::sleep(Duration::from_millis(5));
    }
    let url = fs::read_to_string(told).unwrap();
    let value = |name: &str| {
        let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().replace("%3A", ":").replace("%2F", "/")
    };
    let mut stream = TcpStream::connect(value("redirect_uri").replace("http://", "")).unwrap();
    let state = value("state");
    write!(stream, "GET /?code=browser&state={state} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    (url, page)
}

#[test]
fn without_an_app_nobody_signs_in_and_the_last_one_is_remembered() {
    let user = User::new();
    for (service, name) in [("dropbox", "DROPBOX_APP_KEY"), ("google-drive", "GOOGLE_CLIENT_ID")] {
        let run = user.run(1, &["login", service]);
        assert!(run.stderr.contains(name) && run.stderr.contains("--client-id"), "{run:?}");
    }
    user.login(&[]);
    let run = user.typing(0, &mut user.command(&["login", "dropbox"]), "again\n");
    assert!(run.stderr.contains("client_id=my-key"), "{run:?}");
}

#[test]
fn nothing_pasted_is_nobody_signed_in() {
    let user = User::new();
    let run = user.run(1, &["login", "google-drive", "--client-id", "x", "--no-browser"]);
    assert!(run.stderr.contains("nobody was signed in"), "{run:?}");
    assert!(run.stderr.contains("begins with http://127.0.0.1"), "{run:?}");
    assert_eq!((user.service.heard(), user.world.exists("config")), (vec![], false));
    let run = user.run(2, &["login", "dropbox", "--client-id", "x", "--access", "hidden"]);
    assert!(run.stderr.contains("--access is for google-drive"), "{run:?}");
}

#[test]
fn signing_out_tells_the_service_and_removes_the_file() {
    let user = User::new();
    user.login(&["--tokens", "mine.json"]);
    let run = user.run(0, &["logout", "dropbox", "--tokens", "mine.json"]);
    assert!(run.stdout.starts_with("signed out: Dropbox took the sign-in back"), "{run:?}");
    assert_eq!(user.service.heard()[1], "/2/auth/token/revoke null");
    assert!(!user.world.exists("mine.json") && !user.world.exists("config"));
    let mut command = user.command(&["logout", "dropbox"]);
    let run = user.typing(0, command.env("DB_TO_CLOUD_TOKENS", "mine.json"), "");
    assert!(run.stdout.starts_with("nobody is signed in"), "{run:?}");

    user.login(&[]);
    let run = user.run(0, &["logout", "dropbox", "--local"]);
    assert!(run.stdout.contains("Dropbox was not told"), "{run:?}");
    assert_eq!(user.service.heard().len(), 3, "two sign-ins and a sign-out");
    assert!(!user.world.exists("config/db-to-cloud/dropbox.json"));
}

#[test]
fn a_file_that_others_may_read_or_that_is_something_else_is_refused() {
    let user = User::new();
    user.login(&["--tokens", "mine.json"]);
    let mode = |mode| {
        fs::set_permissions(user.world.path("mine.json"), Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    for command in ["login", "logout"] {
        let run = user.run(1, &[command, "dropbox", "--tokens", "mine.json"]);
        assert!(run.stderr.contains("chmod 600"), "{run:?}");
    }
    mode(0o600);
    let run = user.run(1, &["logout", "google-drive", "--tokens", "mine.json"]);
    assert!(run.stderr.contains("is a sign-in at dropbox"), "{run:?}");
    user.world.write("mine.json", "hunter2");
    let run = user.run(1, &["login", "dropbox", "--client-id", "x", "--tokens", "mine.json"]);
    assert!(run.stderr.contains("this file holds no sign-in"), "{run:?}");
    assert_eq!(user.world.read("mine.json"), "hunter2");
}
