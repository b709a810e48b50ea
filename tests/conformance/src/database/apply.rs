//! Batches of writes.

use db_to_cloud::{ChangeTracking, Document, Outcome, Revision};

use super::tools::{Context, apply, apply_all, delete, expect, get, list, need, put, revision};
use crate::context::{CaseResult, check, equal};

/// Rule P7.
pub(super) async fn a_write_expects_its_revision(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let here = cx.edit_all(&*database, 3, 0).await?;
    let other = Some(Revision::new("of no document"));
    let new = cx.version(5, 1).await?;
    let before = [get(&*database, &cx.app.id(0)).await?, get(&*database, &cx.app.id(1)).await?];
    for batch in [
        // It must not exist, and does.
        vec![put(cx.app.id(0), &new[0], None), delete(cx.app.id(1), None)],
        // It has another revision.
        vec![put(cx.app.id(0), &new[0], other.clone()), delete(cx.app.id(1), other.clone())],
        // It does not exist, and must.
        vec![put(cx.app.id(4), &new[4], other.clone()), delete(cx.app.id(3), other.clone())],
    ] {
        for outcome in apply(&*database, batch).await? {
            check!(matches!(outcome, Outcome::Changed), "{outcome:?} instead of Changed");
        }
        for (n, right) in before.iter().enumerate() {
            expect(&*database, &cx.app.id(n), right.as_ref()).await?;
        }
        expect(&*database, &cx.app.id(4), None).await?;
    }
    let right = vec![
        put(cx.app.id(0), &new[0], Some(here[0].clone())),
        delete(cx.app.id(1), Some(here[1].clone())),
        put(cx.app.id(4), &new[4], None),
    ];
    apply_all(&*database, right).await?;
    expect(&*database, &cx.app.id(0), Some(&new[0])).await?;
    expect(&*database, &cx.app.id(1), None).await
}

/// Also if some are not made.
pub(super) async fn outcomes_are_in_the_order_of_the_writes(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    check!(database.apply(vec![]).await.is_empty(), "an empty batch has outcomes");
    let new = cx.version(40, 1).await?;
    cx.edit_all(&*database, 20, 0).await?;
    // The first 20 are there, and must not be; every other write is one of the others.
    let order = |i: usize| if i.is_multiple_of(2) { i / 2 } else { 20 + i / 2 };
    let batch = (0..40).map(|i| put(cx.app.id(order(i)), &new[order(i)], None)).collect();
    for (i, outcome) in apply(&*database, batch).await?.iter().enumerate() {
        let is_right = match order(i) < 20 {
            true => matches!(outcome, Outcome::Changed),
            false => matches!(outcome, Outcome::Done),
        };
        check!(is_right, "write {i}, of document {}: {outcome:?}", order(i));
    }
    Ok(())
}

/// Longer than any batch of today's core.
pub(super) async fn a_long_batch_is_applied(cx: &Context<'_>) -> CaseResult {
    const COUNT: usize = 1200;
    let database = cx.app.open().await;
    let new = cx.version(COUNT, 0).await?;
    let puts = (0..COUNT).map(|n| put(cx.app.id(n), &new[n], None)).collect();
    apply_all(&*database, puts).await?;
    equal!(list(&*database).await?.len(), COUNT, "documents");
    let revision = |n: usize| Some(new[n].revision.clone());
    let deletes = (0..COUNT).map(|n| delete(cx.app.id(n), revision(n))).collect();
    apply_all(&*database, deletes).await?;
    equal!(list(&*database).await?.len(), 0, "documents");
    Ok(())
}

