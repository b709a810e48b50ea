//! The start of an object, and the names of what lies around.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use db_to_cloud::{DocumentId, Folder, Key};

use crate::content::{noise, put_all};
use crate::context::{CaseResult, Context, Stop, check, equal};

/// More than any case here makes; a storage in use may hold more.
const MANY: usize = 100_000;
/// The most keys whose names are asked for at once: more than a page of the services in use.
const KEYS: usize = 1100;

const FOLDERS: [Folder; 4] = [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe];

pub(super) async fn a_start_is_the_first_bytes(cx: &Context) -> CaseResult {
    let document = cx.document(&DocumentId::from("begun"));
    for key in [document, cx.key()?, cx.top_key()?, cx.slot()] {
        let content = noise(1, 3000);
        cx.adapter.put(&key, content.clone()).await?;
        for at_most in [0, 1, 1024, 2999, 3000, 3001, 1 << 20] {
            let want = content.slice(..content.len().min(at_most));
            let start = cx.adapter.get_start(&key, at_most).await?;
            equal!(start.as_ref().map(Bytes::len), Some(want.len()), "{key}, {at_most} bytes");
            check!(start == Some(want), "{key}: these are not the first {at_most} bytes");
        }
    }
    Ok(())
}

pub(super) async fn a_start_of_a_large_object_is_short(cx: &Context) -> CaseResult {
    let key = cx.document(&DocumentId::from("large"));
    let content = noise(2, cx.options.large_object);
    cx.adapter.put(&key, content.clone()).await?;
    let start = cx.adapter.get_start(&key, 4096).await?;
    check!(start == Some(content.slice(..4096)), "{key}: these are not the first 4096 bytes");
    Ok(())
}

pub(super) async fn a_start_of_an_empty_object_is_empty(cx: &Context) -> CaseResult {
    for key in [cx.document(&DocumentId::from("empty")), cx.key()?, cx.top_key()?] {
        cx.adapter.put(&key, Bytes::new()).await?;
        for at_most in [0, 1, 4096] {
            let start = cx.adapter.get_start(&key, at_most).await?;
            equal!(start, Some(Bytes::new()), "{key}, {at_most} bytes");
        }
    }
    Ok(())
}

pub(super) async fn a_start_of_a_missing_object_is_none(cx: &Context) -> CaseResult {
    let probe = cx.key()?;
    let (_, name) = probe.split().unwrap_or_default();
    let document = cx.document(&DocumentId::from("never written"));
    let snapshot = Folder::Snapshots.key(name)?;
    for key in [cx.top_key()?, cx.absent_slot(), document, snapshot, probe.clone()] {
        for at_most in [0, 4096] {
            let start = cx.adapter.get_start(&key, at_most).await?;
            equal!(start, None, "{key}, {at_most} bytes");
        }
    }
    Ok(())
}

/// Also what no document, commit or snapshot is: an object at the top with any name.
pub(super) async fn names_show_what_lies_around(cx: &Context) -> CaseResult {
    let (probe, slot, top) = (cx.key()?, cx.slot(), cx.top_key()?);
    let document = cx.document(&DocumentId::from("named"));
    for key in [&probe, &slot, &top, &document] {
        cx.adapter.put(key, Bytes::from_static(b"{}")).await?;
    }
    let folders = ["changes/", "docs/", "probe/"].map(str::to_owned);
    let at_the_top = folders.into_iter().chain([top.to_string()]).collect();
    named_until_seen(cx, None, &at_the_top).await?;
    for (folder, key) in
        [(Folder::Probe, &probe), (Folder::Changes, &slot), (Folder::Documents, &document)]
    {
        named_until_seen(cx, Some(folder), &names_of(std::slice::from_ref(key))).await?;
    }
    Ok(())
}

pub(super) async fn names_are_as_many_as_wanted(cx: &Context) -> CaseResult {
    let keys = (0..5).map(|_| cx.key()).collect::<CaseResult<Vec<_>>>()?;
    for key in &keys {
        cx.adapter.put(key, Bytes::from_static(b"x")).await?;
    }
    cx.adapter.put(&cx.top_key()?, Bytes::from_static(b"{}")).await?;
    named_until_seen(cx, Some(Folder::Probe), &names_of(&keys)).await?;
    for at_most in [0, 1, 3, 5] {
        let names = cx.adapter.names(Some(Folder::Probe), at_most).await?;
        equal!(names.len(), at_most, "names of at most {at_most} objects in probe/");
    }
    for at_most in [0, 1, 2] {
        let names = cx.adapter.names(None, at_most).await?;
        equal!(names.len(), at_most, "names of at most {at_most} objects at the top");
    }
    Ok(())
}

pub(super) async fn names_go_on_after_a_page(cx: &Context) -> CaseResult {
    let keys = (0..cx.options.listed_keys.min(KEYS)).map(|_| cx.key());
    let keys = keys.collect::<CaseResult<Vec<_>>>()?;
    let items = keys.iter().map(|key| (key.clone(), Bytes::from_static(b"x"))).collect();
    put_all(&*cx.adapter, items).await?;
    named_until_seen(cx, Some(Folder::Probe), &names_of(&keys)).await
}

pub(super) async fn an_empty_storage_has_no_names(cx: &Context) -> CaseResult {
    let Some(empty) = cx.options.empty.clone() else {
        let need = "needs a storage in which nothing was written: Options::with_empty";
        return Err(Stop::Skipped(need.to_owned()));
    };
    for folder in FOLDERS {
        let names = empty.names(Some(folder), MANY).await?;
        check!(names.is_empty(), "the empty folder {folder:?} shows {names:?}");
    }
    // Where folders are made when the storage is opened, they are there.
    let names = empty.names(None, MANY).await?;
    let is_ours = |name: &&String| FOLDERS.iter().any(|f| format!("{}/", f.name()) == **name);
    let other = names.iter().find(|name| !is_ours(name));
    check!(other.is_none(), "the empty storage shows {other:?}");
    Ok(())
}

fn names_of(keys: &[Key]) -> HashSet<String> {
    let name = |key: &Key| key.split().map_or(key.as_str(), |(_, name)| name).to_owned();
    keys.iter().map(name).collect()
}

/// Asks until all these names are there: they may lag behind, but not for ever.
async fn named_until_seen(
    cx: &Context,
    folder: Option<Folder>,
    want: &HashSet<String>,
) -> CaseResult {
    let deadline = Instant::now() + cx.options.patience;
    loop {
        let names = cx.adapter.names(folder, MANY).await?;
        let seen: HashSet<_> = names.iter().cloned().collect();
        equal!(seen.len(), names.len(), "different names among those of {folder:?}");
        let missing: Vec<_> = want.difference(&seen).collect();
        let Some(one) = missing.first() else { return Ok(()) };
        let n = missing.len();
        check!(Instant::now() < deadline, "{n} names are missing in {folder:?}, such as {one}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
