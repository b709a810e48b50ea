//! Single objects.

use bytes::Bytes;
use db_to_cloud::{DocumentId, Folder};

use crate::content::{expect, expect_none, noise};
use crate::context::{CaseResult, Context};

/// Contents that were once mangled somewhere: taken for absent, for text, or for the end of a line.
fn awkward_contents() -> Vec<Bytes> {
    let every_byte: Vec<u8> = (0..=255).collect();
    vec![
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"\r\nline\r\n\xef\xbb\xbf\n"),
        Bytes::from_static(b"{}"),
        every_byte.into(),
        noise(1, 70_000),
    ]
}

pub(super) async fn an_object_comes_back_whole(cx: &Context) -> CaseResult {
    for content in awkward_contents() {
        let key = cx.key()?;
        cx.adapter.put(&key, content.clone()).await?;
        expect(&*cx.adapter, &key, &content).await?;
    }
    Ok(())
}

pub(super) async fn an_object_without_a_folder_comes_back_whole(cx: &Context) -> CaseResult {
    let key = cx.top_key()?;
    expect_none(&*cx.adapter, &key).await?;
    cx.adapter.put(&key, Bytes::from_static(b"{\"top\":1}")).await?;
    expect(&*cx.adapter, &key, b"{\"top\":1}").await?;
    cx.adapter.delete(&key).await?;
    expect_none(&*cx.adapter, &key).await
}

pub(super) async fn put_replaces_the_object(cx: &Context) -> CaseResult {
    let key = cx.key()?;
    // Longer, shorter, equal, empty: a write in place that forgets to truncate shows.
    for content in [noise(1, 500), noise(2, 5000), noise(3, 7), noise(3, 7), Bytes::new()] {
        cx.adapter.put(&key, content.clone()).await?;
        expect(&*cx.adapter, &key, &content).await?;
    }
    Ok(())
}

pub(super) async fn a_missing_object_is_none(cx: &Context) -> CaseResult {
    let probe = cx.key()?;
    let (_, name) = probe.split().unwrap_or_default();
    let document = cx.document(&DocumentId::from("never written"));
    for key in
        [cx.top_key()?, cx.absent_slot(), document, Folder::Snapshots.key(name)?, probe.clone()]
    {
        expect_none(&*cx.adapter, &key).await?;
    }
    Ok(())
}

pub(super) async fn a_deleted_object_is_gone(cx: &Context) -> CaseResult {
    let (key, neighbour) = (cx.key()?, cx.key()?);
    cx.adapter.put(&key, noise(1, 50)).await?;
    cx.adapter.put(&neighbour, noise(2, 50)).await?;
    cx.adapter.delete(&key).await?;
    expect_none(&*cx.adapter, &key).await?;
    expect(&*cx.adapter, &neighbour, &noise(2, 50)).await
}

pub(super) async fn deleting_a_missing_object_is_ok(cx: &Context) -> CaseResult {
    let key = cx.key()?;
    cx.adapter.delete(&key).await?;
    cx.adapter.put(&key, noise(1, 50)).await?;
    cx.adapter.delete(&key).await?;
    Ok(cx.adapter.delete(&key).await?)
}

pub(super) async fn a_large_object_comes_back_whole(cx: &Context) -> CaseResult {
    let key = cx.key()?;
    let content = noise(4, cx.options.large_object);
    cx.adapter.put(&key, content.clone()).await?;
    expect(&*cx.adapter, &key, &content).await
}
