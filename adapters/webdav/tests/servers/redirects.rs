//! Redirects are followed to the same server only: documents and passwords go to no other.

use std::sync::{Arc, Mutex};

use db_to_cloud::{Adapter, ErrorKind, Key};
use db_to_cloud_webdav::{Credentials, WebDavConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that answers each request with the next of these, and what it was asked.
pub(crate) async fn answering(answers: Vec<String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            heard.lock().unwrap().push(request);
            // The answer to a HEAD may promise a body.
            let length = answer.split_once("X-Length: ").map_or("0", |(_, length)| length);
            let head = format!("Connection: close\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(format!("HTTP/1.1 {answer}\r\n{head}").as_bytes()).await.unwrap();
        }
    });
    (port, asked)
}

pub(crate) fn config(port: u16) -> WebDavConfig {
    WebDavConfig::new(format!("http://127.0.0.1:{port}/dav"))
        .with_credentials(Credentials::bearer("token"))
}

#[tokio::test]
async fn within_the_server_they_are_followed_with_method_and_credentials() {
    let answers = ["307 Elsewhere\r\nLocation: /new/meta.json", "201 Created"];
    let (port, asked) = answering(answers.map(str::to_owned).to_vec()).await;
    config(port).build().unwrap().put(&Key::metadata(), "x".into()).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    assert!(asked[1].starts_with("PUT /new/meta.json "), "{asked:?}");
    assert!(asked[1].contains("Bearer token"), "{asked:?}");
}

#[tokio::test]
async fn to_another_server_they_are_told_and_not_followed() {
    let (stranger, heard) = answering(vec!["201 Created".to_owned()]).await;
    let place = format!("302 Elsewhere\r\nLocation: http://127.0.0.1:{stranger}/x?secret=1");
    let (port, _) = answering(vec![place]).await;
    let put = config(port).build().unwrap().put(&Key::metadata(), "x".into()).await;
    let error = put.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&format!("127.0.0.1:{stranger}/x")), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn in_a_circle_they_end() {
    let circle = "302 Elsewhere\r\nLocation: /dav/meta.json".to_owned();
    let (port, _) = answering(vec![circle; 9]).await;
    let error = config(port).build().unwrap().get(&Key::metadata()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_passed_on_and_kept_by_all() {
    for (answer, kind, pause) in [
        ("429 Slow\r\nRetry-After: 70", ErrorKind::Throttled, Some(70)),
        ("503 Slow\r\nRetry-After: 90", ErrorKind::Throttled, Some(90)),
        ("503 Maintenance", ErrorKind::Unavailable, None),
    ] {
        let (port, asked) = answering(vec![answer.to_owned()]).await;
        let storage = config(port).build().unwrap();
        let error = storage.get(&Key::metadata()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after().map(|p| p.as_secs())), (kind, pause));
        let Some(pause) = pause else { continue };
        // Another request of the same client.
        let error = storage.list(db_to_cloud::Folder::Documents, None).await.unwrap_err();
        assert_eq!((error.kind(), asked.lock().unwrap().len()), (kind, 1));
        assert!((pause - 5..=pause).contains(&error.retry_after().unwrap().as_secs()));
    }
}
