//! The binary is killed at random moments while two devices edit and sync; no edit is lost.
//!
//! `DB_TO_CLOUD_KILLS` sets how many kills, `DB_TO_CLOUD_SEED` repeats the choices of a run.

mod edits;
mod moments;
mod random;
mod story;

use std::env;
use std::thread;
use std::time::Duration;

use db_to_cloud_test_servers::{FaultProxy, Faults, Server};

use crate::world::World;
use moments::Moments;
use random::Random;
use story::Story;

/// Two devices and one that comes late.
const DEVICES: [&str; 3] = ["a", "b", "c"];
/// So many requests of a thousand fail on their way to a bucket.
const FAULTS: u64 = 60;
/// A commit through WebDAV is four requests, the first one more than a hundred.
const FAULTS_OF_WEBDAV: u64 = 40;

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// How many kills, and what the choices begin with.
fn settings(usual: u64) -> (u64, u64) {
    let kills = setting("DB_TO_CLOUD_KILLS").unwrap_or(usual);
    let seed = setting("DB_TO_CLOUD_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("DB_TO_CLOUD_SEED={seed} DB_TO_CLOUD_KILLS={kills}");
    (kills, seed)
}

/// Few kills may by chance all come too early.
fn assert_hit(moments: &Moments, kills: u64) {
    println!("{moments}");
    if kills >= 40 {
        moments.assert_hit();
    }
}

#[test]
fn no_edit_is_lost_whenever_the_binary_is_killed() {
    let (kills, seed) = settings(200);
    let world = World::new(&DEVICES);
    let mut story = Story::begin(&world, Random::new(seed));
    story.edit_and_kill(kills);
    assert_hit(story.moments(), kills);
    story.end();
}

#[test]
fn no_edit_is_lost_between_kills_and_a_bucket_that_is_hard_to_reach() {
    let server = Server::minio();
    server.make_bucket("notes");
    hard_to_reach(&server, 60, FAULTS, |proxy| format!("s3://notes/ada?endpoint={proxy}"));
}

#[test]
fn no_edit_is_lost_between_kills_and_an_apache_that_is_hard_to_reach() {
    hard_to_reach(&Server::apache(), 60, FAULTS_OF_WEBDAV, collection);
}

/// It knows no conditions at all.
#[test]
fn no_edit_is_lost_between_kills_and_an_nginx_that_is_hard_to_reach() {
    hard_to_reach(&Server::nginx(), 40, FAULTS_OF_WEBDAV, collection);
}

/// A few kills each: the other ways of answering.
#[test]
fn no_edit_is_lost_between_kills_and_the_other_servers_of_webdav() {
    let servers = [Server::lighttpd, Server::wsgidav, Server::sabre, Server::rclone_webdav];
    for start in servers {
        let server = start();
        println!("{}", server.name());
        hard_to_reach(&server, 15, FAULTS_OF_WEBDAV, collection);
    }
}

fn collection(proxy: &str) -> String {
    format!("{}/apps/my notes", proxy.replace("http://", "webdav://ada@"))
}

/// The story behind a proxy that fails so often, with the URL that the proxy's address gives.
fn hard_to_reach(server: &Server, usual: u64, rate: u64, url: impl Fn(&str) -> String) {
    let (kills, seed) = settings(usual);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = Faults::random(seed, rate);
    let proxy = runtime.block_on(FaultProxy::start(server.port(), faults.clone())).unwrap();
    let world = World::with_cloud(&DEVICES, url(&proxy.url()));
    let mut story = Story::begin(&world, Random::new(seed)).hard_to_reach();
    story.edit_and_kill(kills);
    faults.heal();
    let (happened, requests) = faults.counts();
    println!("{requests} requests, {happened:?}");
    let (kinds, happened) = (happened.len(), happened.values().sum::<usize>());
    let few = if kills >= 40 { (3, 8) } else { (1, 1) };
    assert!(kinds > few.0 && happened > few.1, "the proxy was idle");
    assert_hit(story.moments(), kills);
    // What is late arrives.
    thread::sleep(Duration::from_secs(1));
    story.end();
}
