//! Documents and other objects: ids, twins, and lists that lag (rule S1).

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::memory::MemoryState;
use db_to_cloud::{Adapter, Created, DocumentId, Folder, Key, VersionId};
use db_to_cloud_test_doubles::drive::Space;
use db_to_cloud_test_doubles::{Drive, Fault};
use db_to_cloud_test_servers::Device;

use crate::support::{config, open};

fn document(n: u128) -> Key {
    Key::document(&DocumentId::from("note"), VersionId::from(n))
}

/// An entry, as far as this adapter looks into it.
fn entry(n: u128) -> String {
    format!("{{\"changes\":[{{\"vid\":\"{}\"}}]}}", VersionId::from(n))
}

fn files(double: &Drive) -> usize {
    double.stored(Space::Drive).iter().filter(|file| file.name.starts_with("note.")).count()
}

#[tokio::test]
async fn a_document_is_read_by_the_id_in_its_commit_while_lists_lag() {
    let double = Drive::start().await;
    let config = config(&double);
    let (alice, bob) = (open(&config), open(&config));
    alice.create(&Key::change(1), "first".into()).await.unwrap();
    bob.get(&Key::change(1)).await.unwrap().unwrap();
    double.set_list_lag(Duration::from_secs(3600));
    alice.put(&document(1), "text".into()).await.unwrap();
    alice.create(&Key::change(2), entry(1).into()).await.unwrap();
    assert_eq!(bob.get(&Key::change(2)).await.unwrap().unwrap(), entry(1));
    double.requests().forget();
    assert_eq!(bob.get(&document(1)).await.unwrap().unwrap(), "text");
    assert_eq!(double.requests().total(), 1);
    // Never stored, and no commit names it.
    assert_eq!(bob.get(&document(2)).await.unwrap(), None);
}

/// Killed between the uploads and the commit; the next process sends the recorded commit.
#[tokio::test]
async fn a_commit_that_is_sent_again_by_another_process_still_tells_its_documents() {
    let double = Drive::start().await;
    let state = Arc::new(MemoryState::new());
    let config = config(&double);
    let remembering = config.clone().with_state(state);
    {
        let killed = open(&remembering);
        killed.put(&document(1), "text".into()).await.unwrap();
        double.faults().fail("files.upload", "1.json", Fault::DropBefore);
        killed.create(&Key::change(1), entry(1).into()).await.unwrap_err();
    }
    let next = open(&remembering);
    assert_eq!(next.create(&Key::change(1), entry(1).into()).await.unwrap(), Created::New);
    let reader = open(&config);
    reader.get(&Key::change(1)).await.unwrap().unwrap();
    double.set_list_lag(Duration::from_secs(3600));
    assert_eq!(reader.get(&document(1)).await.unwrap().unwrap(), "text");
}

/// Uploads that were refused, lost or late leave one file, and that is whole.
#[tokio::test]
async fn a_repeated_put_makes_no_second_file() {
    let double = Drive::start().await;
    let config = config(&double).with_request_timeout(Duration::from_secs(1));
    let storage = open(&config);
    storage.create(&Key::change(1), "first".into()).await.unwrap();
    let drive = db_to_cloud_test_doubles::drive::user_rate_limit();
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::HangAfter,
        Fault::Late(Duration::from_millis(200)),
        Fault::AnswerAfter(db_to_cloud_test_doubles::drive::backend_error()),
        Fault::Truncated,
        // It says no, and did it all the same.
        Fault::AnswerAfter(drive),
    ];
    for (n, fault) in (1..).zip(faults) {
        let text = format!("{fault:?}");
        double.faults().fail("files.upload", "note.", fault);
        let failed = storage.put(&document(n), "text".into()).await.unwrap_err();
        assert!(failed.is_transient(), "{text}: {failed:?}");
        tokio::time::sleep(Duration::from_millis(400)).await;
        storage.put(&document(n), "text".into()).await.unwrap();
        assert_eq!(storage.get(&document(n)).await.unwrap().unwrap(), "text", "{text}");
        assert_eq!(files(&double), n as usize, "{text}");
    }
}

