//! `db-to-cloud import`: documents of a storage of the JavaScript db-to-cloud (0.8.1), into one of ours.
//!
//! The old storage is read as a database that cannot be written, and an ordinary sync pushes it: that an
//! import can be stopped anywhere, what it costs and what it overwrites is that of a sync. Its state is kept
//! in memory only. A second import finds what is there already by its bytes.
//!
//! | file | what it does |
//! |---|---|
//! | `apart` | refuses storages that would be mixed |
//! | `files`, `folder`, `clouds` | the files of an old storage, read-only |
//! | `record` | what a file of changes and a file of a document hold |
//! | `log` | the log of the old storage |
//! | `newest` | which documents there are, and in which files |
//! | `lock` | whether a device is using the old storage |
//! | `database` | the documents as a `Database` |
//! | `outcome` | what people and scripts get to see |

mod apart;
mod clouds;
mod database;
mod files;
mod folder;
mod lock;
mod log;
mod newest;
mod outcome;
mod record;

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::memory::MemoryState;
use db_to_cloud::{Client, DeferAll, Report, SyncOptions};

use crate::args::Import;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::remote::{self, Remote};
use crate::sync::Shown;
use database::OldDatabase;
use files::Patient;
use log::{Old, Problem};

pub(crate) async fn run(options: Import, verbose: u8) -> Result<ExitCode, Failure> {
    let (from, to) = options.resolve()?;
    apart::check(&from, &to)?;
    let files = Patient::new(clouds::open(&from).await?);
    lock::check(&files, options.ignore_lock).await?;
    let mut old = log::read(&files, &from.name()).await?;
    let report = copy(&files, &old, &to, verbose).await?;
    check_unchanged(&files, &mut old).await;
    outcome::tell(&old, &report, options.json, verbose > 0)
}

/// Pushes what is missing in the new storage.
async fn copy(files: &Patient, old: &Old, to: &Remote, verbose: u8) -> Result<Report, Failure> {
    to.check_free()?;
    let adapter = remote::open(to, None).await?;
    let database = OldDatabase::new(files.clone(), old.documents.clone());
    let shown = Shown(Progress::new(verbose, false));
    let progress = shown.0.clone();
    // What both sides have, and is not equal, stays as it is on both.
    let (state, resolver) = (Arc::new(MemoryState::new()), Arc::new(DeferAll));
    let client = Client::builder(adapter, Arc::new(database), state, resolver)
        .with_device("import from the JavaScript db-to-cloud")
        .on_progress(move |event| progress.event(event))
        .build();
    // The database makes no delete: none has to be accepted.
    let options = SyncOptions { accept_deletes: true, ..SyncOptions::default() };
    Ok(client.sync_with(options).await?)
}

/// Another device may have synced meanwhile, with or without a lock.
async fn check_unchanged(files: &Patient, old: &mut Old) {
    let changed = match files.get("meta.json").await {
        Ok(now) if now == old.metadata => return,
        Ok(_) => {
            "the old storage was changed while it was read: import again to a new storage".into()
        }
        Err(error) => {
            format!("whether the old storage was changed meanwhile is not known: {error}")
        }
    };
    old.problems.push(Problem { what: "meta.json".into(), why: changed });
}
