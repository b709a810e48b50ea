//! Copies that a server makes, refuses, or claims to have made.

use std::time::Duration;

use db_to_cloud::{Adapter, Copied, Effect, ErrorKind, Key};
use db_to_cloud_test_servers::{Fault, FaultProxy, Faults};

use crate::redirects::{answering, config};
use crate::support::{self, apache, open, sabre};

fn key(name: &str) -> Key {
    Key::parse(&format!("docs/{name}")).unwrap()
}

#[tokio::test]
async fn a_copy_names_the_whole_destination() {
    let (port, asked) = answering(vec!["201 Created".to_owned()]).await;
    let storage = config(port).build().unwrap();
    assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
    let asked = asked.lock().unwrap()[0].clone();
    assert!(asked.starts_with("COPY /dav/docs/old HTTP/1.1\r\n"), "{asked}");
    let destination = format!("destination: http://127.0.0.1:{port}/dav/docs/new\r\n");
    for header in [&*destination, "overwrite: F\r\n", "depth: 0\r\n"] {
        assert!(asked.contains(header), "{asked}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_copy_is_asked_once() {
    for status in [200, 202, 207, 400, 403, 405, 409, 415, 501, 502] {
        let (port, asked) = answering(vec![format!("{status} No"); 9]).await;
        let storage = config(port).build().unwrap();
        for _ in 0..2 {
            let copied = storage.copy(&key("old"), &key("new")).await.unwrap();
            assert_eq!(copied, Copied::Unsupported, "{status}");
        }
        assert_eq!(asked.lock().unwrap().len(), 1, "{status}");
    }
}

/// The next copy is asked for.
#[tokio::test]
async fn an_answer_about_one_copy_is_not_remembered() {
    let expected = [
        ("412 There", Ok(Copied::Unsupported)),
        ("404 None", Ok(Copied::Missing)),
        ("410 None", Ok(Copied::Missing)),
        ("401 Who", Err((ErrorKind::Unauthorized, Effect::None))),
        ("423 Locked", Err((ErrorKind::Unavailable, Effect::None))),
        ("500 Failed", Err((ErrorKind::Unavailable, Effect::Unknown))),
        ("507 Full", Err((ErrorKind::Full, Effect::None))),
        ("200 OK\r\nContent-Type: text/html", Err((ErrorKind::Unavailable, Effect::Unknown))),
    ];
    for (answer, want) in expected {
        let (port, _) = answering(vec![answer.to_owned(), "204 Done".to_owned()]).await;
        let storage = config(port).build().unwrap();
        let copied = storage.copy(&key("old"), &key("new")).await;
        assert_eq!(copied.map_err(|e| (e.kind(), e.effect())), want, "{answer}");
        assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done, "{answer}");
    }
}

/// Plain sabre/dav says 201 although its disk is full: the lengths are compared.
#[tokio::test]
async fn sabre_is_believed_when_both_lengths_are_equal() {
    let length = |n: &str| format!("200 OK\r\nX-Length: {n}");
    let claims = "201 Created\r\nX-Sabre-Version: 1.8.12";
    for (lengths, want) in [
        (["7", "7"], Copied::Done),
        (["0", "7"], Copied::Unsupported),
        (["7", "0"], Copied::Unsupported),
    ] {
        let answers = [claims.to_owned(), length(lengths[0]), length(lengths[1])];
        let (port, asked) = answering(answers.to_vec()).await;
        let storage = config(port).build().unwrap();
        assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), want, "{lengths:?}");
        let asked = asked.lock().unwrap();
        assert!(asked[1].starts_with("HEAD /dav/docs/new "), "{asked:?}");
        assert!(asked[2].starts_with("HEAD /dav/docs/old "), "{asked:?}");
    }
}

/// Told to overwrite, it deletes the copy, and answers 404 for the original.
#[tokio::test]
async fn a_copy_that_arrives_late_does_not_delete_the_copy_at_sabre() {
    let storage = open(&support::config(sabre()));
    storage.put(&key("old"), "content".into()).await.unwrap();
    assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
    storage.delete(&key("old")).await.unwrap();
    storage.copy(&key("old"), &key("new")).await.unwrap();
    assert_eq!(storage.get(&key("new")).await.unwrap().unwrap(), "content");
}

#[tokio::test]
async fn an_unclear_copy_is_unknown_and_may_be_repeated() {
    let faults = Faults::default();
    let proxy = FaultProxy::start(apache().port(), faults.clone()).await.unwrap();
    let config = support::config_at(apache(), &proxy.url());
    let storage = open(&config.with_request_timeout(Duration::from_secs(2)));
    let old = key("old");
    storage.put(&old, "content".into()).await.unwrap();
    let unclear = [
        (Fault::DropBefore, false),
        (Fault::DropAfter, true),
        (Fault::HangAfter, true),
        (Fault::FailAfter, true),
        (Fault::Portal, false),
    ];
    for (n, (fault, stored)) in unclear.into_iter().enumerate() {
        let new = key(&format!("new{n}"));
        faults.fail("COPY", "/docs/old", fault);
        let error = storage.copy(&old, &new).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}");
        assert!(error.is_transient(), "{fault:?}: {error:?}");
        assert_eq!(storage.get(&new).await.unwrap().is_some(), stored, "{fault:?}");
        // What is there is uploaded by who asks for it again.
        let want = if stored { Copied::Unsupported } else { Copied::Done };
        assert_eq!(storage.copy(&old, &new).await.unwrap(), want, "{fault:?}");
        assert_eq!(storage.get(&new).await.unwrap().unwrap(), "content");
    }
}
