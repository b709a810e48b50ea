//! `db-to-cloud status`: where both sides stand.

use std::process::ExitCode;
use std::sync::Arc;

use db_to_cloud::format::LockObject;
use db_to_cloud::{LocalWins, Preview, Status};
use db_to_cloud_folder::{Selection, Skipped};
use serde::Serialize;

use crate::args;
use crate::decide::described;
use crate::failure::Failure;
use crate::local::Local;
use crate::output::{json, result};
use crate::side::Side;

/// What `status --json` prints. Its keys are a promise.
#[derive(Debug, Serialize)]
struct Json {
    database: String,
    remote: String,
    /// Whether there is a storage at all.
    exists: bool,
    /// The newest version that is applied here.
    version: u64,
    /// Documents as of the last sync.
    documents: u64,
    /// When a sync last ended well.
    synced: Option<String>,
    /// Whether the storage has a newer version.
    behind: bool,
    /// What a sync would do.
    pull: usize,
    delete: usize,
    push: usize,
    push_deletes: usize,
    conflicts: usize,
    /// Changes of other devices that could not be applied yet.
    pending: u64,
    /// What this device syncs; null if that is everything.
    selection: Option<SelectionJson>,
    /// Documents of the storage that a sync leaves out.
    excluded: u64,
    /// The fate of the last commit is not known yet.
    unsettled: bool,
    lock: Option<LockJson>,
    /// What the storage cannot promise.
    remaining_risk: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct SelectionJson {
    only: Vec<String>,
    exclude: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LockJson {
    owner: String,
    since: String,
    ttl: u64,
}

pub(crate) async fn run(options: args::Status) -> Result<ExitCode, Failure> {
    let local = Local::look(&options.sides).await?;
    if options.ignored {
        return print_ignored(&local, options.json);
    }
    let adapter = local.look_at_remote().await?;
    // Nothing is put to the resolver.
    let client = local.client(adapter, Arc::new(LocalWins)).build();
    let status = client.status().await?;
    let preview = client.preview().await?;
    let selection = local.side.selection()?;
    match options.json {
        true => json(&Json::of(&local, &status, &preview, selection))?,
        false => print(&local, &status, &preview, selection)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is left out. Its keys are a promise.
#[derive(Debug, Serialize)]
struct IgnoredJson {
    path: String,
    reason: String,
}

fn print_ignored(local: &Local, as_json: bool) -> Result<ExitCode, Failure> {
    let Side::Folder(folder) = &local.side else {
        return Err(Failure::Usage("--ignored is about files, not about tables".into()));
    };
    let ignored = folder.ignored()?;
    if as_json {
        let entry = |skipped: &Skipped| IgnoredJson {
            path: skipped.path.display().to_string(),
            reason: skipped.reason.to_string(),
        };
        json(&ignored.iter().map(entry).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for skipped in &ignored {
        result(skipped)?;
    }
    result(format_args!("left out: {}", ignored.len()))?;
    Ok(ExitCode::SUCCESS)
}

fn print(
    local: &Local,
    status: &Status,
    preview: &Preview,
    selection: Option<Selection>,
) -> Result<(), Failure> {
    result(format_args!("database   {}", local.side.path().display()))?;
    result(format_args!(
        "           {} documents at the last sync; since then {} edited or new, {} deleted",
        status.documents,
        preview.push.len() + preview.conflicts.len(),
        preview.push_deletes.len(),
    ))?;
    if let Some(selection) = selection {
        let (excluded, described) = (preview.excluded, described(&selection));
        result(format_args!("selection  {described}; a sync leaves out {excluded} documents"))?;
    }
    let new = if local.remote.holds_storage() { "" } else { " (no storage yet)" };
    result(format_args!("remote     {}{new}", local.remote.name()))?;
    result(format_args!(
        "           version {} is here; of other devices wait {} edits, {} deletes, {} conflicts",
        status.version,
        preview.pull.len(),
        preview.delete.len(),
        preview.conflicts.len(),
    ))?;
    if status.unsettled {
        result(
            "           the last push was cut short: the next sync finds out what became of it",
        )?;
    }
    let synced = status.synced.map_or_else(|| "never".to_owned(), |time| time.to_string());
    result(format_args!("last sync  {synced}"))?;
    let lock = status.lock.as_ref().map_or_else(|| "free".to_owned(), held);
    result(format_args!("lock       {lock}"))?;
    // Rule W5.
    match status.remaining_risk {
        Some(risk) => result(format_args!("risk       {risk}")),
        None => Ok(()),
    }
}

/// Who holds the lock, for people.
pub(crate) fn held(lock: &LockObject) -> String {
    format!("held by {:?} since {}, for {} s at most", lock.owner, lock.time, lock.ttl().as_secs())
}

impl Json {
    fn of(local: &Local, status: &Status, preview: &Preview, selection: Option<Selection>) -> Self {
        let lock = status.lock.as_ref().map(|lock| LockJson {
            owner: lock.owner.clone(),
            since: lock.time.to_string(),
            ttl: lock.ttl,
        });
        Self {
            database: local.side.path().display().to_string(),
            remote: local.remote.name(),
            exists: local.remote.holds_storage(),
            version: status.version,
            documents: status.documents,
            synced: status.synced.map(|time| time.to_string()),
            behind: status.behind,
            pull: preview.pull.len(),
            delete: preview.delete.len(),
            push: preview.push.len(),
            push_deletes: preview.push_deletes.len(),
            conflicts: preview.conflicts.len(),
            pending: status.pending,
            selection: selection.map(|selection| SelectionJson {
                only: selection.only().to_vec(),
                exclude: selection.exclude().to_vec(),
            }),
            excluded: preview.excluded,
            unsettled: status.unsettled,
            lock,
            remaining_risk: status.remaining_risk,
        }
    }
}
