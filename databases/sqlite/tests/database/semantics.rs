//! What every [`Database`] promises.

use std::sync::Arc;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Database, Document, DocumentId, KeepBoth, Revision, Write};
use db_to_cloud_sqlite::Table;
use futures::StreamExt;

use crate::world::{Became, Device, NOTES, apply, became, pair, settle, write};

async fn laptop() -> Device {
    Device::new(&MemoryAdapter::new(), NOTES, &["notes"]).await
}

fn id(name: &str) -> DocumentId {
    DocumentId::from(format!("[\"notes\",\"{name}\"]"))
}

fn note(text: &str) -> Document {
    Document::of_content(format!("{{\"done\":0,\"text\":\"{text}\"}}"))
}

fn put(name: &str, text: &str, expected: Option<Revision>) -> Write {
    write(id(name), Some(note(text)), expected)
}

#[tokio::test]
async fn a_document_is_the_json_of_its_row() {
    let laptop = laptop().await;
    laptop.run("INSERT INTO notes VALUES ('a', 'milk', 0)");
    assert_eq!(laptop.database.get(&id("a")).await.unwrap(), Some(note("milk")));
    assert_eq!(laptop.database.get(&id("b")).await.unwrap(), None);
    let revisions = laptop.database.revisions(&[id("b"), id("a")]).await;
    let revisions: Vec<_> = revisions.into_iter().map(Result::unwrap).collect();
    assert_eq!(revisions, [None, Some(note("milk").revision)]);
}

#[tokio::test]
async fn a_write_is_made_only_on_the_expected_revision() {
    let laptop = laptop().await;
    let (old, new) = (note("old").revision, note("new").revision);
    let apply = |write| apply(&laptop.database, write);
    assert_eq!(apply(put("a", "old", Some(new.clone()))).await, Became::Changed);
    assert_eq!(apply(put("a", "old", None)).await, Became::Done);
    assert_eq!(apply(put("a", "new", None)).await, Became::Changed);
    assert_eq!(apply(put("a", "new", Some(old.clone()))).await, Became::Done);
    let delete = |expected| write(id("a"), None, expected);
    assert_eq!(apply(delete(Some(old))).await, Became::Changed);
    assert_eq!(apply(delete(None)).await, Became::Changed);
    assert_eq!(laptop.shell("SELECT text FROM notes"), "new");
    assert_eq!(apply(delete(Some(new))).await, Became::Done);
    assert_eq!(apply(delete(None)).await, Became::Done);
    assert_eq!(laptop.shell("SELECT count(*) FROM notes"), "0");
}

#[tokio::test]
async fn writes_of_a_batch_are_each_on_their_own_and_answered_in_their_order() {
    let laptop = laptop().await;
    laptop.run("INSERT INTO notes VALUES ('a', 'old', 0), ('c', 'old', 0)");
    let bad = Write { document: Some(Document::of_content("no JSON")), ..put("x", "", None) };
    let writes = vec![
        put("b", "new", None),
        put("a", "new", None),
        bad,
        write(id("c"), None, Some(note("old").revision)),
    ];
    let answers = became(&laptop.database.apply(writes).await);
    assert_eq!(answers, [Became::Done, Became::Changed, Became::Refused, Became::Done]);
    assert_eq!(laptop.shell("SELECT id, text FROM notes ORDER BY id"), "a|old\nb|new");
    assert_eq!(laptop.queued().await, 2, "only what the application inserted");
}

#[tokio::test]
async fn a_document_that_is_written_is_read_to_the_byte_with_its_revision() {
    let laptop = laptop().await;
    let foreign = Document::new("my own revision", "{ \"text\" : \"x\", \"more\": [1, {}] }");
    let write = write(id("a"), Some(foreign.clone()), None);
    assert_eq!(apply(&laptop.database, write).await, Became::Done);
    assert_eq!(laptop.database.get(&id("a")).await.unwrap(), Some(foreign));
    assert_eq!(laptop.shell("SELECT * FROM notes"), "a|x|0");
    laptop.run("UPDATE notes SET text = 'y'");
    let edited = Document::of_content(r#"{"done":0,"more":[1,{}],"text":"y"}"#);
    assert_eq!(laptop.database.get(&id("a")).await.unwrap(), Some(edited));
}

#[tokio::test]
async fn documents_of_other_applications_are_held_as_they_are() {
    let laptop = laptop().await;
    for id in [DocumentId::from(7), "hello".into(), "[\"tags\",1]".into()] {
        let document = Some(Document::new("1", vec![0, 255]));
        let put = write(id.clone(), document.clone(), None);
        assert_eq!(apply(&laptop.database, put.clone()).await, Became::Done);
        assert_eq!(laptop.database.get(&id).await.unwrap(), document);
        assert_eq!(apply(&laptop.database, put).await, Became::Changed);
        let delete = write(id.clone(), None, Some("1".into()));
        assert_eq!(apply(&laptop.database, delete).await, Became::Done);
        assert_eq!(laptop.database.get(&id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn all_documents_are_listed_once() {
    let schema = format!("{NOTES}; CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID");
    let laptop = Device::new(&MemoryAdapter::new(), &schema, &["notes", "pairs"]).await;
    laptop.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
            INSERT INTO notes SELECT 'note ' || i, '', 0 FROM n;
        INSERT INTO pairs SELECT rowid % 7, id FROM notes",
    );
    let held = write(7, Some(note("")), None);
    assert_eq!(apply(&laptop.database, held).await, Became::Done);
    let listed: Vec<_> = laptop.database.list().map(Result::unwrap).collect().await;
    let ids: std::collections::BTreeSet<_> = listed.iter().map(|l| l.id.clone()).collect();
    assert_eq!((listed.len(), ids.len()), (2469, 2469));
    assert!(listed.iter().all(|listed| listed.revision.is_ok()));
}

#[tokio::test]
async fn an_edit_that_forgets_to_count_its_revision_is_an_edit() {
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, text, rev INTEGER)";
    let table = || vec![Table::new("notes").with_revision("rev")];
    let (a, b) =
        (Device::with(&cloud, schema, table()).await, Device::with(&cloud, schema, table()).await);
    a.run("INSERT INTO notes VALUES ('a', 'x', 41)");
    settle(&a, &b).await;
    let before = a.database.get(&id("a")).await.unwrap().unwrap().revision;
    assert!(before.as_str().starts_with("41."), "{before}");
    a.run("UPDATE notes SET text = 'y'");
    settle(&a, &b).await;
    assert_eq!(b.shell("SELECT text FROM notes"), "y");
    assert_ne!(b.database.get(&id("a")).await.unwrap().unwrap().revision, before);
}

#[tokio::test]
async fn both_sides_of_a_conflict_can_be_kept_under_two_ids() {
    let (mut laptop, phone) = pair(NOTES, &["notes"]).await;
    let copy = |conflict: &db_to_cloud::Conflict| {
        let name = conflict.id.to_string().replace("\"]", " (copy)\"]");
        DocumentId::from(name)
    };
    laptop.decide_by(Arc::new(KeepBoth::new(copy))).await;
    laptop.run("INSERT INTO notes VALUES ('a', 'of the laptop', 0)");
    phone.run("INSERT INTO notes VALUES ('a', 'of the phone', 0)");
    phone.sync().await;
    settle(&laptop, &phone).await;
    let all = "a|of the phone|0\na (copy)|of the laptop|0";
    assert_eq!(phone.shell("SELECT * FROM notes ORDER BY id"), all);
}
