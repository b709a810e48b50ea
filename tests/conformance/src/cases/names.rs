//! Keys of documents with awkward ids (rule S4).

use bytes::Bytes;
use db_to_cloud::{DocumentId, Folder, Key};

use crate::cases::list::list_until_seen;
use crate::content::{expect, put_all};
use crate::context::{CaseResult, Context};

fn awkward_ids() -> Vec<DocumentId> {
    let long = "long ".repeat(1000);
    let texts = ["", ".", "..", "../../etc/passwd", "a/b\\c", "con", "nul.txt", "desktop.ini"];
    let more = ["a.tmp", ".hidden", "trailing.", "space ", "%2e%2F", "?#&=+", "\0\r\n", "-", "~"];
    let unicode = ["日本語", "👩‍👩‍👧", "e\u{301}", "é", "İstanbul", "A", "a", &long];
    let texts = texts.into_iter().chain(more).chain(unicode).map(DocumentId::from);
    texts.chain([DocumentId::from(7), DocumentId::from("7"), DocumentId::from(-1)]).collect()
}

/// One object for each awkward id; each content is different, so that a mix-up shows.
fn documents(cx: &Context) -> Vec<(Key, Bytes)> {
    let content = |id: &DocumentId| Bytes::from(format!("content of {}", id.to_key()));
    awkward_ids().iter().map(|id| (cx.document(id), content(id))).collect()
}

pub(super) async fn awkward_document_ids_round_trip(cx: &Context) -> CaseResult {
    let documents = documents(cx);
    for (key, content) in &documents {
        cx.adapter.put(key, content.clone()).await?;
    }
    for (key, content) in &documents {
        expect(&*cx.adapter, key, content).await?;
    }
    Ok(())
}

pub(super) async fn awkward_document_ids_are_listed(cx: &Context) -> CaseResult {
    let documents = documents(cx);
    put_all(&*cx.adapter, documents.clone()).await?;
    let keys = documents.into_iter().map(|(key, _)| key).collect();
    list_until_seen(cx, Folder::Documents, &keys).await
}
