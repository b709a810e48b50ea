//! db-to-cloud's old way of working: one document a request, one request at a time. The requests for
//! its lock and its log are left out, and so is what it wrote beside the documents.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud_test_servers::{PASSWORD, USER};
use reqwest::Method;

use crate::{DOCUMENTS, Way, content, name};

/// Three devices with their documents in memory, and a client each that is set up as the adapter's.
pub(crate) struct OneByOne {
    url: String,
    devices: Vec<(reqwest::Client, Vec<Bytes>)>,
    /// How many documents the first device has changed, and how many each other has not seen.
    changed: usize,
    unseen: [usize; 3],
}

impl OneByOne {
    pub(crate) async fn new(url: &str) -> Self {
        let device = |_| {
            let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(5));
            (http.build().unwrap(), vec![Bytes::new(); DOCUMENTS])
        };
        let devices = (0..3).map(device).collect();
        let ways = Self { url: url.to_owned(), devices, changed: 0, unseen: [0; 3] };
        // Not timed, as its client's own name.
        let mkcol = Method::from_bytes(b"MKCOL").unwrap();
        ways.request(&reqwest::Client::new(), mkcol, "", Bytes::new()).await;
        ways
    }

    async fn request(
        &self,
        http: &reqwest::Client,
        method: Method,
        name: &str,
        body: Bytes,
    ) -> Bytes {
        let url = format!("{}/{name}", self.url);
        let request = http.request(method, url).basic_auth(USER, Some(PASSWORD)).body(body);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap()
    }
}

#[async_trait]
impl Way for OneByOne {
    async fn edit(&mut self, documents: usize, text: &str) {
        for (i, document) in self.devices[0].1.iter_mut().enumerate().take(documents) {
            *document = content(i, text).into();
        }
        self.changed = documents;
        self.unseen = self.unseen.map(|unseen| unseen.max(documents));
    }

    async fn push(&mut self) {
        let (http, documents) = &self.devices[0];
        for (i, document) in documents.iter().enumerate().take(self.changed) {
            self.request(http, Method::PUT, &name(i), document.clone()).await;
        }
        // What tells others that there is something new.
        self.request(http, Method::PUT, "meta.json", Bytes::from_static(b"{}")).await;
    }

    async fn pull(&mut self, device: usize) {
        let http = self.devices[device].0.clone();
        self.request(&http, Method::GET, "meta.json", Bytes::new()).await;
        for i in 0..std::mem::take(&mut self.unseen[device]) {
            self.devices[device].1[i] =
                self.request(&http, Method::GET, &name(i), Bytes::new()).await;
        }
    }

    fn check(&self) {
        for (_, documents) in &self.devices[1..] {
            assert_eq!(*documents, self.devices[0].1);
        }
    }
}
