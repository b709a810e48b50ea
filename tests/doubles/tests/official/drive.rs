//! `drive_stories.py` beside this runs with Google's own client for Python against the double.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use db_to_cloud_test_doubles::drive::{self, CLIENT_SECRET, Space};
use db_to_cloud_test_doubles::{Drive, Fault};

/// Where `cargo xtask servers` puts the client.
fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let servers = std::env::var_os("DB_TO_CLOUD_SERVERS");
    let servers = servers.map_or_else(|| workspace.join("target/servers"), PathBuf::from);
    // Links are kept: a Python knows by its path which environment it is of.
    let python = std::path::absolute(servers.join("google-api/bin/python")).unwrap();
    assert!(python.exists(), "Google's client is missing ({python:?}): run `cargo xtask servers`");
    python
}

/// Runs one function of the script, which asserts.
async fn run(double: &Drive, story: &'static str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official/drive_stories.py");
    let mut command = Command::new(python());
    command.arg(script).arg(story);
    command.env("DRIVE_DOUBLE", double.url()).env("DRIVE_TOKEN", double.token());
    command.env("DRIVE_TOKEN_VISIBLE", double.token_for(&[Space::Drive]));
    command.env("DRIVE_REFRESH_TOKEN", double.refresh_token("app"));
    command.env("DRIVE_CLIENT_SECRET", CLIENT_SECRET);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}: {text}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), format!("{story}: done"), "the script ran to its end");
}

#[tokio::test]
async fn files_are_made_by_id_once() {
    run(&Drive::start().await, "files_are_made_by_id_once").await;
}

#[tokio::test]
async fn files_are_copied() {
    run(&Drive::start().await, "files_are_copied").await;
}

#[tokio::test]
async fn files_change_and_go() {
    run(&Drive::start().await, "files_change_and_go").await;
}

#[tokio::test]
async fn folders_and_lists() {
    run(&Drive::start().await, "folders_and_lists").await;
}

#[tokio::test]
async fn lists_come_in_pages_and_late() {
    let double = Drive::start().await;
    double.set_pages(2, true);
    run(&double, "pages_may_be_empty_before_the_end").await;
    let double = Drive::start().await;
    double.set_name_lag(Duration::from_secs(3600));
    run(&double, "names_are_found_late").await;
}

#[tokio::test]
async fn changes_come_in_order() {
    run(&Drive::start().await, "changes_come_in_order").await;
}

#[tokio::test]
async fn batches_hold_a_hundred() {
    run(&Drive::start().await, "batches_hold_a_hundred").await;
}

#[tokio::test]
async fn large_files_come_in_chunks() {
    let double = Drive::start().await;
    run(&double, "uploads_in_chunks").await;
    double.faults().fail("files.chunk", "", Fault::Answer(drive::unavailable()));
    run(&double, "a_lost_chunk_is_asked_for").await;
    assert_eq!(double.faults().happened(), 1);
}

#[tokio::test]
async fn the_hidden_folder_is_apart() {
    run(&Drive::start().await, "the_hidden_folder_is_apart").await;
}

#[tokio::test]
async fn refusals_have_reasons() {
    let double = Drive::start().await;
    for answer in [
        drive::user_rate_limit(),
        drive::rate_limit(),
        drive::too_many_requests(),
        drive::quota_exceeded(),
        drive::backend_error(),
    ] {
        double.faults().fail("files.list", "", Fault::Answer(answer));
    }
    run(&double, "refusals_have_reasons").await;
}

#[tokio::test]
async fn tokens_are_renewed() {
    let double = Drive::start().await;
    run(&double, "a_token_is_renewed").await;
    assert_eq!(double.requests().of("token"), 2);
}
