//! `dropbox_stories` beside this runs with Dropbox's own SDK for Python against the double.

mod caller;
mod faults;
mod knobs;
mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use db_to_cloud_test_doubles::dropbox::{APP_KEY, Host, answers};
use db_to_cloud_test_doubles::{Dropbox, Fault};

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

/// Runs one function of the script, which asserts. Answers what it said.
async fn run_with(double: &Dropbox, token: &str, story: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official/dropbox_stories");
    let mut command = Command::new(python());
    command
        .arg("-B")
        .arg("-W")
        .arg("ignore::DeprecationWarning")
        .arg(script)
        .arg(story)
        .args(arguments);
    command.env("DROPBOX_DOUBLE", double.url()).env("DROPBOX_TOKEN", token);
    command.env("DROPBOX_APP_KEY", APP_KEY).env("DROPBOX_API_HOST", double.host(Host::Api));
    command.env("DROPBOX_API_CONTENT_HOST", double.host(Host::Content));
    command.env("DROPBOX_API_NOTIFY_HOST", double.host(Host::Notify));
    command.env("DROPBOX_REFRESH_TOKEN", double.refresh_token());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}: {text}");
    let said = String::from_utf8_lossy(&output.stdout);
    let said = said.trim().strip_suffix(&format!("{story}: done"));
    said.expect("the script ran to its end").trim().to_owned()
}

async fn run(double: &Dropbox, story: &str) {
    run_with(double, &double.token(), story, &[]).await;
}

#[tokio::test]
async fn files_are_uploaded_and_read() {
    let double = Dropbox::start().await;
    run(&double, "upload_and_download").await;
    assert_eq!(double.content("/HOMEWORK/prime.txt").unwrap(), "two, three, five".as_bytes());
    run(&double, "contents_are_checked").await;
    run(&double, "a_folder_as_zip").await;
}

#[tokio::test]
async fn names_are_any_text() {
    let double = Dropbox::start().await;
    run(&double, "names_that_are_not_ascii").await;
    assert_eq!(double.files(), 4);
}

#[tokio::test]
async fn an_add_over_something_is_a_conflict() {
    run(&Dropbox::start().await, "conflicts").await;
}

#[tokio::test]
async fn an_update_needs_the_rev() {
    run(&Dropbox::start().await, "updates_by_rev").await;
}

#[tokio::test]
async fn lists_come_in_pages_and_go_on_with_changes() {
    let double = Dropbox::start().await;
    double.set_page_size(1);
    run(&double, "pages_and_changes").await;
}

#[tokio::test]
async fn cursors_may_be_reset() {
    let double = Dropbox::start().await;
    let cursor = run_with(&double, &double.token(), "a_cursor_is_made", &[]).await;
    double.reset_cursors();
    run_with(&double, &double.token(), "a_cursor_is_reset", &[&cursor]).await;
}

#[tokio::test]
async fn a_longpoll_waits_for_a_change() {
    let double = Dropbox::start().await;
    run(&double, "a_change_arrives").await;
    double.set_longpoll_second(Duration::from_millis(10));
    double.set_longpoll_backoff(Some(60));
    run_with(&double, &double.token(), "nothing_changes", &["60"]).await;
}

#[tokio::test]
async fn a_thousand_files_take_four_requests() {
    let double = Dropbox::start().await;
    run_with(&double, &double.token(), "many_files_in_few_requests", &["1000"]).await;
    assert_eq!(double.files(), 1001);
    assert_eq!(double.requests().of("files/upload_session/start_batch"), 1);
    assert_eq!(double.requests().of("files/upload_session/append_batch"), 2);
    assert_eq!(double.requests().most_at_once("files/upload_session/finish_batch_v2"), 1);
}

#[tokio::test]
async fn sessions_mind_offsets_and_ends() {
    let double = Dropbox::start().await;
    run(&double, "one_session").await;
    run(&double, "lengths_must_fit").await;
    run(&double, "the_old_batch").await;
    double.refuse_entries("busy", 1);
    run(&double, "an_entry_is_refused").await;
}

#[tokio::test]
async fn deletes_by_rev_and_in_batches() {
    run(&Dropbox::start().await, "deletes").await;
}

#[tokio::test]
async fn folders_are_made_and_moved() {
    run(&Dropbox::start().await, "folders_and_moves").await;
}

#[tokio::test]
async fn files_are_copied() {
    run(&Dropbox::start().await, "copies").await;
}

#[tokio::test]
async fn a_code_is_exchanged_by_its_verifier() {
    let double = Dropbox::start().await;
    // S256 of 43 times `v`, the verifier of the script.
    let code = double.allow("7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM", None);
    run_with(&double, &double.token(), "a_code_becomes_tokens", &[&code]).await;
}

#[tokio::test]
async fn a_user_signs_in_by_the_browser() {
    run(&Dropbox::start().await, "a_user_signs_in").await;
}

#[tokio::test]
async fn tokens_end() {
    let double = Dropbox::start().await;
    double.expire_tokens();
    run(&double, "an_expired_token_is_refreshed").await;
    assert_eq!(double.requests().of("oauth2/token"), 1);
    double.set_token_life(Duration::from_secs(100));
    run_with(&double, &double.token(), "a_token_is_refreshed_before_it_ends", &["100"]).await;
    assert_eq!(double.requests().of("oauth2/token"), 3);
    double.revoke_all();
    run(&double, "what_is_revoked_is_refused").await;
}

#[tokio::test]
async fn tokens_allow_what_was_granted() {
    let double = Dropbox::start().await;
    let token = double.token_for(&["files.metadata.read"]);
    run_with(&double, &token, "a_scope_is_missing", &[]).await;
    run(&double, "the_user_signs_out").await;
}

#[tokio::test]
async fn limits_are_told_and_waited_for() {
    let double = Dropbox::start().await;
    for answer in [
        answers::rate_limited(7),
        answers::rate_limited_text(8),
        answers::too_many_write_operations(None),
        answers::too_many_write_operations(Some(3)),
    ] {
        double.faults().fail("files/upload", "/a", Fault::Answer(answer));
    }
    run(&double, "a_limit_is_seen").await;
    double.faults().fail("files/upload", "/limited", Fault::Answer(answers::rate_limited(1)));
    double.faults().fail("files/upload", "/failing", Fault::Answer(answers::server_error(503)));
    run(&double, "a_limit_is_waited_for").await;
    assert_eq!((double.faults().happened(), double.files()), (6, 3));
}

#[tokio::test]
async fn wrong_calls_are_not_understood() {
    run(&Dropbox::start().await, "wrong_calls_are_refused").await;
}
