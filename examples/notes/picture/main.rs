//! The picture in the README: a story of two devices that edited one note.
//!
//! `cargo run -p db-to-cloud-notes --example picture` draws it anew.

#[path = "../tests/notes/device.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it is made for tests, which need more of it")]
mod device;
mod svg;

use std::path::Path;

use ratatui::crossterm::event::KeyCode;

use crate::device::pair;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/picture.svg");

#[tokio::main]
async fn main() -> std::io::Result<()> {
    std::fs::write(Path::new(PICTURE), picture().await)
}

/// The laptop was away while the phone went on; then it came back.
async fn picture() -> String {
    let (_folder, mut laptop, mut phone) = pair();
    laptop.writes("Wi-Fi of the cabin\nbehind the clock").waits(20);
    laptop.writes("Garden\nprune the apple tree\nseeds: beans, peas").waits(20);
    laptop.writes("Shopping\nmilk\nbread").sync().await;
    phone.waits(60).sync().await;
    phone.types("j").key(KeyCode::Enter).types(", kale").key(KeyCode::Esc).waits(90);
    phone.types("/shopping\n").key(KeyCode::Enter).types("\napples").key(KeyCode::Esc);
    phone.key(KeyCode::Esc).sync().await.waits(3);
    laptop.waits(90).key(KeyCode::Enter).types("\npears, if ripe").key(KeyCode::Esc);
    laptop.waits(150).sync().await.types("c");
    svg::of(&[("phone", phone.buffer()), ("laptop", laptop.buffer())])
}

#[tokio::test]
async fn the_picture_is_what_the_program_shows() {
    let kept = std::fs::read_to_string(PICTURE).unwrap();
    let how = "draw it anew: cargo run -p db-to-cloud-notes --example picture";
    assert!(picture().await == kept, "{how}");
}
