//! Bytes to store, and how to say what is wrong with those that came back.

use bytes::Bytes;
use db_to_cloud::{Adapter, Key};

use crate::context::{CaseResult, check};

/// So many bytes that look random and depend on the seed: no part repeats or compresses, so that a
/// lost, doubled or swapped block shows.
pub(crate) fn noise(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        // Xorshift: quick, and good enough to tell blocks apart.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(len);
    out.into()
}

/// Says what is wrong in a few words: contents may be megabytes.
pub(crate) fn difference(want: &[u8], got: Option<&[u8]>) -> Option<String> {
    let Some(got) = got else { return Some("it is not there".to_owned()) };
    if got == want {
        return None;
    }
    let same = want.iter().zip(got).take_while(|(a, b)| a == b).count();
    Some(format!("{} bytes came back instead of {}, wrong from {same}", got.len(), want.len()))
}

/// Reads the object and fails unless it is this one.
pub(crate) async fn expect(adapter: &dyn Adapter, key: &Key, want: &[u8]) -> CaseResult {
    let got = adapter.get(key).await?;
    if let Some(wrong) = difference(want, got.as_deref()) {
        check!(false, "{key}: {wrong}");
    }
    Ok(())
}

/// Reads the object and fails if there is one.
pub(crate) async fn expect_none(adapter: &dyn Adapter, key: &Key) -> CaseResult {
    let got = adapter.get(key).await?;
    check!(got.is_none(), "{key}: there is an object, and should be none");
    Ok(())
}

/// Writes many objects in batches of the size the adapter asks for.
pub(crate) async fn put_all(adapter: &dyn Adapter, items: Vec<(Key, Bytes)>) -> CaseResult {
    let size = adapter.capabilities().batch_items.max(1);
    for batch in items.chunks(size) {
        for answer in adapter.put_many(batch.to_vec()).await {
            answer?;
        }
    }
    Ok(())
}