/// `moved_from` is a hint: also if the old document was edited meanwhile.
pub(super) async fn a_renamed_document_has_its_bytes(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    for is_edited in [false, true] {
        let (from, to) = (cx.app.id(usize::from(is_edited)), cx.app.id(2 + usize::from(is_edited)));
        let bytes = cx.app.bytes(9, 0);
        cx.app.edit(&from, Some(&bytes));
        let old = revision(&*database, &from).await?;
        if is_edited {
            cx.app.edit(&from, Some(&cx.app.bytes(9, 1)));
        }
        let new = cx.elsewhere(&[(to.clone(), bytes)]).await?.remove(0);
        let mut moved = put(to.clone(), &new, None);
        moved.moved_from = Some(from.clone());
        let outcomes = apply(&*database, vec![moved, delete(from.clone(), old)]).await?;
        check!(matches!(outcomes[0], Outcome::Done), "the new name: {:?}", outcomes[0]);
        expect(&*database, &to, Some(&new)).await?;
        let kept = get(&*database, &from).await?.map(|document| document.bytes);
        let right = is_edited.then(|| cx.app.bytes(9, 1));
        check!(kept == right, "the old name, edited: {is_edited}: {:?}", outcomes[1]);
    }
    Ok(())
}

/// Or two devices would answer each other for ever.
pub(super) async fn an_applied_write_is_no_edit(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let (old, new) = (cx.version(4, 0).await?, cx.version(4, 1).await?);
    let made = (0..4).map(|n| put(cx.app.id(n), &old[n], None)).collect();
    apply_all(&*database, made).await?;
    let expected = |n: usize| Some(old[n].revision.clone());
    let batch = vec![put(cx.app.id(0), &new[0], expected(0)), delete(cx.app.id(1), expected(1))];
    apply_all(&*database, batch).await?;
    if database.tracking() == ChangeTracking::Transactional {
        let queued = need(cx.app.queued().await, "queue of its own")?;
        check!(queued.is_empty(), "queued after writes of a sync: {queued:?}");
        cx.app.edit(&cx.app.id(2), Some(&cx.app.bytes(2, 2)));
        let queued = cx.app.queued().await.unwrap_or_default();
        equal!(queued, [cx.app.id(2).to_key()].into(), "queued after an edit");
        return Ok(());
    }
    // The scan finds what was written to be as it was written.
    let listed = list(&*database).await?;
    for (n, right) in [(0, &new[0]), (2, &old[2]), (3, &old[3])] {
        let found = match listed.get(&cx.app.id(n).to_key()) {
            Some(Ok(Some(revision))) => revision.clone(),
            _ => revision(&*database, &cx.app.id(n)).await?.unwrap_or("none".into()),
        };
        equal!(found, right.revision, "document {n} for a scan");
    }
    Ok(())
}

/// A database that rounds, folds or normalises says so, and which revision came of it.
pub(super) async fn inexact_bytes_are_said(cx: &Context<'_>) -> CaseResult {
    let (id, bytes) = need(cx.app.inexact(), "document that is stored in another form")?;
    let database = cx.app.open().await;
    let document = Document::of_content(bytes);
    let outcome = apply(&*database, vec![put(id.clone(), &document, None)]).await?.remove(0);
    let Outcome::DoneAs(said) = outcome else {
        check!(false, "{outcome:?} instead of DoneAs");
        return Ok(());
    };
    for database in [database, cx.app.open().await] {
        let found = get(&*database, &id).await?.map(|document| document.revision);
        equal!(found.as_ref(), Some(&said), "the revision of the document");
        equal!(revision(&*database, &id).await?.as_ref(), Some(&said), "its revision alone");
    }
    Ok(())
}

/// And the other writes of the batch are made.
pub(super) async fn refused_changes_nothing(cx: &Context<'_>) -> CaseResult {
    let (id, bytes) = need(cx.app.refused(), "document that it never takes")?;
    let database = cx.app.open().await;
    let new = cx.version(2, 0).await?;
    let epoch = database.epochs(std::slice::from_ref(&id)).await;
    equal!(epoch.len(), 1, "epochs of one document");
    let batch = vec![
        put(cx.app.id(0), &new[0], None),
        put(id.clone(), &Document::of_content(bytes), None),
        put(cx.app.id(1), &new[1], None),
    ];
    let outcomes = apply(&*database, batch).await?;
    let is_right = [Outcome::is_done(&outcomes[0]), Outcome::is_done(&outcomes[2])];
    equal!(is_right, [true, true], "the others are made");
    check!(matches!(outcomes[1], Outcome::Refused(_)), "{:?} instead of Refused", outcomes[1]);
    equal!(list(&*database).await?.len(), 2, "documents");
    equal!(database.epochs(&[id]).await, epoch, "nothing changed why it was refused");
    Ok(())
}
