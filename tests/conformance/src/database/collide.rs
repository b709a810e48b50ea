//! Documents that are in each other's place.

use db_to_cloud::{Document, DocumentId, Outcome, Revision};

use super::tools::{Context, apply, apply_all, delete, expect, get, list, need, put, revision};
use crate::context::{CaseResult, check, equal};

/// Two documents that cannot be there at the same time: the first is there, the second is to come.
struct Rivals {
    here: (DocumentId, Option<Revision>),
    new: (DocumentId, Document),
}

async fn rivals(cx: &Context<'_>, in_reverse: bool) -> CaseResult<Rivals> {
    let mut rivals = need(cx.app.rivals(), "documents that cannot be there at the same time")?;
    if in_reverse {
        rivals.reverse();
    }
    let [(here, bytes), (new, new_bytes)] = rivals;
    cx.app.edit(&here, Some(&bytes));
    let revision = revision(&*cx.app.open().await, &here).await?;
    let document = cx.elsewhere(&[(new.clone(), new_bytes)]).await?.remove(0);
    Ok(Rivals { here: (here, revision), new: (new, document) })
}

/// In whatever order they were committed.
pub(super) async fn a_delete_makes_room_for_a_put_in_one_batch(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    for (in_reverse, is_delete_first) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let Rivals { here, new } = rivals(cx, in_reverse).await?;
        let mut batch = vec![put(new.0.clone(), &new.1, None), delete(here.0.clone(), here.1)];
        if is_delete_first {
            batch.reverse();
        }
        apply_all(&*database, batch).await?;
        expect(&*database, &here.0, None).await?;
        expect(&*database, &new.0, Some(&new.1)).await?;
        cx.app.edit(&new.0, None);
    }
    Ok(())
}

/// Or a document would be gone whose successor did not come.
pub(super) async fn no_delete_is_made_if_the_put_in_its_place_fails(
    cx: &Context<'_>,
) -> CaseResult {
    let database = cx.app.open().await;
    let Rivals { here, new } = rivals(cx, false).await?;
    let before = get(&*database, &here.0).await?;
    let unmet = Some(Revision::new("of no document"));
    let batch = vec![delete(here.0.clone(), here.1), put(new.0.clone(), &new.1, unmet)];
    let outcomes = apply(&*database, batch).await?;
    check!(matches!(outcomes[1], Outcome::Changed), "the put: {:?}", outcomes[1]);
    expect(&*database, &new.0, None).await?;
    // A delete that is in nobody's place as things are may be made: then it is reported as made.
    match outcomes[0].is_done() {
        true => expect(&*database, &here.0, None).await,
        false => expect(&*database, &here.0, before.as_ref()).await,
    }
}

/// As soon as there is room it is written.
pub(super) async fn blocked_comes_again(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let Rivals { here, new } = rivals(cx, false).await?;
    let before = get(&*database, &here.0).await?;
    for _ in 0..2 {
        let outcome = apply(&*database, vec![put(new.0.clone(), &new.1, None)]).await?.remove(0);
        check!(matches!(outcome, Outcome::Blocked(_)), "{outcome:?} instead of Blocked");
        expect(&*database, &here.0, before.as_ref()).await?;
        expect(&*database, &new.0, None).await?;
    }
    cx.app.edit(&here.0, None);
    apply_all(&*database, vec![put(new.0.clone(), &new.1, None)]).await?;
    expect(&*database, &new.0, Some(&new.1)).await
}

/// Handed on in a circle, and with one that goes.
pub(super) async fn a_chain_of_unique_values_moves_in_one_batch(cx: &Context<'_>) -> CaseResult {
    const COUNT: usize = 7;
    need(cx.app.unique(0, 0), "unique values")?;
    let database = cx.app.open().await;
    let documents = |shift: usize, count: usize| -> Vec<(DocumentId, bytes::Bytes)> {
        let bytes = |n: usize| cx.app.unique(n, (n + shift) % COUNT);
        (0..count).filter_map(|n| Some((cx.app.id(n), bytes(n)?))).collect()
    };
    let mut now = cx.elsewhere(&documents(0, COUNT)).await?;
    let made = now.iter().enumerate().map(|(n, new)| put(cx.app.id(n), new, None)).collect();
    apply_all(&*database, made).await?;
    // One on, back, three on; then the last goes and all move on.
    for (shift, count) in [(1, COUNT), (0, COUNT), (3, COUNT), (4, COUNT - 1)] {
        let new = cx.elsewhere(&documents(shift, count)).await?;
        let revision = |n: usize| Some(now[n].revision.clone());
        let puts = new.iter().enumerate().map(|(n, new)| put(cx.app.id(n), new, revision(n)));
        let gone = (count..COUNT).map(|n| delete(cx.app.id(n), revision(n)));
        apply_all(&*database, puts.chain(gone).collect()).await?;
        for (n, right) in new.iter().enumerate() {
            expect(&*database, &cx.app.id(n), Some(right)).await?;
        }
        equal!(list(&*database).await?.len(), count, "documents");
        now = new;
    }
    Ok(())
}

/// It is said, and there is room again later.
pub(super) async fn a_full_disk_changes_nothing(cx: &Context<'_>) -> CaseResult {
    let database = cx.app.open().await;
    let here = cx.edit_all(&*database, 10, 0).await?;
    let mut before = Vec::new();
    for n in 0..10 {
        before.push(get(&*database, &cx.app.id(n)).await?);
    }
    let new = cx.version(400, 1).await?;
    let undo = need(cx.app.fill(), "disk that can be filled")?;
    let expected = |n: usize| here.get(n).cloned();
    let batch = || (0..400).map(|n| put(cx.app.id(n), &new[n], expected(n))).collect();
    let outcomes = apply(&*database, batch()).await;
    let mut found = Vec::new();
    for n in 0..10 {
        found.push(get(&*database, &cx.app.id(n)).await);
    }
    undo();
    let outcomes = outcomes?;
    check!(!outcomes.iter().all(Outcome::is_done), "all is written to a full disk");
    for (n, outcome) in outcomes.iter().enumerate() {
        let is_right = outcome.is_done() || matches!(outcome, Outcome::Blocked(_));
        check!(is_right, "document {n}: {outcome:?} instead of Blocked");
        let right = match (outcome.is_done(), before.get(n)) {
            (true, _) => Some(&new[n]),
            (false, before) => before.and_then(Option::as_ref),
        };
        expect(&*database, &cx.app.id(n), right).await?;
    }
    for (n, found) in found.into_iter().enumerate() {
        check!(found?.is_some(), "document {n} was gone while the disk was full");
    }
    let blocked = (0..400).filter(|n| !outcomes[*n].is_done());
    let again = blocked.map(|n| put(cx.app.id(n), &new[n], expected(n))).collect();
    apply_all(&*database, again).await
}
