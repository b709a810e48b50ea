//! What the files of the package hold. It writes all of them with `JSON.stringify`.

use bytes::Bytes;
use db_to_cloud::{Document, DocumentId, Revision};
use serde::Deserialize;
use serde_json::Number;
use serde_json::value::RawValue;

/// A line of `changes/<n>.json`: the newest of a document decides what became of it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub id: DocumentId,
    /// The file of the document, as the package names it.
    pub path: String,
    pub revision: Option<Revision>,
    pub is_delete: bool,
}

/// `meta.json`, of which the package needs one field.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    /// How many records of the log count; there may be more after a push that was stopped.
    pub last_change: Option<usize>,
    /// The files of this program have it, those of the package have not.
    pub format: Option<u64>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    _id: &'a RawValue,
    #[serde(borrow)]
    _rev: Option<&'a RawValue>,
    action: String,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    doc: &'a RawValue,
    #[serde(borrow)]
    _rev: Option<&'a RawValue>,
}

/// Whether it is an object of this program: all of them have a format.
pub(super) fn is_ours(bytes: &[u8]) -> bool {
    matches!(serde_json::from_slice(bytes), Ok(Metadata { format: Some(_), .. }))
}

/// The records of a file of changes, each on its own: one that is damaged harms no other.
pub(super) fn changes(bytes: &[u8]) -> Result<Vec<Result<Record, String>>, String> {
    let records: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|e| damage(&e))?;
    Ok(records.into_iter().map(|record| change(record.get())).collect())
}

fn change(text: &str) -> Result<Record, String> {
    let change: Change<'_> = serde_json::from_str(text).map_err(|e| damage(&e))?;
    let is_delete = match change.action.as_str() {
        "put" => false,
        "delete" => true,
        _ => return Err("its action is neither put nor delete".into()),
    };
    let (id, name) = id(change._id).ok_or("its _id is neither text nor a number")?;
    let path = format!("docs/{name}.json");
    Ok(Record { id, path, revision: change._rev.map(revision), is_delete })
}

/// An id, and how it stands in the name of a file: JSON and a template of JavaScript write numbers alike.
fn id(raw: &RawValue) -> Option<(DocumentId, String)> {
    if raw.get().starts_with('"') {
        let text: String = serde_json::from_str(raw.get()).ok()?;
        return Some((DocumentId::from(text.as_str()), text));
    }
    let number: Number = serde_json::from_str(raw.get()).ok()?;
    Some((DocumentId::from(number), raw.get().to_owned()))
}

fn revision(raw: &RawValue) -> Revision {
    Revision::new(serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()))
}

/// The document of a file: the bytes are those of its `doc`, unchanged. The revision in the file belongs to
/// these bytes; the one in the log may be that of an earlier version.
pub(super) fn document(bytes: &Bytes, logged: Option<&Revision>) -> Result<Document, String> {
    let content: Content<'_> = serde_json::from_slice(bytes).map_err(|e| damage(&e))?;
    let bytes = bytes.slice_ref(content.doc.get().as_bytes());
    let revision = content._rev.map(revision).or_else(|| logged.cloned());
    Ok(Document::new(revision.unwrap_or_else(|| Revision::of_content(&bytes)), bytes))
}

/// Why it cannot be read, without any of the text.
pub(super) fn damage(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        Category::Syntax => "it is no JSON",
        Category::Data => "it is not what the JavaScript library writes",
        Category::Io => "it cannot be read",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_kind_and_name_the_files_of_the_package() {
        let text = r#"[{"_id":7,"_rev":1,"action":"put"},{"_id":"7","_rev":"a","action":"delete"},
            {"_id":1e+21,"action":"put"},{"_id":"a/B é"," _rev":null,"action":"put"}]"#;
        let records: Vec<_> =
            changes(text.as_bytes()).unwrap().into_iter().map(Result::unwrap).collect();
        let paths: Vec<_> = records.iter().map(|r| r.path.as_str()).collect();
        assert_eq!(paths, ["docs/7.json", "docs/7.json", "docs/1e+21.json", "docs/a/B é.json"]);
        assert_eq!(
            (&records[0].id, &records[1].id),
            (&DocumentId::from(7), &DocumentId::from("7"))
        );
        assert_eq!(records[0].revision, Some("1".into()));
        assert!(records[1].is_delete && records[1].revision == Some("a".into()));
        assert!(records[2].id.as_number().is_some() && records[2].revision.is_none());
    }

    #[test]
    fn a_damaged_record_harms_no_other() {
        let text = r#"[{"action":"put"},{"_id":null,"action":"put"},{"_id":1,"action":"x"},5,
            {"_id":"\ud800","action":"put"},{"_id":1,"action":"put"}]"#;
        let records = changes(text.as_bytes()).unwrap();
        assert_eq!(
            records.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [false, false, false, false, false, true]
        );
        assert!(changes(b"{}").is_err() && changes(b"[").is_err() && changes(b"\xff").is_err());
    }

    #[test]
    fn the_bytes_of_a_document_are_its_json_text() {
        let bytes = Bytes::from(r#"{"doc":{"z":1.0,"a":"\u2028"},"_rev":"r"}"#);
        let document = super::document(&bytes, Some(&"old".into())).unwrap();
        assert_eq!(document.bytes, r#"{"z":1.0,"a":"\u2028"}"#);
        assert_eq!(document.revision, "r".into());
        let bare = Bytes::from(r#"{"doc":null}"#);
        assert_eq!(super::document(&bare, Some(&"old".into())).unwrap().revision, "old".into());
        let missing = super::document(&Bytes::from(r#"{"secret":"hunter2"}"#), None).unwrap_err();
        assert!(!missing.contains("hunter2") && !missing.contains("secret"), "{missing}");
    }
}
