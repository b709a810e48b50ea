//! Requests word for word.

use std::time::Duration;

use db_to_cloud_test_doubles::Dropbox;
use reqwest::{Client, RequestBuilder, Response};

/// Someone with a token.
pub(super) struct Caller {
    http: Client,
    pub(super) double: Dropbox,
}

impl Caller {
    pub(super) async fn new() -> Self {
        let patience = Duration::from_secs(4);
        let http = Client::builder().timeout(patience).build().unwrap();
        Self { http, double: Dropbox::start().await }
    }

    /// A request with a token and nothing else.
    pub(super) fn request(&self, route: &str) -> RequestBuilder {
        let url = format!("{}/2/files/{route}", self.double.url());
        self.http.post(url).bearer_auth(self.double.token())
    }

    pub(super) async fn rpc(&self, route: &str, arg: &str) -> reqwest::Result<(u16, String)> {
        let request = self.request(route).header("content-type", "application/json");
        read(request.body(arg.to_owned()).send().await?).await
    }

    pub(super) async fn upload(&self, path: &str, body: &str) -> reqwest::Result<(u16, String)> {
        let arg = format!(r#"{{"path": "{path}", "strict_conflict": true}}"#);
        let request = self.request("upload").header("content-type", "application/octet-stream");
        let request = request.header("dropbox-api-arg", arg).body(body.to_owned());
        read(request.send().await?).await
    }

    /// What is in a file.
    pub(super) fn content(&self, path: &str) -> Option<String> {
        let content = self.double.content(path)?;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// Until the file is as it should be, for a while.
    pub(super) async fn wait_until(&self, path: &str, content: Option<&str>) {
        for _ in 0..400 {
            if self.content(path).as_deref() == content {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{path} never became {content:?}");
    }

    /// Closed sessions with these contents.
    pub(super) async fn sessions(&self, contents: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for content in contents {
            let request = self.request("upload_session/start");
            let request = request.header("content-type", "application/octet-stream");
            let request = request.header("dropbox-api-arg", r#"{"close": true}"#);
            let answer = request.body((*content).to_owned()).send().await.unwrap();
            let text = answer.text().await.unwrap();
            ids.push(text.split('"').nth(3).unwrap().to_owned());
        }
        ids
    }

    /// Finishes one session in a batch of its own.
    pub(super) async fn finish(&self, id: &str, length: usize, path: &str) -> (u16, String) {
        let cursor = format!(r#"{{"session_id": "{id}", "offset": {length}}}"#);
        let entry = format!(r#"{{"cursor": {cursor}, "commit": {{"path": "{path}"}}}}"#);
        let arg = format!(r#"{{"entries": [{entry}]}}"#);
        self.rpc("upload_session/finish_batch_v2", &arg).await.unwrap()
    }
}

/// Status and text.
pub(super) async fn read(answer: Response) -> reqwest::Result<(u16, String)> {
    let status = answer.status().as_u16();
    answer.text().await.map(|text| (status, text))
}
