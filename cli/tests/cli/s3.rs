//! A bucket as the remote: a MinIO, and an rclone that ignores conditions.

use std::path::Path;

use db_to_cloud_test_servers::{SECRET, Server};

use crate::world::{Run, World};

struct Cloud {
    world: World,
    url: String,
}

impl Cloud {
    fn new(server: &Server) -> Self {
        let url =
            format!("s3://notes/ada?endpoint={}&region=us-east-1&path-style=true", server.url());
        Self { world: World::new(&["a", "b"]), url }
    }

    fn run_as(&self, secret: &str, arguments: &[&str]) -> Run {
        let mut command = self.world.command(arguments);
        let run = Run::of(command.env("AWS_SECRET_ACCESS_KEY", secret));
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run:?}");
        run
    }

    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Run {
        let run = self.run_as(SECRET, arguments);
        assert_eq!(run.code, Some(code), "{run:?}");
        run
    }

    #[track_caller]
    fn sync(&self, device: &str) -> Run {
        self.run(0, &["sync", device, &self.url])
    }
}

#[test]
fn all_commands_work_on_a_bucket() {
    let server = Server::minio();
    server.make_bucket("notes");
    let cloud = Cloud::new(&server);
    let world = &cloud.world;
    world.write("a/one", "1");
    world.write("a/folder/two", "2");
    let dry = cloud.run(0, &["sync", "a", &cloud.url, "--dry-run"]);
    assert!(dry.stdout.contains("one"), "{dry:?}");
    let synced = cloud.run(0, &["sync", "a", &cloud.url, "--require-strong", "--json"]);
    assert!(synced.stdout.contains(r#""pushed":2"#), "{synced:?}");
    cloud.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
    world.write("b/one", "edited");
    world.remove("b/folder/two");
    cloud.sync("b");
    let status = cloud.run(0, &["status", "a", &cloud.url]);
    assert!(status.stdout.contains("of other devices wait 1 edits, 1 deletes"), "{status:?}");
    cloud.sync("a");
    assert_eq!((world.read("a/one"), world.names("a")), ("edited".into(), vec!["one".into()]));
    let lock = cloud.run(0, &["unlock", &cloud.url]);
    assert_eq!(lock.stdout, "not locked\n");
    another_way_to_say_it_is_the_same_storage(&cloud, &server);
    errors_say_what_to_do(&cloud, &server);
}

fn another_way_to_say_it_is_the_same_storage(cloud: &Cloud, server: &Server) {
    let other = format!("S3://notes/ada/?path-style=true&endpoint={}/", server.url());
    let report = cloud.run(0, &["sync", "a", &other, "--json"]);
    assert!(report.stdout.contains(r#""get":2,"#), "{report:?}");
}

fn errors_say_what_to_do(cloud: &Cloud, server: &Server) {
    let run = cloud.run_as("a-wrong-secret", &["sync", "a", &cloud.url]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("check the access key id"), "{run:?}");
    let missing = format!("s3://missing?endpoint={}", server.url());
    let run = cloud.run(1, &["sync", "a", &missing]);
    assert!(run.stderr.contains("no such bucket: create it"), "{run:?}");
    let run = cloud.run(2, &["sync", "a", "s3://AKIA:hunter2@notes"]);
    assert!(run.stderr.contains("credentials do not belong into a URL"), "{run:?}");
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    let mut command = cloud.world.command(["sync", "a", &cloud.url]);
    // Nor is there a profile.
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_PROFILE");
    let run = Run::of(command.env("HOME", cloud.world.path(".")));
    assert!(run.stderr.contains("set AWS_ACCESS_KEY_ID"), "{run:?}");
}

#[test]
fn a_weak_bucket_is_used_with_a_warning_or_refused() {
    let server = Server::rclone();
    server.make_bucket("notes");
    let cloud = Cloud::new(&server);
    cloud.world.write("a/one", "1");
    let run = cloud.run(1, &["sync", "a", &cloud.url, "--require-strong"]);
    assert!(run.stderr.contains("leave out --require-strong"), "{run:?}");
    let run = cloud.sync("a");
    assert!(run.stderr.contains("warning"), "{run:?}");
    let run = cloud.run(0, &["status", "a", &cloud.url]);
    assert!(
        run.stdout.contains("\nrisk       a write that the server executes long after"),
        "{run:?}"
    );
    cloud.sync("b");
    assert_eq!(cloud.world.read("b/one"), "1");
    assert!(!Path::new("s3:").exists());
}