/// Another device put the same version again, for it was said to be missing (rule D2).
#[tokio::test]
async fn twins_are_one_object() {
    let double = Drive::start().await;
    let config = config(&double);
    for _ in 0..2 {
        open(&config).put(&document(1), "text".into()).await.unwrap();
    }
    assert_eq!(files(&double), 2);
    let storage = open(&config);
    double.set_pages(1, false);
    let mut listed = Vec::new();
    let mut page = None;
    loop {
        let answer = storage.list(Folder::Documents, page.as_deref()).await.unwrap();
        listed.extend(answer.keys);
        page = answer.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(listed, [document(1)], "also if they are on two pages");
    assert_eq!(storage.get(&document(1)).await.unwrap().unwrap(), "text");
    storage.delete(&document(1)).await.unwrap();
    assert_eq!(files(&double), 0);
    assert_eq!(storage.get(&document(1)).await.unwrap(), None);
}

/// The file of a document was deleted by hand, and a device that has the bytes puts it again.
#[tokio::test]
async fn a_document_that_was_deleted_by_hand_comes_back_under_another_id() {
    let double = Drive::start().await;
    let config = config(&double);
    let (alice, bob) = (open(&config), open(&config));
    alice.put(&document(1), "text".into()).await.unwrap();
    alice.create(&Key::change(1), entry(1).into()).await.unwrap();
    bob.get(&Key::change(1)).await.unwrap().unwrap();
    let stored = double.stored(Space::Drive);
    let file = stored.iter().find(|file| file.name.starts_with("note.")).unwrap();
    double.delete(&file.id);
    assert_eq!(bob.get(&document(1)).await.unwrap(), None);
    alice.put(&document(1), "text".into()).await.unwrap();
    assert_eq!(bob.get(&document(1)).await.unwrap().unwrap(), "text");
}

/// Beyond 5 MB in chunks: a lost one is sent again, from where the others end.
#[tokio::test]
async fn a_large_document_survives_lost_chunks() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|i| (i % 251) as u8).collect();
    storage.create(&Key::change(1), "first".into()).await.unwrap();
    let backend_error = db_to_cloud_test_doubles::drive::backend_error;
    double.faults().fail("files.chunk", "", Fault::DropAfter);
    double.faults().fail("files.chunk", "", Fault::Answer(backend_error()));
    double.requests().forget();
    let put = storage.put(&document(1), bytes.clone().into()).await;
    // The question after a lost chunk may be lost, too: then the core repeats the whole.
    if let Err(error) = put {
        assert!(error.is_transient(), "{error:?}");
        storage.put(&document(1), bytes.clone().into()).await.unwrap();
    }
    assert!(storage.get(&document(1)).await.unwrap().unwrap() == bytes);
    assert_eq!(files(&double), 1);
    // Replaced, and the answer to the last chunk is lost: asking tells.
    let other = bytes[..6_000_000].to_vec();
    double.faults().fail("files.chunk", "", Fault::DropAfter);
    storage.put(&document(1), other.clone().into()).await.unwrap();
    assert!(storage.get(&document(1)).await.unwrap().unwrap() == other);
}

/// A whole sync of large documents by a new device, from a snapshot or not, with names found an hour late.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_gets_all_documents_while_names_lag() {
    let double = Drive::start().await;
    double.set_name_lag(Duration::from_secs(3600));
    double.set_pages(7, true);
    let config = config(&double);
    let alice = Device::new("alice", Arc::new(open(&config)));
    for round in 0..30 {
        alice.edit(&format!("note {round}"), &"large ".repeat(2000)).await;
        alice.sync().await;
    }
    let bob = Device::new("bob", Arc::new(open(&config)));
    bob.sync().await;
    assert_eq!((bob.all().len(), bob.all()), (30, alice.all()));
}
