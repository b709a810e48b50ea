//! Documents of 300 bytes pushed to and pulled from a MinIO, beside a bare loop of parallel requests
//! with the same SDK and as many at once: `cargo xtask bench s3`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials as Keys, Region};
use aws_sdk_s3::primitives::ByteStream;
use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{Client, DocumentId, RemoteWins};
use db_to_cloud_s3::{Credentials, S3Adapter, S3Config};
use db_to_cloud_test_servers::{KEY_ID, SECRET, Server};
use futures::StreamExt;

const BYTES: usize = 300;
const CONCURRENCY: usize = 16;
const ROUNDS: usize = 5;

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Server::minio();
        println!(
            "{BYTES} bytes a document, {CONCURRENCY} requests at once; medians of {ROUNDS} rounds"
        );
        for documents in [1_000, 10_000] {
            let mut rounds = Vec::new();
            for round in 0..ROUNDS {
                rounds.push(measure(&server, documents, round).await);
            }
            report(documents, &rounds);
        }
    });
}

/// Seconds, and requests of the syncs.
struct Round {
    bare_put: f64,
    bare_get: f64,
    push: f64,
    pull: f64,
    requests: [u64; 2],
}

async fn measure(server: &Server, documents: usize, round: usize) -> Round {
    let bucket = format!("bench-{documents}-{round}");
    let config = S3Config::minio(server.url(), &bucket)
        .with_concurrency(CONCURRENCY)
        .with_credentials(Credentials::explicit(KEY_ID, SECRET));
    let storage = config.build().unwrap();
    storage.create_bucket_if_missing().await.unwrap();
    let bare = Bare { sdk: sdk(server), bucket };
    // The machine has other things to do, now more, now less: they take turns at being first.
    let (bare, syncs) = match round.is_multiple_of(2) {
        true => (bare.both(documents).await, syncs(&storage, documents).await),
        false => {
            let syncs = syncs(&storage, documents).await;
            (bare.both(documents).await, syncs)
        }
    };
    let ([bare_put, bare_get], ([push, pull], requests)) = (bare, syncs);
    Round { bare_put, bare_get, push, pull, requests }
}

/// One device's first push, which includes the probe, and another's first pull.
async fn syncs(storage: &S3Adapter, documents: usize) -> ([f64; 2], [u64; 2]) {
    let (alice, on_alice) = device(storage);
    let (bob, on_bob) = device(storage);
    for i in 0..documents {
        alice.save(id(i), content(i));
    }
    let ids: Vec<_> = (0..documents).map(id).collect();
    on_alice.queue_changes(&ids).await.unwrap();
    let began = Instant::now();
    let pushed = on_alice.sync().await.unwrap();
    let push = began.elapsed().as_secs_f64();
    assert_eq!(pushed.pushed, documents as u64);
    let began = Instant::now();
    let pulled = on_bob.sync().await.unwrap();
    let pull = began.elapsed().as_secs_f64();
    assert_eq!(*bob.documents(), *alice.documents());
    ([push, pull], [pushed.requests.total(), pulled.requests.total()])
}

fn report(documents: usize, rounds: &[Round]) {
    let [up, down] = rounds[0].requests;
    let line =
        |name: &str, of: fn(&Round) -> f64, requests: u64, bare: Option<fn(&Round) -> f64>| {
            let [_, seconds, _] = spread(rounds.iter().map(of));
            let rate = documents as f64 / seconds;
            print!("  {name:<12} {rate:>9.0} {seconds:>9.3} {requests:>9}");
            if let Some(bare) = bare {
                let [least, median, most] = spread(rounds.iter().map(|r| bare(r) / of(r)));
                print!("   {median:.2} ({least:.2} to {most:.2})");
            }
            println!();
        };
    println!("\n{documents} documents         a second   seconds  requests   of bare");
    line("bare PUTs", |r| r.bare_put, documents as u64, None);
    line("push", |r| r.push, up, Some(|r| r.bare_put));
    line("bare GETs", |r| r.bare_get, documents as u64, None);
    line("first pull", |r| r.pull, down, Some(|r| r.bare_get));
}

/// The least, the median and the most.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}

fn device(storage: &S3Adapter) -> (MemoryDatabase, Client) {
    let documents = MemoryDatabase::new();
    let database = Arc::new(documents.clone());
    let state = Arc::new(MemoryState::new());
    let client = Client::builder(Arc::new(storage.clone()), database, state, Arc::new(RemoteWins));
    (documents, client.build())
}

fn id(i: usize) -> DocumentId {
    DocumentId::from(format!("document {i}"))
}

fn content(i: usize) -> String {
    format!("{i:>BYTES$}")
}

/// The same requests without anything around them.
struct Bare {
    sdk: aws_sdk_s3::Client,
    bucket: String,
}

impl Bare {
    async fn both(&self, documents: usize) -> [f64; 2] {
        [self.each(documents, Self::put).await, self.each(documents, Self::get).await]
    }

    async fn each<F: Future<Output = ()> + Send + 'static>(
        &self,
        documents: usize,
        request: fn(aws_sdk_s3::Client, String, usize) -> F,
    ) -> f64 {
        let began = Instant::now();
        let requests =
            (0..documents).map(|i| tokio::spawn(request(self.sdk.clone(), self.bucket.clone(), i)));
        // Lazily: no more are spawned than may run.
        let mut running = futures::stream::iter(requests).buffer_unordered(CONCURRENCY);
        while let Some(done) = running.next().await {
            done.unwrap();
        }
        began.elapsed().as_secs_f64()
    }

    async fn put(sdk: aws_sdk_s3::Client, bucket: String, i: usize) {
        let body = ByteStream::from(content(i).into_bytes());
        sdk.put_object().bucket(bucket).key(format!("bare/{i}")).body(body).send().await.unwrap();
    }

    async fn get(sdk: aws_sdk_s3::Client, bucket: String, i: usize) {
        let got = sdk.get_object().bucket(bucket).key(format!("bare/{i}")).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().into_bytes().len(), BYTES);
    }
}

/// Set up as the adapter's own.
fn sdk(server: &Server) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::timeout::TimeoutConfig;
    use aws_sdk_s3::config::{
        RequestChecksumCalculation, ResponseChecksumValidation, StalledStreamProtectionConfig,
    };
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(server.url())
        .force_path_style(true)
        .credentials_provider(Keys::new(KEY_ID, SECRET, None, None, "bench"))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    aws_sdk_s3::Client::from_conf(config.build())
}
