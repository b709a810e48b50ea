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
const ROUNDS: usize = 3;

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Server::minio();
        println!(
            "{BYTES} bytes a document, {CONCURRENCY} requests at once; the median of {ROUNDS}"
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

/// Seconds.
struct Round {
    bare_put: f64,
    push: f64,
    bare_get: f64,
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
    let bare_put = bare.each(documents, Bare::put).await;
    let bare_get = bare.each(documents, Bare::get).await;
    // The push is this device's first: it includes the probe.
    let (alice, on_alice) = device(&storage);
    let (bob, on_bob) = device(&storage);
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
    let requests = [pushed.requests.total(), pulled.requests.total()];
    Round { bare_put, push, bare_get, pull, requests }
}

fn report(documents: usize, rounds: &[Round]) {
    let median = |of: fn(&Round) -> f64| {
        let mut seconds: Vec<_> = rounds.iter().map(of).collect();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    let rate = |seconds: f64| documents as f64 / seconds;
    let (bare_put, push) = (median(|r| r.bare_put), median(|r| r.push));
    let (bare_get, pull) = (median(|r| r.bare_get), median(|r| r.pull));
    let [up, down] = rounds[0].requests;
    println!("\n{documents} documents        documents/s   seconds   requests   against bare");
    println!("  bare PUTs          {:>10.0} {bare_put:>9.2} {documents:>10}", rate(bare_put));
    println!(
        "  push               {:>10.0} {push:>9.2} {up:>10} {:>14.2}",
        rate(push),
        bare_put / push
    );
    println!("  bare GETs          {:>10.0} {bare_get:>9.2} {documents:>10}", rate(bare_get));
    println!(
        "  first pull         {:>10.0} {pull:>9.3} {down:>10} {:>14.2}",
        rate(pull),
        bare_get / pull
    );
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
