//! Credentials and region from the profiles of the AWS command line.

use db_to_cloud_test_servers::{KEY_ID, SECRET, Server};

use crate::world::{Run, World};

/// A device whose home has the files of the AWS command line, and a bucket.
struct Home {
    world: World,
    server: Server,
}

impl Home {
    fn new() -> Self {
        let server = Server::minio();
        server.make_bucket("notes");
        let home = Self { world: World::new(&["a"]), server };
        home.world.write("a/note", "hello");
        let keys = format!("aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
        let answer = format!(
            r#"{{"Version": 1, "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}"}}"#
        );
        home.world.write("answer.json", answer);
        let process = home.world.path("answer.json").display().to_string();
        home.world
            .write(".aws/credentials", format!("[work]\n{keys}[far]\n{keys}[default]\n{keys}"));
        home.world.write(
            ".aws/config",
            format!(
                "[profile far]\nregion = eu-central-1\n\
                 [profile process]\ncredential_process = cat {process}\n\
                 [profile stranger]\ncredential_process = false\n"
            ),
        );
        home
    }

    /// A sync with a bucket named with this setting, and with these variables.
    fn sync(&self, setting: &str, variables: &[(&str, &str)]) -> Run {
        let url = format!("s3://notes?endpoint={}{setting}", self.server.url());
        let mut command = self.world.command(["sync", "a", &url]);
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"] {
            command.env_remove(variable);
        }
        command.env("HOME", self.world.path("."));
        let run = Run::of(command.envs(variables.iter().copied()));
        assert!(!run.stderr.contains(SECRET), "{run:?}");
        run
    }
}

#[track_caller]
fn assert_synced(run: &Run) {
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[track_caller]
fn assert_refused(run: &Run, why: &str) {
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains(why), "{run:?}");
}

#[test]
fn credentials_and_region_come_from_a_profile() {
    let home = Home::new();
    // By name, by the variable, by default; from a program.
    assert_synced(&home.sync("&profile=work", &[]));
    assert_synced(&home.sync("", &[("AWS_PROFILE", "work")]));
    assert_synced(&home.sync("", &[]));
    assert_synced(&home.sync("&profile=process", &[]));
    // From other files.
    let elsewhere = home.world.path("elsewhere").display().to_string();
    home.world.write("elsewhere", "[else]\n");
    let files = [("AWS_SHARED_CREDENTIALS_FILE", &*elsewhere), ("AWS_CONFIG_FILE", &elsewhere)];
    assert_refused(&home.sync("&profile=work", &files), "work");

    // This MinIO refuses requests for another region than its own.
    assert_refused(&home.sync("&profile=far", &[]), "wrong region");
    assert_synced(&home.sync("&profile=far&region=us-east-1", &[]));
    assert_refused(&home.sync("", &[("AWS_PROFILE", "far")]), "wrong region");
}

#[test]
fn keys_of_the_environment_come_first_and_what_is_missing_is_told() {
    let home = Home::new();
    let keys = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let with_profile = [keys[0], keys[1], ("AWS_PROFILE", "nobody")];
    assert_synced(&home.sync("", &with_profile));
    // Who names a profile means it.
    assert_refused(&home.sync("&profile=nobody", &keys), "nobody");
    assert_refused(&home.sync("", &[("AWS_PROFILE", "nobody")]), "nobody");
    assert_refused(&home.sync("&profile=stranger", &[]), "no credentials to sign with");
}
