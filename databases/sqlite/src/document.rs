//! Rows as documents.

use db_to_cloud::{Document, Revision};
use serde_json::{Map, Value};

use crate::cell::{Cell, write_json};
use crate::shape::View;

/// The document of a row: its values in the order of the view's columns, and what else the
/// document has, sorted together by name.
pub(crate) fn encode(view: &View, cells: &[Cell], unknown: &Map<String, Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 16 * cells.len());
    out.push(b'{');
    let mut unknown = unknown.iter().peekable();
    let name = |out: &mut Vec<u8>, name: &str| {
        if out.len() > 1 {
            out.push(b',');
        }
        write_json(out, name);
        out.push(b':');
    };
    for (column, cell) in view.columns.iter().zip(cells) {
        while let Some((field, value)) = unknown.next_if(|(field, _)| **field < column.field) {
            name(&mut out, field);
            write_value(&mut out, value);
        }
        name(&mut out, &column.field);
        cell.write_json(&mut out);
    }
    for (field, value) in unknown {
        name(&mut out, field);
        write_value(&mut out, value);
    }
    out.push(b'}');
    out
}

/// As the device writes it that knows the column.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match Cell::from_json(value) {
        Some(cell) => cell.write_json(out),
        None => write_json(out, value),
    }
}

/// The fields of a document; `None` if it is not a JSON object.
pub(crate) fn decode(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

/// The fields of a document that are no columns of the table.
pub(crate) fn unknown(view: &View, bytes: &[u8]) -> Map<String, Value> {
    let mut fields = decode(bytes).unwrap_or_default();
    fields.retain(|field, _| !view.columns.iter().any(|column| column.field == *field));
    fields
}

/// A document with the revision that these bytes have.
pub(crate) fn document(view: &View, cells: &[Cell], bytes: Vec<u8>) -> Document {
    let content = Document::of_content(bytes);
    let mut columns = view.columns.iter().zip(cells);
    let counter = columns.find(|(column, _)| view.revision.as_ref() == Some(&column.field));
    let Some((_, counter)) = counter else { return content };
    let mut text = Vec::new();
    match counter {
        Cell::Text(counter) => text.extend(counter),
        counter => counter.write_json(&mut text),
    }
    let counter = String::from_utf8_lossy(&text);
    let revision = Revision::new(format!("{counter}.{}", content.revision));
    Document { revision, ..content }
}
