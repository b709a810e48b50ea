//! Folders of Dropbox and Google Drive as the remote: doubles of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use db_to_cloud_test_doubles::drive::{CLIENT_SECRET, Space};
use db_to_cloud_test_doubles::dropbox::APP_KEY;
use db_to_cloud_test_doubles::{Drive, Dropbox};
use tokio::runtime::Runtime;

use crate::world::{Run, World};

/// Two devices of a user, and a service.
pub(crate) struct Cloud<Double> {
    pub(crate) world: World,
    pub(crate) service: Double,
    _runtime: Runtime,
    environment: Vec<(&'static str, String)>,
}

impl Cloud<Dropbox> {
    pub(crate) fn dropbox() -> Self {
        let runtime = Runtime::new().unwrap();
        let service = runtime.block_on(Dropbox::start());
        let url = ("DB_TO_CLOUD_DROPBOX_URL", service.url());
        let environment = vec![url, ("DROPBOX_APP_KEY", APP_KEY.to_owned())];
        Self { world: world(), service, _runtime: runtime, environment }
    }

    #[track_caller]
    pub(crate) fn login(&self) -> Run {
        self.sign_in(&["login", "dropbox"], |url| {
            self.service.allow(&value(url, "code_challenge"), None)
        })
    }
}

impl Cloud<Drive> {
    pub(crate) fn drive() -> Self {
        let runtime = Runtime::new().unwrap();
        let service = runtime.block_on(Drive::start());
        let url = ("DB_TO_CLOUD_GOOGLE_URL", service.url());
        let id = ("GOOGLE_CLIENT_ID", "cli".to_owned());
        let environment = vec![url, id, ("GOOGLE_CLIENT_SECRET", CLIENT_SECRET.to_owned())];
        Self { world: world(), service, _runtime: runtime, environment }
    }

    #[track_caller]
    pub(crate) fn login(&self, access: &str, spaces: &[Space]) -> Run {
        self.sign_in(&["login", "google-drive", "--access", access], |url| {
            let here = "http://127.0.0.1:53682";
            let code = self.service.allow("cli", &value(url, "code_challenge"), here, spaces);
            format!("{here}/?state={}&code={code}&scope=x", value(url, "state"))
        })
    }
}

fn world() -> World {
    let world = World::new(&["a", "b"]);
    world.write("a/note", "hello");
    world.write("a/folder/ü", "2");
    world
}

/// What the address asks for.
fn value(url: &str, name: &str) -> String {
    let (_, rest) = url.split_once(&format!("&{name}=")).unwrap();
    rest.split('&').next().unwrap().trim().to_owned()
}

impl<Double> Cloud<Double> {
    /// Signs in by hand: the user brings back what becomes of the address.
    #[track_caller]
    fn sign_in(&self, line: &[&str], user: impl Fn(&str) -> String) -> Run {
        let mut command = self.world.command(line.iter().chain(&["--no-browser"]));
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut screen = BufReader::new(child.stderr.take().unwrap());
        let mut stderr = String::new();
        while !stderr.contains("code_challenge=") {
            assert_ne!(screen.read_line(&mut stderr).unwrap(), 0, "{stderr}");
        }
        let answer = user(stderr.lines().last().unwrap());
        writeln!(child.stdin.take().unwrap(), "{answer}").unwrap();
        screen.read_to_string(&mut stderr).unwrap();
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let run = Run { code: output.status.code(), stdout, stderr };
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    }

    #[track_caller]
    pub(crate) fn run(&self, code: i32, line: &[&str]) -> Run {
        let mut command = self.world.command(line);
        let run = Run::of(command.envs(self.environment.iter().cloned()));
        assert_eq!(run.code, Some(code), "{run:?}");
        run
    }

