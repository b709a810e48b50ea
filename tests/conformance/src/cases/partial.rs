//! Writes that are under way, and writes that nobody waits for any more: no reader sees a part of a
//! created object (rule S2).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use db_to_cloud::{Adapter, Created, Key};

use crate::content::{difference, expect, noise};
use crate::context::{CaseResult, Context, check};

const MIB: usize = 1024 * 1024;

pub(super) async fn a_create_is_never_seen_in_part(cx: &Context) -> CaseResult {
    cx.need_create()?;
    for round in 0..4 {
        let key = if round % 2 == 0 { cx.slot() } else { cx.key()? };
        let content = noise(round, MIB + 17);
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| watch(cx.adapter.clone(), key.clone(), content.clone(), done.clone()))
            .map(tokio::spawn)
            .collect();
        // On another task: an adapter that never awaits would else be seen only when it is done.
        let (adapter, slot, bytes) = (cx.adapter.clone(), key.clone(), content.clone());
        let created = tokio::spawn(async move { adapter.create(&slot, bytes).await }).await;
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.await??;
        }
        check!(created?? == Created::New, "{key}: occupied");
        expect(&*cx.adapter, &key, &content).await?;
    }
    Ok(())
}

/// Reads until the write is done: nothing, then everything, and never nothing again.
async fn watch(
    adapter: Arc<dyn Adapter>,
    key: Key,
    content: Bytes,
    done: Arc<AtomicBool>,
) -> CaseResult {
    let mut seen = false;
    while !done.load(Ordering::Acquire) {
        let got = adapter.get(&key).await?;
        check!(got.is_some() || !seen, "{key}: it was there, and is gone");
        if got.is_some() {
            let wrong = difference(&content, got.as_deref()).unwrap_or_default();
            check!(wrong.is_empty(), "{key}, while it is created: {wrong}");
            seen = true;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

pub(super) async fn a_dropped_create_leaves_nothing_or_all(cx: &Context) -> CaseResult {
    cx.need_create()?;
    let content = noise(6, MIB);
    let whole = {
        let (start, key) = (Instant::now(), cx.key()?);
        cx.adapter.create(&key, content.clone()).await?;
        start.elapsed()
    };
    for part in 0..8 {
        let key = cx.unsettled_key()?;
        drop_after(whole * part / 8, cx.adapter.create(&key, content.clone())).await;
        settle(cx, &key, &[None, Some(&content)]).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_put_leaves_old_or_new(cx: &Context) -> CaseResult {
    let (old, new) = (noise(7, MIB / 2), noise(8, MIB));
    let whole = {
        let (start, key) = (Instant::now(), cx.key()?);
        cx.adapter.put(&key, new.clone()).await?;
        start.elapsed()
    };
    for part in 0..8 {
        let key = cx.unsettled_key()?;
        cx.adapter.put(&key, old.clone()).await?;
        drop_after(whole * part / 8, cx.adapter.put(&key, new.clone())).await;
        settle(cx, &key, &[Some(&old), Some(&new)]).await?;
    }
    Ok(())
}

/// Polls the write for so long, and at least once, then drops it.
async fn drop_after<T>(time: Duration, write: impl Future<Output = T>) {
    let _ = tokio::time::timeout(time, write).await;
}

/// The object may be half written for as long as the storage still works on it, not for ever.
async fn settle(cx: &Context, key: &Key, allowed: &[Option<&Bytes>]) -> CaseResult {
    let deadline = Instant::now() + cx.options.patience;
    loop {
        let got = match cx.adapter.get(key).await {
            // A server may fail to read what it is writing; the core repeats such a read.
            Err(error) if error.is_transient() && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            got => got?,
        };
        if allowed.contains(&got.as_ref()) {
            return Ok(());
        }
        let len = got.map(|bytes| bytes.len());
        check!(
            Instant::now() < deadline,
            "{key}: a dropped write left {}",
            len.map_or("nothing".to_owned(), |len| format!("{len} bytes, neither old nor new"))
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
