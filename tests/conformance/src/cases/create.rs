//! The exclusive create, which every commit rests on (rule S2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use db_to_cloud::{Adapter, Created, Effect, Error, Key};
use tokio::sync::Barrier;
use tokio::time::sleep;

use crate::content::{difference, expect, noise};
use crate::context::{CaseResult, Context, Stop, check};

pub(super) async fn create_on_an_absent_key_is_new(cx: &Context) -> CaseResult {
    cx.need_create()?;
    for (key, content) in [(cx.key()?, noise(1, 300)), (cx.top_key()?, Bytes::new())] {
        let created = cx.adapter.create(&key, content.clone()).await?;
        check!(created == Created::New, "{key}: {created:?}");
        expect(&*cx.adapter, &key, &content).await?;
    }
    Ok(())
}

pub(super) async fn create_on_a_present_key_changes_nothing(cx: &Context) -> CaseResult {
    cx.need_create()?;
    for first in [noise(1, 300), Bytes::new()] {
        let (by_put, by_create) = (cx.key()?, cx.key()?);
        cx.adapter.put(&by_put, first.clone()).await?;
        cx.adapter.create(&by_create, first.clone()).await?;
        for key in [by_put, by_create] {
            let created = cx.adapter.create(&key, noise(2, 900)).await?;
            check!(created == Created::Occupied, "{key}: {created:?}");
            expect(&*cx.adapter, &key, &first).await?;
        }
    }
    Ok(())
}

/// The lock is created, deleted and created again.
pub(super) async fn create_after_delete_is_new(cx: &Context) -> CaseResult {
    cx.need_create()?;
    let key = cx.top_key()?;
    for round in 0..3 {
        let created = cx.adapter.create(&key, noise(round, 300)).await?;
        check!(created == Created::New, "round {round}: {created:?}");
        expect(&*cx.adapter, &key, &noise(round, 300)).await?;
        cx.adapter.delete(&key).await?;
    }
    Ok(())
}

pub(super) async fn create_is_exclusive(cx: &Context) -> CaseResult {
    cx.need_create()?;
    for round in 0..cx.options.rounds {
        // An adapter may keep log slots in another way than other objects.
        let key = if round.is_multiple_of(2) { cx.slot() } else { cx.key()? };
        race(cx, &key).await?;
    }
    Ok(())
}

/// A storage may refuse for now who races, if it says that nothing was written: clients try again.
async fn create_in_the_end(
    adapter: &dyn Adapter,
    key: &Key,
    own: Bytes,
    patience: Duration,
) -> Result<Created, Error> {
    let deadline = Instant::now() + patience;
    loop {
        match adapter.create(key, own.clone()).await {
            Err(error)
                if error.is_transient()
                    && error.effect() == Effect::None
                    && Instant::now() < deadline =>
            {
                sleep(Duration::from_millis(50)).await;
            }
            created => return created,
        }
    }
}

/// Many creators at once, of both clients if there are two: one wins, and all read its bytes.
async fn race(cx: &Context, key: &Key) -> CaseResult {
    let alone = cx.options.races_of_one_client && key.slot().is_none();
    let other = cx.options.other.clone().filter(|_| !alone);
    let clients = [other.unwrap_or(cx.adapter.clone()), cx.adapter.clone()];
    let patience = cx.options.patience;
    let start = Arc::new(Barrier::new(cx.options.creators));
    let creators: Vec<_> = (0..cx.options.creators)
        .map(|i| (clients[i % 2].clone(), key.clone(), noise(i as u64, 400 + i), start.clone()))
        .map(|(adapter, key, own, start)| {
            tokio::spawn(async move {
                // Else the first is done before the last has begun.
                start.wait().await;
                let created = create_in_the_end(&*adapter, &key, own, patience).await?;
                Ok::<_, Error>((created, adapter.get(&key).await?))
            })
        })
        .collect();
    let (mut winners, mut read) = (Vec::new(), Vec::new());
    for (i, creator) in creators.into_iter().enumerate() {
        let (created, content) = creator.await??;
        if created == Created::New {
            winners.push(i);
        }
        read.push(content);
    }
    let [winner] = winners[..] else {
        return Err(Stop::Failed(format!("{key}: winners are {winners:?}")));
    };
    let own = noise(winner as u64, 400 + winner);
    for (i, content) in read.iter().enumerate() {
        let wrong = difference(&own, content.as_deref()).unwrap_or_default();
        check!(wrong.is_empty(), "{key}: creator {winner} won, but {i} read: {wrong}");
    }
    expect(&*cx.adapter, key, &own).await
}

/// The answer of a create was lost; the caller sends it again, and finds out that it had won.
pub(super) async fn a_create_whose_answer_was_lost_is_read_back(cx: &Context) -> CaseResult {
    cx.need_create()?;
    let (key, own) = (cx.slot(), noise(5, 2000));
    cx.adapter.create(&key, own.clone()).await?;
    let again = cx.adapter.create(&key, own.clone()).await?;
    check!(again == Created::Occupied, "the same bytes again: {again:?}");
    expect(&*cx.adapter, &key, &own).await
}

pub(super) async fn log_slots_are_created_once(cx: &Context) -> CaseResult {
    cx.need_create()?;
    let slots: Vec<_> = (0..5).map(|_| cx.slot()).collect();
    for (i, slot) in slots.iter().enumerate() {
        for (attempt, want) in [(0, Created::New), (1, Created::Occupied), (2, Created::Occupied)] {
            let created = cx.adapter.create(slot, noise(i as u64 * 10 + attempt, 600)).await?;
            check!(created == want, "{slot}, attempt {attempt}: {created:?}");
        }
    }
    let answers = cx.adapter.get_many(&slots).await;
    for (i, (answer, slot)) in answers.into_iter().zip(&slots).enumerate() {
        let wrong = difference(&noise(i as u64 * 10, 600), answer?.as_deref()).unwrap_or_default();
        check!(wrong.is_empty(), "{slot}: {wrong}");
    }
    Ok(())
}