    /// Both devices, an edit and a delete there and back.
    fn sync_to_and_fro(&self, remote: &str) {
        let world = &self.world;
        let status = self.run(0, &["status", "a", remote]);
        assert!(status.stdout.contains("2 edited or new"), "{status:?}");
        let synced = self.run(0, &["sync", "a", remote, "--require-strong", "--json"]);
        assert_eq!(synced.report()["pushed"], 2, "{synced:?}");
        self.run(0, &["sync", "b", remote]);
        assert_eq!(world.tree("a"), world.tree("b"));
        world.write("b/note", "edited");
        world.remove("b/folder/ü");
        self.run(0, &["sync", "b", remote]);
        self.run(0, &["sync", "a", remote]);
        assert_eq!(
            (world.read("a/note"), world.names("a")),
            ("edited".into(), vec!["note".into()])
        );
        assert_eq!(self.run(0, &["unlock", remote]).stdout, "not locked\n");
    }
}

#[test]
fn two_devices_meet_in_a_folder_of_dropbox() {
    let cloud = Cloud::dropbox();
    let run = cloud.run(1, &["sync", "a", "dropbox:/My notes"]);
    assert!(run.stderr.contains("sign in with `db-to-cloud login dropbox`"), "{run:?}");
    cloud.login();
    cloud.sync_to_and_fro("dropbox:/My notes");
    assert!(cloud.service.paths().iter().all(|path| path.starts_with("/My notes/")));
    // Dropbox does not heed the case: it is the same storage, and this device knows it.
    let again = cloud.run(0, &["sync", "a", "Dropbox:/my%20NOTES/", "--json"]);
    assert_eq!(again.report()["requests"]["get"], 2, "{again:?}");
}

#[test]
fn a_sign_in_at_dropbox_is_renewed_until_it_ends() {
    let cloud = Cloud::dropbox();
    cloud.login();
    cloud.run(0, &["sync", "a", "dropbox:/"]);
    cloud.service.expire_tokens();
    cloud.world.write("a/note", "later");
    cloud.run(0, &["sync", "a", "dropbox:/"]);
    assert_eq!(cloud.service.requests().of("oauth2/token"), 2, "a sign-in and a renewal");
    std::fs::create_dir(cloud.world.path("no-file")).unwrap();
    let run = cloud.run(1, &["sync", "a", "dropbox:/", "--tokens", "no-file"]);
    assert!(run.stderr.contains("name another file with --tokens"), "{run:?}");
    cloud.service.revoke_all();
    let run = cloud.run(1, &["sync", "a", "dropbox:/"]);
    assert!(run.stderr.contains("sign in again with `db-to-cloud login dropbox`"), "{run:?}");
    // A new sign-in goes on where it stopped; a sign-out ends it.
    cloud.login();
    cloud.run(0, &["sync", "b", "dropbox:/"]);
    assert_eq!(cloud.world.tree("a"), cloud.world.tree("b"));
    let run = cloud.run(0, &["logout", "dropbox"]);
    assert!(run.stdout.starts_with("signed out"), "{run:?}");
    assert_eq!(cloud.service.requests().of("auth/token/revoke"), 1);
    cloud.run(1, &["status", "a", "dropbox:/"]);
}

#[test]
fn two_devices_meet_in_a_folder_of_google_drive() {
    let cloud = Cloud::drive();
    cloud.login("visible", &[Space::Drive]);
    let run = cloud.run(1, &["sync", "a", "gdrive-appdata:/"]);
    assert!(run.stderr.contains("--access visible` for gdrive:/, with hidden"), "{run:?}");
    cloud.sync_to_and_fro("gdrive:/Apps/My notes");
    let again = cloud.run(0, &["sync", "a", "gdrive:/Apps/My%20notes/", "--json"]);
    assert_eq!(again.report()["requests"]["get"], 2, "{again:?}");
}

#[test]
fn two_devices_meet_in_the_hidden_folder_of_google_drive() {
    let cloud = Cloud::drive();
    cloud.login("both", &[Space::Drive, Space::AppData]);
    cloud.sync_to_and_fro("gdrive-appdata:/");
    assert_eq!(cloud.service.stored(Space::Drive).len(), 0);
    // To disconnect the app would delete the documents of all devices.
    let run = cloud.run(0, &["logout", "google-drive"]);
    assert!(run.stdout.contains("deletes the hidden folder"), "{run:?}");
    assert_eq!(cloud.service.requests().of("revoke"), 0);
}
