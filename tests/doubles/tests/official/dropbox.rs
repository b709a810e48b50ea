//! `dropbox_stories.py` beside this runs with Dropbox's own SDK for Python against the double.

use std::path::{Path, PathBuf};
use std::process::Command;

use db_to_cloud_test_doubles::{Dropbox, dropbox};

/// Where `cargo xtask servers` puts the SDK.
fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let servers = std::env::var_os("DB_TO_CLOUD_SERVERS");
    let servers = servers.map_or_else(|| workspace.join("target/servers"), PathBuf::from);
    // Links are kept: a Python knows by its path which environment it is of.
    let python = std::path::absolute(servers.join("dropbox-sdk/bin/python")).unwrap();
    assert!(python.exists(), "Dropbox's SDK is missing ({python:?}): run `cargo xtask servers`");
    python
}

/// Runs one function of the script, which asserts.
async fn run(double: &Dropbox, story: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official/dropbox_stories.py");
    let mut command = Command::new(python());
    command.arg(script).arg(story).env("DROPBOX_DOUBLE", double.url());
    command.env("DROPBOX_TOKEN", double.token()).env("DROPBOX_APP_KEY", dropbox::APP_KEY);
    command.env("DROPBOX_REFRESH_TOKEN", double.refresh_token());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}: {text}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), format!("{story}: done"), "the script ran to its end");
}

#[tokio::test]
async fn files_are_uploaded_and_read() {
    let double = Dropbox::start().await;
    run(&double, "upload_and_download").await;
    assert_eq!(double.content("/HOMEWORK/prime.txt").unwrap(), "two, three, five".as_bytes());
}
