//! `db-to-cloud sync`.

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::{Adapter, Client, Limits};
use tokio::sync::Notify;

use crate::args::{OnConflict, Sync};
use crate::conflict::Settler;
use crate::decide::decide;
use crate::failure::Failure;
use crate::interrupt::{Signals, unless_interrupted};
use crate::local::Local;
use crate::progress::Progress;
use crate::side::Side;
use crate::{ask, dry_run, report};

pub(crate) async fn run(options: Sync, verbose: u8) -> Result<ExitCode, Failure> {
    if options.dry_run {
        return unless_interrupted(dry_run::run(&options)).await;
    }
    if options.on_conflict == Some(OnConflict::Ask) && !ask::is_possible() {
        return Err(Failure::Usage(
            "--on-conflict ask needs a terminal: choose another way".into(),
        ));
    }
    let mut signals = Signals::listen()?;
    let (local, client, progress) = signals.cut_short(prepare(&options, verbose)).await?;
    let stop = Notify::new();
    let sync = client.sync_until(options.options(), stop.notified());
    let outcome = signals.stop_in_order(sync, &stop).await?;
    drop(progress);
    report::explain_skipped(&local.side.skipped(), verbose > 0);
    let outcome = outcome?;
    report::explain(&outcome, verbose > 0);
    report::explain_executables(&local.side.take_executables(), verbose > 0);
    let left_out = local.side.left_out().await?;
    report::explain_waiting(&left_out.waiting, verbose > 0);
    report::print(&outcome, &left_out, options.json)?;
    Ok(report::exit_code(&outcome, &left_out))
}

/// Opens both sides. What is shown of syncs ends with the last value that is dropped.
pub(crate) async fn prepare(
    options: &Sync,
    verbose: u8,
) -> Result<(Local, Client, Shown), Failure> {
    let (local, adapter) = open(options).await?;
    let (client, shown) = connect(options, verbose, &local, adapter)?;
    Ok((local, client, shown))
}

/// Opens both sides.
pub(crate) async fn open(options: &Sync) -> Result<(Local, Arc<dyn Adapter>), Failure> {
    let local = Local::open(&options.sides).await?;
    decide(&options.folder, &local.side)?;
    how(options, &local.side)?;
    let adapter = local.open_remote(options.yes || options.accept_remote).await?;
    Ok((local, adapter))
}

/// A client of both sides, and what is shown of its syncs.
pub(crate) fn connect(
    options: &Sync,
    verbose: u8,
    local: &Local,
    adapter: Arc<dyn Adapter>,
) -> Result<(Client, Shown), Failure> {
    let how = how(options, &local.side)?;
    let device = options.device();
    let progress = Progress::new(verbose, how == OnConflict::Ask);
    let resolver = Arc::new(Settler { how, side: local.side.clone(), device: device.clone() });
    let shown = progress.clone();
    let client = local
        .client(adapter, resolver)
        .with_device(device)
        .with_limits(Limits { sync: options.limit(), ..Limits::default() })
        .on_progress(move |event| shown.event(event));
    let client = if options.require_strong { client.require_strong() } else { client };
    Ok((client.build(), Shown(progress)))
}

/// A row has no room for two versions, and no time: by default nothing is decided for the user.
fn how(options: &Sync, side: &Side) -> Result<OnConflict, Failure> {
    match (options.on_conflict, side.is_tables()) {
        (None, true) => Ok(OnConflict::Later),
        (None, false) => Ok(OnConflict::KeepBoth),
        (Some(OnConflict::KeepBoth | OnConflict::Newest), true) => Err(Failure::Usage(
            "rows have no copy beside them and no time of their own: choose local, remote, ask or \
             later for --on-conflict"
                .into(),
        )),
        (Some(how), _) => Ok(how),
    }
}

/// Takes the bar away when it is dropped, also if the sync is interrupted.
#[derive(Debug)]
pub(crate) struct Shown(pub Progress);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.end();
    }
}
