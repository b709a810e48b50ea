//! One device: its folder, its client, and what disturbs its syncs.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use db_to_cloud::state::{StateStore, Table};
use db_to_cloud::{Client, Database, Error, Report, SyncOptions};
use db_to_cloud_fs::FsAdapter;

use crate::application::Application;
use crate::disturbed::Disturbed;
use crate::moments::Moments;
use crate::resolver::{Questions, Recording};

/// No sync of a few documents takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Device<A> {
    app: A,
    name: String,
    home: PathBuf,
    cloud: PathBuf,
    client: Client,
    database: Arc<dyn Database>,
    state: Arc<dyn StateStore>,
    pub(crate) moments: Moments,
    pub(crate) questions: Questions,
}

impl<A: Application> Device<A> {
    pub(crate) async fn new(app: &A, name: String, home: PathBuf, cloud: &Path) -> Self {
        app.create(&home);
        let (moments, questions) = (Moments::default(), Questions::default());
        let (database, state) = app.open(&home).await;
        let parts = (database.clone(), state.clone(), moments.clone(), questions.clone());
        let client = client(app, &name, cloud, parts);
        let (app, cloud) = (app.clone(), cloud.to_owned());
        Self { app, name, home, cloud, client, database, state, moments, questions }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The program ends and starts again. What it had begun to write is written first: a thread that
    /// outlives its program exists in tests only.
    pub(crate) async fn restart(&mut self) {
        let _ = self.database.get(&"none".into()).await;
        let _ = self.state.count(Table::Metadata).await;
        self.moments.clear();
        (self.database, self.state) = self.app.open(&self.home).await;
        let parts = (
            self.database.clone(),
            self.state.clone(),
            self.moments.clone(),
            self.questions.clone(),
        );
        self.client = client(&self.app, &self.name, &self.cloud, parts);
    }

    /// A sync that may fail only if it was disturbed.
    pub(crate) async fn sync(&self) -> Result<Report, String> {
        let report = self.try_sync().await?;
        let report =
            report.map_err(|error| format!("{} cannot sync: {}", self.name, all(&error)))?;
        self.questions.settle(&report);
        Ok(report)
    }

    /// A sync; fails if it takes for ever.
    pub(crate) async fn try_sync(&self) -> Result<Result<Report, Error>, String> {
        let done = tokio::time::timeout(PATIENCE, self.attempt()).await;
        done.map_err(|_| format!("a sync of {} is not done after {PATIENCE:?}", self.name))
    }

    /// A sync that stops at a moment, if one was set and it comes so far.
    pub(crate) async fn sync_until_stopped(&mut self) -> Result<(), String> {
        let stopped = {
            let mut sync = pin!(self.try_sync());
            poll_fn(|context| match sync.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(done.map(|_| ())),
                Poll::Pending if self.moments.is_stopped() => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        self.restart().await;
        stopped
    }

    /// A sync whose future is dropped after so many polls. The client is used again.
    pub(crate) async fn sync_dropped_after(&self, polls: u32) -> Result<(), String> {
        let mut sync = pin!(self.try_sync());
        let mut polled = 0;
        poll_fn(|context| {
            polled += 1;
            match sync.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(done.map(|_| ())),
                Poll::Pending if polled >= polls => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn attempt(&self) -> Result<Report, Error> {
        // As a program does that is started for each sync; it costs nothing where edits are queued.
        self.client.compare_at_next_sync();
        let options = SyncOptions { accept_deletes: true, ..SyncOptions::default() };
        Box::pin(self.client.sync_with(options)).await
    }
}

type Parts = (Arc<dyn Database>, Arc<dyn StateStore>, Moments, Questions);

fn client<A: Application>(
    app: &A,
    name: &str,
    cloud: &Path,
    (database, state, moments, questions): Parts,
) -> Client {
    let storage = Disturbed(FsAdapter::open(cloud).unwrap(), moments.clone());
    Client::builder(
        Arc::new(storage),
        Arc::new(Disturbed(database, moments.clone())),
        Arc::new(Disturbed(state, moments)),
        Arc::new(Recording(app.clone(), questions)),
    )
    .with_device(name)
    .build()
}

/// An error with those below.
fn all(error: &dyn std::error::Error) -> String {
    let below = error.source().map(|source| format!(": {}", all(source)));
    format!("{error}{}", below.unwrap_or_default())
}
