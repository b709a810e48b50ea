//! The `_many` methods.

use bytes::Bytes;
use db_to_cloud::Key;

use crate::content::{difference, expect, expect_none, noise};
use crate::context::{CaseResult, Context, check};

/// Objects of different sizes, so that the small ones overtake the large ones.
fn items(cx: &Context) -> CaseResult<Vec<(Key, Bytes)>> {
    let len = |i: u64| if i.is_multiple_of(4) { 200_000 } else { 10 * i as usize };
    (0..24).map(|i| Ok((cx.key()?, noise(i, len(i))))).collect()
}

pub(super) async fn put_many_writes_each_object(cx: &Context) -> CaseResult {
    let items = items(cx)?;
    let answers = cx.adapter.put_many(items.clone()).await;
    check!(answers.len() == items.len(), "{} answers to {}", answers.len(), items.len());
    for answer in answers {
        answer?;
    }
    for (key, content) in &items {
        expect(&*cx.adapter, key, content).await?;
    }
    let none = cx.adapter.put_many(Vec::new()).await;
    check!(none.is_empty(), "an empty batch has answers");
    Ok(())
}

pub(super) async fn get_many_answers_in_order(cx: &Context) -> CaseResult {
    let items = items(cx)?;
    // Every third object is never written.
    let exists = |i: usize| !i.is_multiple_of(3);
    for (i, (key, content)) in items.iter().enumerate() {
        if exists(i) {
            cx.adapter.put(key, content.clone()).await?;
        }
    }
    let keys: Vec<_> = items.iter().map(|(key, _)| key.clone()).collect();
    let answers = cx.adapter.get_many(&keys).await;
    check!(answers.len() == keys.len(), "{} answers to {}", answers.len(), keys.len());
    for (i, (answer, (key, content))) in answers.into_iter().zip(&items).enumerate() {
        let got = answer?;
        if exists(i) {
            let wrong = difference(content, got.as_deref());
            check!(wrong.is_none(), "answer {i}, {key}: {}", wrong.unwrap_or_default());
        } else {
            check!(got.is_none(), "answer {i}, {key}: there is no such object");
        }
    }
    Ok(())
}

pub(super) async fn delete_many_deletes_just_these(cx: &Context) -> CaseResult {
    let (kept, deleted, missing) = (cx.key()?, cx.key()?, cx.key()?);
    cx.adapter.put(&kept, noise(1, 10)).await?;
    cx.adapter.put(&deleted, noise(2, 10)).await?;
    let answers = cx.adapter.delete_many(&[missing, deleted.clone()]).await;
    check!(answers.len() == 2, "{} answers to 2", answers.len());
    for answer in answers {
        answer?;
    }
    expect_none(&*cx.adapter, &deleted).await?;
    expect(&*cx.adapter, &kept, &noise(1, 10)).await
}
