//! `db-to-cloud sync --watch`: stays, and syncs whenever there is something to sync.

mod folder;
mod place;
mod tables;
mod tell;

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Client, SyncOptions, Watch, WatchOptions, Watched};
use futures::future::{Either, select};
use tokio::sync::{Mutex, Notify};

use crate::args::{OnConflict, Sync};
use crate::failure::Failure;
use crate::interrupt::Signals;
use crate::local::Local;
use crate::side::Side;
use crate::sync;
use folder::FolderWatch;
use place::Place;
use tables::Original;
use tell::Teller;

/// Held by whoever syncs or compares: the state of this device takes one at a time.
type Turn = Arc<Mutex<()>>;

/// How long a sync that is under way may go on after a signal. Most end by then, and the next one goes
/// on with the others.
const LAST_SYNC: Duration = Duration::from_secs(5);

/// The folder was quiet before anything is queued.
const QUIET: Duration = Duration::from_millis(100);

/// How a watch ends well.
enum End {
    /// A signal asked for it.
    Stopped,
    /// The folder with this path is not there any more.
    Lost(PathBuf),
}

pub(crate) async fn run(options: Sync, verbose: u8) -> Result<ExitCode, Failure> {
    if options.on_conflict == Some(OnConflict::Ask) {
        return Err(Failure::Usage(
            "--watch asks nobody, as a question would hold up all syncs: choose another \
             way for --on-conflict"
                .into(),
        ));
    }
    let mut signals = Signals::listen()?;
    let (mut local, adapter) = signals.cut_short(sync::open(&options)).await?;
    let mut first = options.options();
    loop {
        let (client, shown) = sync::connect(&options, verbose, &local, adapter.clone())?;
        let teller = Teller::new(shown, options.json, verbose > 0);
        let path = match watch(local, client, teller, first, &mut signals).await? {
            End::Stopped => return Ok(ExitCode::SUCCESS),
            End::Lost(path) => path,
        };
        tell::lost(&path, options.json)?;
        local = tokio::select! {
            local = place::open_again(&options.sides, &path) => local,
            () = signals.next() => return Ok(ExitCode::SUCCESS),
        };
        tell::back(&path);
        // What the user accepted was for the first sync.
        first = SyncOptions::default();
    }
}

/// Watches until a signal ends it, or the folder goes away.
async fn watch(
    local: Local,
    client: Client,
    mut teller: Teller,
    first: SyncOptions,
    signals: &mut Signals,
) -> Result<End, Failure> {
    let turn = Turn::default();
    // Before the first sync, which compares: what is edited after it came by must be seen.
    let _folder = match &local.side {
        Side::Folder(folder) => {
            let shown = teller.progress();
            let folder = FolderWatch::start(folder.clone(), client.clone(), turn.clone(), shown);
            Some(signals.cut_short(async { Ok(folder.await) }).await?)
        }
        // The triggers queue, and the queue is counted.
        Side::Tables(..) => None,
    };
    let mut watch = client.watch(WatchOptions { first, quiet: QUIET, ..WatchOptions::default() });
    let original = Original::of(&local.side);
    let mut replaced = pin!(original.replaced());
    let place = Place::of(&local.side);
    let mut lost = pin!(place.lost());
    loop {
        tokio::select! {
            _ = watch.changed() => {}
            () = signals.next() => return Ok(End::Stopped),
            failure = &mut replaced => return Err(failure),
            path = &mut lost => return Ok(End::Lost(path)),
        }
        let (watched, stop) = sync_once(&mut watch, &turn, signals).await?;
        if let Err(failure) = tell(&mut teller, &local.side, watched).await {
            return match place.missing().await {
                Some(path) => Ok(End::Lost(path)),
                None => Err(original.explain(failure).await),
            };
        }
        if stop {
            return Ok(End::Stopped);
        }
    }
}

type Outcome = Result<Watched, db_to_cloud::Error>;

async fn tell(teller: &mut Teller, side: &Side, watched: Outcome) -> Result<(), Failure> {
    teller.tell_executables(&side.take_executables());
    teller.tell_left_out(side.left_out().await?);
    match watched? {
        Watched::Synced(report) => teller.synced(&report),
        Watched::Retry { error, after } => teller.put_off(&error, after),
    }
}

/// One sync, and whether it is the last one. A signal lets it come to its end, if that is soon, and
/// else stops it in order; a second one drops it.
async fn sync_once(
    watch: &mut Watch,
    turn: &Turn,
    signals: &mut Signals,
) -> Result<(Outcome, bool), Failure> {
    let stop = Notify::new();
    let mut sync = pin!(async {
        let _turn = turn.lock().await;
        watch.sync_until(stop.notified()).await
    });
    let mut sync = match select(sync.as_mut(), pin!(signals.next())).await {
        Either::Left((watched, _)) => return Ok((watched, false)),
        Either::Right(((), sync)) => sync,
    };
    tokio::select! {
        watched = &mut sync => return Ok((watched, true)),
        () = signals.next() => return Err(Failure::Interrupted),
        () = tokio::time::sleep(LAST_SYNC) => stop.notify_one(),
    }
    Ok((signals.last_moments(sync).await?, true))
}
