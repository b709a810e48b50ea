//! Notes on two devices, and what the status line says meanwhile.

use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use db_to_cloud::SyncOptions;
use db_to_cloud_notes::App;
use db_to_cloud_notes::sync::{Told, run};
use ratatui::crossterm::event::KeyCode;
use tokio::sync::mpsc::unbounded_channel;

use crate::device::{Device, pair};

#[tokio::test]
async fn a_note_of_one_device_comes_to_the_other_and_back() {
    let (_folder, mut laptop, mut phone) = pair();
    laptop.writes("Shopping\nmilk").sync().await.waits(3).sees("synced 3 s ago");
    phone.sees("connecting").sees_no("Shopping");
    phone.sync().await.sees("synced just now").sees("Shopping");
    phone.waits(10).key(KeyCode::Enter).types("\nbread").key(KeyCode::Esc).sync().await;
    laptop.sync().await.sees("bread");
    laptop.types("d").sync().await;
    phone.sync().await.sees("no note yet");
    laptop.types("u").sync().await;
    phone.sync().await.sees("bread");
}

#[tokio::test]
async fn a_note_that_is_open_shows_what_came() {
    let (_folder, mut laptop, mut phone) = pair();
    laptop.writes("milk").sync().await;
    phone.sync().await.key(KeyCode::Enter).sees("editing");
    laptop.waits(1).key(KeyCode::Enter).types(" and bread").key(KeyCode::Esc).sync().await;
    phone.waits(2).sync().await.sees("editing").sees("milk and bread");
    phone.types("!");
    assert_eq!(phone.notes(), ["milk! and bread"]);
}

#[tokio::test]
async fn killed_in_the_middle_of_typing_and_of_syncing() {
    let (_folder, mut laptop, mut phone) = pair();
    for i in 0..20 {
        laptop.writes(&format!("note {i}"));
    }
    laptop.types("nhalf a wo");
    for polls in (0..60).step_by(3) {
        // The program ends after so many steps of the sync.
        let mut sync = Box::pin(laptop.client.sync());
        for _ in 0..polls {
            if is_done_after_a_step(&mut sync).await {
                break;
            }
        }
        drop(sync);
        laptop = laptop.killed();
    }
    laptop.sync().await.sees("21 notes");
    phone.sync().await.sees("21 notes");
    assert!(phone.notes().contains(&"half a wo".to_owned()));
    assert_eq!(laptop.notes(), phone.notes());
}

/// Polls once, and lets threads work for a moment.
async fn is_done_after_a_step<F: Future + Unpin>(future: &mut F) -> bool {
    let done = std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_ready())
    });
    let done = done.await;
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    done
}

#[tokio::test]
async fn many_deletes_are_asked_about_first() {
    let (_folder, mut laptop, mut phone) = pair();
    for i in 0..40 {
        laptop.writes(&format!("note {i}"));
    }
    laptop.sync().await;
    phone.sync().await.sees("40 notes");
    laptop.types(&"d".repeat(40)).sync().await;
    phone.sync().await.sees("not synced: press s for a question").sees("40 notes");
    phone.types("s").sees("40 of 40 documents would be deleted on");
    phone.types("n");
    assert_eq!(phone.ordered(), []);
    phone.sync().await.sees("40 notes").types("sy").sync().await;
    phone.sees("no note yet").sees("synced just now");
}

#[tokio::test]
async fn another_storage_in_the_same_place_is_asked_about_and_loses_nothing() {
    let (folder, mut laptop, mut phone) = pair();
    laptop.writes("mine").sync().await;
    phone.sync().await;
    std::fs::remove_dir_all(folder.path().join("cloud")).unwrap();
    let mut stranger = Device::new(folder.path(), "stranger");
    stranger.writes("theirs").sync().await.writes("more of theirs").sync().await;
    laptop = laptop.killed();
    laptop.sync().await.sees("not synced: press s for a question").sees("mine");
    laptop.types("sy");
    assert_eq!(laptop.notes(), ["mine"]);
    laptop.sync().await.sees("synced just now");
    assert!(laptop.notes().contains(&"theirs".to_owned()));
}

/// The background itself, on a drive that is not there at first.
#[tokio::test(flavor = "multi_thread")]
async fn a_drive_that_comes_later_is_synced_with() {
    let folder = tempfile::tempdir().unwrap();
    let (database, drive) = (folder.path().join("laptop.db"), folder.path().join("drive"));
    let ((told, news), (orders, obeyed)) = (channel(), unbounded_channel());
    let mut app = App::open(&database, orders.clone(), SystemTime::now().into()).unwrap();
    "nmilk".chars().for_each(|c| app.key(KeyCode::Char(c).into()));
    let url = drive.join("cloud").to_str().unwrap().to_owned();
    let syncing = tokio::spawn(run(database, url, "laptop".to_owned(), told, obeyed));
    let next = || loop {
        match news.recv_timeout(Duration::from_secs(20)).unwrap() {
            Told::Step(_) => {}
            told => return told,
        }
    };
    assert!(matches!(tokio::task::block_in_place(next), Told::Retry(..)));
    std::fs::create_dir(&drive).unwrap();
    orders.send(SyncOptions::default()).unwrap();
    let Told::Synced(report) = tokio::task::block_in_place(next) else { panic!("it is there") };
    assert_eq!(report.pushed, 1);
    drop((app, orders));
    syncing.await.unwrap();
}

#[tokio::test]
async fn an_order_is_given_with_s() {
    let (_folder, mut laptop, _) = pair();
    laptop.types("s");
    assert_eq!(laptop.ordered(), [SyncOptions::default()]);
}
