//! The sync: ten lines to set it up, and a loop that runs beside everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use db_to_cloud::{
    BoxError, Client, Error, ErrorKind, Event, Report, SyncOptions, Watch, WatchOptions, Watched,
};
use db_to_cloud_sqlite::SqliteDatabase;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::conflicts::{Conflicts, Person};
use crate::remote::{self, Remote};

/// What the sync tells the screen.
#[derive(Debug)]
pub enum Told {
    /// A step of it.
    Step(Event),
    /// It ended well.
    Synced(Report),
    /// It could not be done now, and will be tried again after this pause.
    Retry(Error, Duration),
    /// It needs the person.
    Stopped(Error),
}

/// Joins the notes, the storage and the person who settles conflicts.
///
/// # Errors
/// If the database cannot be opened.
pub async fn client(
    database: &Path,
    remote: Remote,
    device: &str,
    told: Sender<Told>,
) -> Result<Client, BoxError> {
    let notes = SqliteDatabase::open(database, ["notes"])?;
    let state = notes.state(&remote.name).await?;
    let person = Person(Conflicts::open(database)?);
    Ok(Client::builder(remote.storage, Arc::new(notes), Arc::new(state), Arc::new(person))
        .with_device(device)
        // Nobody listens any more if the screen is gone.
        .on_progress(move |event| drop(told.send(Told::Step(event))))
        .build())
}

/// Opens the storage, be it later, and syncs until no more orders can come. An order is what the
/// person decided; it may be nothing but "now".
pub async fn run(
    database: PathBuf,
    url: String,
    device: String,
    told: Sender<Told>,
    mut orders: UnboundedReceiver<SyncOptions>,
) {
    loop {
        let failure = match open(&database, &url, &device, &told).await {
            Ok((client, conflicts)) => {
                return sync_and_obey(&client, &conflicts, &told, &mut orders).await;
            }
            Err(error) if error.is_transient() => Told::Retry(error, LATER),
            Err(error) => Told::Stopped(error),
        };
        let _ = told.send(failure);
        if let Ok(None) = timeout(LATER, orders.recv()).await {
            return;
        }
    }
}

/// The pause before a storage that is not there is looked for again, such as a drive.
const LATER: Duration = Duration::from_secs(10);

/// After so long it is tried again, though it needs the person: there may be room again.
const AGAIN: Duration = Duration::from_secs(300);

async fn open(
    database: &Path,
    url: &str,
    device: &str,
    told: &Sender<Told>,
) -> Result<(Client, Conflicts), Error> {
    let client = client(database, remote::open(url)?, device, told.clone()).await;
    let client = client.map_err(database_error)?;
    let conflicts = Conflicts::open(database).map_err(|e| database_error(e.into()))?;
    Ok((client, conflicts))
}

/// Syncs whenever there is something to sync, and when an order comes.
async fn sync_and_obey(
    client: &Client,
    conflicts: &Conflicts,
    told: &Sender<Told>,
    orders: &mut UnboundedReceiver<SyncOptions>,
) {
    let mut decided = SyncOptions::default();
    loop {
        // The triggers queue edits, so that they are found by counting: a look each second is cheap.
        let look = Duration::from_secs(1);
        let options = WatchOptions { first: decided, look, ..WatchOptions::default() };
        let mut watch = client.watch(options);
        // A sync that is dropped in the middle loses nothing: the next one goes on.
        let order = tokio::select! {
            order = orders.recv() => order,
            error = keep_syncing(&mut watch, conflicts, told) => {
                let _ = told.send(Told::Stopped(error));
                let order = timeout(AGAIN, orders.recv()).await;
                order.unwrap_or(Some(SyncOptions::default()))
            }
        };
        match order {
            Some(options) => decided = options,
            // The last edits go along, unless that takes too long for whoever waits for it.
            None => {
                let _ = told.send(outcome(watch.sync().await, conflicts));
                return;
            }
        }
    }
}

/// Syncs until only the person can help.
async fn keep_syncing(watch: &mut Watch, conflicts: &Conflicts, told: &Sender<Told>) -> Error {
    loop {
        watch.changed().await;
        match outcome(watch.sync().await, conflicts) {
            Told::Stopped(error) => return error,
            outcome => drop(told.send(outcome)),
        }
    }
}

fn outcome(watched: Result<Watched, Error>, conflicts: &Conflicts) -> Told {
    match watched {
        Ok(Watched::Synced(report)) => match conflicts.forget_settled(&report) {
            Ok(()) => Told::Synced(report),
            Err(error) => Told::Stopped(database_error(error)),
        },
        Ok(Watched::Retry { error, after }) => Told::Retry(error, after),
        Err(error) => Told::Stopped(error),
    }
}

fn database_error(source: BoxError) -> Error {
    Error::new(ErrorKind::Database, "open the notes").with_source(source)
}
