//! Lists.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use db_to_cloud::{DocumentId, Folder, Key};

use crate::content::put_all;
use crate::context::{CaseResult, Context, check};

const FOLDERS: [Folder; 4] = [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe];

/// A folder that does not exist is empty; one of a storage in use holds other keys than ours.
pub(super) async fn listing_needs_no_objects(cx: &Context) -> CaseResult {
    for folder in FOLDERS {
        let listed = list_all(cx, folder).await?;
        let ours = listed.contains(&cx.absent_slot()) || listed.contains(&cx.key()?);
        check!(!ours, "{folder:?}: a key that was never written is listed");
    }
    Ok(())
}

pub(super) async fn list_shows_only_its_folder(cx: &Context) -> CaseResult {
    let in_probe = cx.key()?;
    let document = cx.document(&DocumentId::from("listed"));
    let keys = [in_probe.clone(), document.clone(), cx.slot(), cx.top_key()?];
    for key in &keys {
        cx.adapter.put(key, Bytes::from_static(b"{}")).await?;
    }
    for folder in FOLDERS {
        let foreign = |key: &&Key| key.split().map(|(name, _)| name) != Some(folder.name());
        let listed = list_all(cx, folder).await?;
        let foreign = listed.iter().find(foreign);
        check!(foreign.is_none(), "the list of {folder:?} shows {foreign:?}");
    }
    list_until_seen(cx, Folder::Probe, &HashSet::from([in_probe])).await?;
    list_until_seen(cx, Folder::Documents, &HashSet::from([document])).await?;
    list_until_seen(cx, Folder::Changes, &HashSet::from([keys[2].clone()])).await
}

pub(super) async fn list_shows_each_key_once(cx: &Context) -> CaseResult {
    let keys = (0..cx.options.listed_keys).map(|_| cx.key()).collect::<CaseResult<Vec<_>>>()?;
    let items = keys.iter().map(|key| (key.clone(), Bytes::from_static(b"x"))).collect();
    put_all(&*cx.adapter, items).await?;
    list_until_seen(cx, Folder::Probe, &keys.into_iter().collect()).await
}

/// Lists until all these keys are there: a list may lag behind, but not for ever.
pub(super) async fn list_until_seen(
    cx: &Context,
    folder: Folder,
    keys: &HashSet<Key>,
) -> CaseResult {
    let deadline = Instant::now() + cx.options.patience;
    loop {
        let listed = list_all(cx, folder).await?;
        let missing = keys.difference(&listed).count();
        if missing == 0 {
            return Ok(());
        }
        let some = keys.difference(&listed).next();
        check!(Instant::now() < deadline, "{missing} keys are not listed, such as {some:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// All pages of one list; a key that comes twice is a failure.
async fn list_all(cx: &Context, folder: Folder) -> CaseResult<HashSet<Key>> {
    let (mut seen, mut page, mut pages) = (HashSet::new(), None, HashSet::new());
    loop {
        let answer = cx.adapter.list(folder, page.as_deref()).await?;
        for key in answer.keys {
            check!(seen.insert(key.clone()), "{key} is listed twice");
        }
        let Some(next) = answer.next else { return Ok(seen) };
        check!(pages.insert(next.clone()), "page {next:?} comes for ever");
        page = Some(next);
    }
}
