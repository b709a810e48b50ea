//! Edits, dropped futures and killed processes in the middle of a batch.

use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::{Database, Document, Outcome, Write};
use futures::poll;

use super::Application;
use super::tools::{Context, apply, delete, documents_of, get, list, need, put};
use crate::context::{CaseResult, check, equal};

/// So many programs edit at once, each a document of its own.
const EDITORS: usize = 64;
/// Documents that are written while a process is killed or a future dropped.
const DOCUMENTS: usize = 24;
const KILLS: u64 = 15;
/// A worker needs about so long to begin. Wine takes its time.
const START: Duration = Duration::from_millis(if cfg!(windows) { 1500 } else { 60 });

/// Whether an edit comes before the comparison or after the write, it is what stays.
pub(super) async fn an_edit_during_apply_is_not_overwritten(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let new = cx.version(EDITORS, 1).await?;
    for round in 0..6 {
        let here = cx.edit_all(&*database, EDITORS, 0).await?;
        let start = Arc::new(Barrier::new(EDITORS + 1));
        let editors: Vec<_> = (0..EDITORS)
            .map(|n| {
                let (app, start) = (cx.app.clone(), start.clone());
                std::thread::spawn(move || {
                    start.wait();
                    // Spread over the time that a batch takes.
                    let pause = (n * 7919 + round * 104_729) % 4000;
                    std::thread::sleep(Duration::from_micros(pause as u64));
                    app.edit(&app.id(n), Some(&app.bytes(n, 2 + round)));
                })
            })
            .collect();
        let write = |n: usize| match round % 3 {
            2 => delete(cx.app.id(n), Some(here[n].clone())),
            _ => put(cx.app.id(n), &new[n], Some(here[n].clone())),
        };
        start.wait();
        let outcomes = apply(&*database, (0..EDITORS).map(write).collect()).await?;
        for editor in editors {
            check!(editor.join().is_ok(), "an editor panicked");
        }
        for (n, outcome) in outcomes.iter().enumerate() {
            let is_right = matches!(outcome, Outcome::Done | Outcome::Changed);
            check!(is_right, "round {round}, document {n}: {outcome:?}");
            let found = get(&*database, &cx.app.id(n)).await?.map(|document| document.bytes);
            let is_edit = found.as_ref() == Some(&cx.app.bytes(n, 2 + round));
            check!(is_edit, "round {round}: the edit of document {n} is lost after {outcome:?}");
        }
    }
    Ok(())
}

/// A sync that is stopped drops its futures.
pub(super) async fn a_dropped_apply_is_whole_or_nothing_a_document(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let versions = [cx.version(DOCUMENTS, 0).await?, cx.version(DOCUMENTS, 1).await?];
    for round in 0..60 {
        let batch = batch(&*cx.app, &*database, &versions[round % 2]).await?;
        let mut dropped = Box::pin(database.apply(batch));
        for _ in 0..round % 7 {
            if let Poll::Ready(outcomes) = poll!(&mut dropped) {
                equal!(outcomes.len(), DOCUMENTS, "outcomes");
                break;
            }
            tokio::time::sleep(Duration::from_micros(round as u64 * 30)).await;
        }
        drop(dropped);
        check_versions(&*cx.app, &*database).await?;
    }
    check_versions(&*cx.app, &*cx.app.open().await).await
}

/// By SIGKILL at random moments, and opened again.
pub(super) async fn a_killed_apply_is_whole_or_nothing_a_document(cx: &Context<'_>) -> CaseResult {
    need(cx.app.worker(), "process that can be killed")?;
    let mut written = 0;
    for kill in 0..KILLS {
        let Some(mut command) = cx.app.worker() else { continue };
        let mut worker = command.spawn().map_err(db_to_cloud::BoxError::from)?;
        tokio::time::sleep(START + Duration::from_millis(kill * kill * 4)).await;
        let alive = worker.try_wait().map_err(db_to_cloud::BoxError::from)?.is_none();
        let killed = worker.kill();
        worker.wait().map_err(db_to_cloud::BoxError::from)?;
        check!(alive && killed.is_ok(), "the worker ended by itself");
        let database = cx.app.open().await;
        check_versions(&*cx.app, &*database).await?;
        written += list(&*database).await?.len();
    }
    check!(written > 0, "no worker wrote anything before it was killed");
    Ok(())
}

/// Each document is there in one of its versions, whole, or was never made; and nothing else is.
async fn check_versions(app: &dyn Application, database: &dyn Database) -> CaseResult {
    let mut there = 0;
    for n in 0..DOCUMENTS {
        let Some(found) = get(database, &app.id(n)).await? else { continue };
        there += 1;
        let is_whole = (0..2).any(|version| found.bytes == app.bytes(n, version));
        check!(is_whole, "document {n} is torn: {} bytes", found.bytes.len());
    }
    equal!(list(database).await?.len(), there, "documents in the list");
    Ok(())
}

/// Writes of this version over what is there now.
async fn batch(
    app: &dyn Application,
    database: &dyn Database,
    version: &[Document],
) -> CaseResult<Vec<Write>> {
    let mut batch = Vec::new();
    for (n, new) in version.iter().enumerate() {
        let here = get(database, &app.id(n)).await?.map(|document| document.revision);
        batch.push(put(app.id(n), new, here));
    }
    Ok(batch)
}

pub(super) async fn work(app: &dyn Application, source: &dyn Application) {
    let database = app.open().await;
    let mut versions = Vec::new();
    for version in 0..2 {
        let documents: Vec<(_, Bytes)> =
            (0..DOCUMENTS).map(|n| (app.id(n), app.bytes(n, version))).collect();
        match documents_of(source, &documents).await {
            Ok(documents) => versions.push(documents),
            // The test sees that the worker ended.
            Err(_) => return,
        }
    }
    for version in versions.iter().cycle() {
        let Ok(batch) = batch(app, &*database, version).await else { return };
        database.apply(batch).await;
    }
}
