//! Copies that the storage makes itself. All keys are of documents: nothing else is copied.

use db_to_cloud::{Copied, DocumentId, Error, Key};

use crate::content::{difference, expect, expect_none, noise};
use crate::context::{CaseResult, Context, Stop, check};

/// A storage that does not copy is reported: none of its cases has passed.
fn supported(copied: Result<Copied, Error>) -> CaseResult<Copied> {
    match copied? {
        Copied::Unsupported => {
            Err(Stop::Skipped("the adapter says that it does not copy objects".to_owned()))
        }
        copied => Ok(copied),
    }
}

async fn copy(cx: &Context, from: &Key, to: &Key) -> CaseResult<Copied> {
    supported(cx.adapter.copy(from, to).await)
}

/// A version of a document whose name needs escapes.
fn version(cx: &Context, name: &str) -> Key {
    cx.document(&DocumentId::from(format!("a copied note: {name} ü+%41")))
}

pub(super) async fn a_copy_has_the_bytes_of_the_original_and_outlives_it(
    cx: &Context,
) -> CaseResult {
    for len in [0, 1, 1000, 3_000_000] {
        let (from, to) = (version(cx, "old"), version(cx, "new"));
        let content = noise(len as u64, len);
        cx.adapter.put(&from, content.clone()).await?;
        let copied = copy(cx, &from, &to).await?;
        check!(copied == Copied::Done, "{len} bytes: {copied:?}, although the original is there");
        expect(&*cx.adapter, &to, &content).await?;
        expect(&*cx.adapter, &from, &content).await?;
        cx.adapter.delete(&from).await?;
        expect(&*cx.adapter, &to, &content).await?;
        expect_none(&*cx.adapter, &from).await?;
    }
    Ok(())
}

pub(super) async fn a_copy_is_an_object_of_its_own(cx: &Context) -> CaseResult {
    let (from, to) = (version(cx, "old"), version(cx, "new"));
    cx.adapter.put(&from, noise(1, 5000)).await?;
    copy(cx, &from, &to).await?;
    cx.adapter.put(&from, noise(2, 700)).await?;
    expect(&*cx.adapter, &to, &noise(1, 5000)).await?;
    cx.adapter.put(&to, noise(3, 90)).await?;
    expect(&*cx.adapter, &from, &noise(2, 700)).await?;
    cx.adapter.delete(&to).await?;
    expect(&*cx.adapter, &from, &noise(2, 700)).await
}

pub(super) async fn a_copy_of_what_is_absent_is_missing_and_writes_nothing(
    cx: &Context,
) -> CaseResult {
    let (never, deleted) = (version(cx, "never written"), version(cx, "deleted"));
    let (to, there) = (version(cx, "new"), version(cx, "there"));
    cx.adapter.put(&deleted, noise(1, 50)).await?;
    cx.adapter.delete(&deleted).await?;
    cx.adapter.put(&there, noise(2, 50)).await?;
    for from in [&never, &deleted] {
        let copied = copy(cx, from, &to).await?;
        check!(copied == Copied::Missing, "{copied:?}, although there is nothing to copy");
        expect_none(&*cx.adapter, &to).await?;
        // To an adapter that does not copy over objects either may be what it says.
        let copied = cx.adapter.copy(from, &there).await?;
        check!(copied != Copied::Done, "done over an object that is there");
        expect(&*cx.adapter, &there, &noise(2, 50)).await?;
    }
    Ok(())
}

/// As after an answer that was lost. An adapter may leave it to the caller to upload the bytes.
pub(super) async fn a_copy_over_the_same_content_leaves_it(cx: &Context) -> CaseResult {
    let (from, to) = (version(cx, "old"), version(cx, "new"));
    let uploaded = version(cx, "uploaded");
    cx.adapter.put(&from, noise(1, 500)).await?;
    cx.adapter.put(&uploaded, noise(1, 500)).await?;
    copy(cx, &from, &to).await?;
    for to in [&to, &to, &uploaded] {
        let copied = cx.adapter.copy(&from, to).await?;
        check!(copied != Copied::Missing, "missing, although the original is there");
        expect(&*cx.adapter, to, &noise(1, 500)).await?;
    }
    cx.adapter.delete(&from).await?;
    expect(&*cx.adapter, &to, &noise(1, 500)).await?;
    // As by a request that arrives late.
    let copied = cx.adapter.copy(&from, &to).await?;
    check!(copied != Copied::Done, "done, although the original is gone");
    expect(&*cx.adapter, &to, &noise(1, 500)).await
}

pub(super) async fn copy_many_answers_in_order(cx: &Context) -> CaseResult {
    let pairs: Vec<_> = (0..20).map(|_| (version(cx, "old"), version(cx, "new"))).collect();
    // Every third original is never written.
    let exists = |i: usize| !i.is_multiple_of(3);
    for (i, (from, _)) in pairs.iter().enumerate() {
        if exists(i) {
            cx.adapter.put(from, noise(i as u64, 100 * i)).await?;
        }
    }
    let answers = cx.adapter.copy_many(pairs.clone()).await;
    check!(answers.len() == pairs.len(), "{} answers to {}", answers.len(), pairs.len());
    for (i, (answer, (_, to))) in answers.into_iter().zip(&pairs).enumerate() {
        let copied = supported(answer)?;
        let wanted = if exists(i) { Copied::Done } else { Copied::Missing };
        check!(copied == wanted, "answer {i} is {copied:?} instead of {wanted:?}");
        let got = cx.adapter.get(to).await?;
        let want = exists(i).then(|| noise(i as u64, 100 * i));
        match want {
            Some(want) => {
                let wrong = difference(&want, got.as_deref());
                check!(wrong.is_none(), "copy {i}: {}", wrong.unwrap_or_default());
            }
            None => check!(got.is_none(), "copy {i} is there, although its original is not"),
        }
    }
    let none = cx.adapter.copy_many(Vec::new()).await;
    check!(none.is_empty(), "an empty batch has answers");
    Ok(())
}
