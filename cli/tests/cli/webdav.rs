//! A collection of WebDAV as the remote: an Apache.

mod passwords;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;

use db_to_cloud_test_servers::{PASSWORD, Server};

use crate::world::{Run, World};

/// Two devices, and a place on a server that nobody has made yet.
struct Cloud {
    world: World,
    server: Server,
}

impl Cloud {
    fn new() -> Self {
        let server = Server::apache();
        let url = server.url().replace("http://", "webdav://ada@") + "/apps/my notes";
        let cloud = Self { world: World::with_cloud(&["a", "b"], url), server };
        cloud.world.write("a/note", "hello");
        cloud
    }

    /// A sync of `a`, with no password but by these options and variables.
    fn command(&self, more: &[&str], variables: &[(&str, &str)]) -> Command {
        let line = ["sync", "a", self.world.cloud()];
        let mut command = self.world.command(line.iter().chain(more));
        command.env_remove("WEBDAV_PASSWORD").envs(variables.iter().copied());
        command
    }

    #[track_caller]
    fn sync(&self, code: i32, more: &[&str], variables: &[(&str, &str)]) -> Run {
        let run = Run::of(&mut self.command(more, variables));
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(!run.stdout.contains(PASSWORD) && !run.stderr.contains(PASSWORD), "{run:?}");
        run
    }

    /// A file in the world's folder.
    fn file(&self, name: &str, text: &str, mode: u32) {
        self.world.write(name, text);
        fs::set_permissions(self.world.path(name), Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn all_commands_work_on_a_collection() {
    let cloud = Cloud::new();
    let world = &cloud.world;
    world.write("a/folder/two", "2");
    let dry = world.sync_as(0, "a", &["--dry-run"]);
    assert!(dry.stdout.contains("push          folder/two"), "{dry:?}");
    assert_eq!(fs::read_dir(cloud.server.data()).unwrap().count(), 0, "nothing was made");
    let synced = world.sync_as(0, "a", &["--require-strong", "--json"]);
    assert!(synced.stdout.contains(r#""pushed":2"#), "{synced:?}");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
    world.write("b/note", "edited");
    world.remove("b/folder/two");
    world.sync("b");
    let status = world.run(["status", "a", world.cloud()]);
    assert!(status.stdout.contains("of other devices wait 1 edits, 1 deletes"), "{status:?}");
    world.sync("a");
    assert_eq!((world.read("a/note"), world.names("a")), ("edited".into(), vec!["note".into()]));
    assert_eq!(world.run(["unlock", world.cloud()]).stdout, "not locked\n");

    let other = world.cloud().replace("webdav://", "WebDAV://").replace(' ', "%20") + "/";
    let again = world.run(["sync", "a", &other, "--json"]);
    assert!(again.stdout.contains(r#""get":2,"#), "the same storage: {again:?}");
}

#[test]
fn without_a_user_a_token_is_sent() {
    let world = World::new(&["a"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("webdav://{}/notes", listener.local_addr().unwrap());
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut head, mut bytes) = (Vec::new(), [0; 1024]);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = stream.read(&mut bytes).unwrap();
            head.extend_from_slice(&bytes[..count]);
        }
        let refusal = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal).unwrap();
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    });
    let run = Run::of(world.command(["status", "a", &url]).env("WEBDAV_TOKEN", "my-token"));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("(403)") && !run.stderr.contains("my-token"), "{run:?}");
    let head = heard.join().unwrap();
    assert!(head.contains("authorization: bearer my-token\r\n"), "{head}");
}

#[test]
fn certificates_of_ones_own_are_named_in_the_url() {
    let server = Server::apache_with_tls();
    let world = World::new(&["a"]);
    world.write("a/note", "hello");
    let url = server.url().replace("http://", "webdavs://ada@") + "/notes";
    let [ca, client] =
        ["authority", "client"].map(|name| server.certificate(name).display().to_string());
    let both = format!("{url}?ca-file={ca}&client-certificate-file={client}");
    let run = world.run(["sync", "a", &both]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let distrustful = |settings: &str| {
        let url = format!("{url}{settings}");
        let run = world.run(["-vv", "sync", "a", &url, "--timeout", "3"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        run.stderr
    };
    // Neither side believes who shows nothing of the authority.
    distrustful(&format!("?ca-file={ca}"));
    let told = distrustful(&format!("?client-certificate-file={client}"));
    assert!(told.contains("check that the server speaks https, its certificate"), "{told}");
    let again = world.run(["sync", "a", &both, "--json"]);
    assert!(again.stdout.contains(r#""get":2,"#), "the same storage: {again:?}");
    let log = fs::read_to_string(server.data().with_extension("log")).unwrap();
    assert!(log.contains("HTTP/2.0 MOVE 201"), "{log}");
}

#[test]
fn files_that_are_no_certificates_are_refused() {
    let world = World::new(&["a"]);
    world.write("no certificate", "x");
    for (setting, why) in [
        ("ca-file=missing", "ca-file"),
        ("client-certificate-file=missing", "client-certificate-file"),
        ("ca-file=no%20certificate", "certificates in the PEM format"),
        ("client-certificate-file=no%20certificate", "in the PEM format"),
        ("password=hunter2", "known settings are ca-file"),
    ] {
        let run = world.run(["sync", "a", &format!("webdavs://ada@127.0.0.1:1/notes?{setting}")]);
        assert!(run.stderr.contains(why) && !run.stderr.contains("hunter2"), "{run:?}");
    }
}
