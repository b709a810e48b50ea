//! What can be read.

use super::tools::{Context, apply_all, delete, expect, get, list, need, put, revision};
use crate::context::{CaseResult, check, equal};

/// With the given revision and bytes, by this handle and by another one.
pub(super) async fn what_is_applied_is_read_back(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let versions = [cx.version(20, 0).await?, cx.version(20, 1).await?];
    let ids: Vec<_> = (0..20).map(|n| cx.app.id(n)).collect();
    let made = ids.iter().zip(&versions[0]).map(|(id, new)| put(id.clone(), new, None));
    apply_all(&*database, made.collect()).await?;
    let old_and_new = ids.iter().zip(versions[0].iter().zip(&versions[1]));
    let changed = old_and_new.clone().enumerate().map(|(n, (id, (old, new)))| match n % 2 {
        0 => put(id.clone(), new, Some(old.revision.clone())),
        _ => delete(id.clone(), Some(old.revision.clone())),
    });
    apply_all(&*database, changed.collect()).await?;
    for database in [database, cx.app.open().await] {
        for (n, (id, (_, new))) in old_and_new.clone().enumerate() {
            expect(&*database, id, Some(new).filter(|_| n % 2 == 0)).await?;
        }
        for enough in [0, 250, u64::MAX] {
            let mut rest = &ids[..];
            let mut expected = versions[1].iter().enumerate();
            while !rest.is_empty() {
                let some = database.get_some(rest, enough).await;
                check!(!some.is_empty() && some.len() <= rest.len(), "it read {}", some.len());
                rest = &rest[some.len()..];
                for (document, (n, new)) in some.into_iter().zip(expected.by_ref()) {
                    equal!(document?.as_ref(), Some(new).filter(|_| n % 2 == 0), "document {n}");
                }
            }
        }
        equal!(list(&*database).await?.len(), 10, "documents in the list");
    }
    Ok(())
}

/// With its revision, or without one that cannot be known without reading it.
pub(super) async fn the_list_names_each_document_once(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    check!(list(&*database).await?.is_empty(), "a new database lists documents");
    let revisions = cx.edit_all(&*database, 50, 0).await?;
    let applied = cx.version(60, 1).await?;
    let new = (50..60).map(|n| put(cx.app.id(n), &applied[n], None));
    apply_all(&*database, new.collect()).await?;
    cx.app.edit(&cx.app.id(7), None);
    let listed = list(&*database).await?;
    equal!(listed.len(), 59, "documents in the list");
    for n in (0..60).filter(|n| *n != 7) {
        let right = revisions.get(n).unwrap_or(&applied[n].revision);
        match listed.get(&cx.app.id(n).to_key()) {
            Some(Ok(Some(revision))) => equal_revision(n, revision, right)?,
            Some(Ok(None)) => {}
            found => check!(false, "document {n} is listed as {found:?}"),
        }
    }
    Ok(())
}

fn equal_revision(
    n: usize,
    found: &db_to_cloud::Revision,
    right: &db_to_cloud::Revision,
) -> CaseResult {
    equal!(found, right, "the listed revision of document {n}");
    Ok(())
}

/// An error is never taken for absence (rule C4).
pub(super) async fn unreadable_is_not_deleted(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    cx.edit_all(&*database, 3, 0).await?;
    let id = cx.app.id(1);
    let undo = need(cx.app.hide(&id), "way to make a document unreadable")?;
    let read = get(&*database, &id).await;
    let revision_read = revision(&*database, &id).await;
    let listed = list(&*database).await;
    let reopened = get(&*cx.app.open().await, &id).await;
    undo();
    for read in [read, reopened] {
        check!(read.is_err(), "reading an unreadable document gives {:?}", read.ok());
    }
    check!(revision_read.is_err(), "its revision is {:?}", revision_read.ok());
    if let Ok(listed) = listed {
        let found = listed.get(&id.to_key());
        check!(found.is_some(), "it is not in the list, which ends without an error");
        // A revision is no promise that the bytes can be read.
        equal!(listed.len(), 3, "documents in the list");
    }
    check!(get(&*database, &id).await?.is_some(), "readable again, it is not there");
    Ok(())
}
