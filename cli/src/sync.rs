//! `db-to-cloud sync`.

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::{Client, Limits};

use crate::args::{OnConflict, Sync};
use crate::conflict::Settler;
use crate::failure::Failure;
use crate::local::Local;
use crate::progress::Progress;
use crate::{ask, dry_run, report};

pub(crate) async fn run(options: Sync, verbose: u8) -> Result<ExitCode, Failure> {
    if options.dry_run {
        return dry_run::run(&options).await;
    }
    if options.on_conflict == OnConflict::Ask && !ask::is_possible() {
        return Err(Failure::Usage(
            "--on-conflict ask needs a terminal: choose keep-both, local, remote or newest".into(),
        ));
    }
    let (local, client, progress) = prepare(&options, verbose).await?;
    let outcome = client.sync_with(options.options()).await;
    drop(progress);
    let skipped = local.database.skipped();
    report::explain_skipped(&skipped, verbose > 0);
    let outcome = outcome?;
    report::explain(&outcome, verbose > 0);
    report::print(&outcome, options.json)?;
    Ok(report::exit_code(&outcome, &skipped))
}

/// Opens both sides. What is shown of syncs ends with the last value that is dropped.
pub(crate) async fn prepare(
    options: &Sync,
    verbose: u8,
) -> Result<(Local, Client, Shown), Failure> {
    let local = Local::open(&options.sides)?;
    let adapter = local.open_remote(options.options().accept_remote).await?;
    let device = options.device();
    let progress = Progress::new(verbose, options.on_conflict == OnConflict::Ask);
    let resolver = Arc::new(Settler {
        how: options.on_conflict,
        database: local.database.clone(),
        device: device.clone(),
    });
    let shown = progress.clone();
    let client = local
        .client(adapter, resolver)
        .with_device(device)
        .with_limits(Limits { sync: options.limit(), ..Limits::default() })
        .on_progress(move |event| shown.event(event));
    let client = if options.require_strong { client.require_strong() } else { client };
    Ok((local, client.build(), Shown(progress)))
}

/// Takes the bar away when it is dropped, also if the sync is interrupted.
#[derive(Debug)]
pub(crate) struct Shown(pub Progress);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.end();
    }
}
