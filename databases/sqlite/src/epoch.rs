//! A number that changes when a document which was refused may be accepted.

use db_to_cloud::{ContentHash, DocumentId};

use crate::attach::Shapes;
use crate::read::place;

/// Of one document: a row is refused by the schema (a constraint, a trigger, a type), by what of the
/// table is synced, or by what this version of the program does not understand.
///
/// The schema's number is that of the whole file. A trigger that refuses a row for what is in other
/// rows does not change it: a large document that such a trigger refused comes again with its next
/// version, or when the user asks.
pub(crate) fn of(shapes: &Shapes, id: &DocumentId) -> u64 {
    let place = place(shapes, id);
    let view = place.as_ref().map(|(_, shape)| (&shape.keys, &shape.view));
    let fields = view.map(|(keys, view)| {
        let columns = view.columns.iter().map(|column| column.field.as_str());
        (keys.clone(), columns.collect::<Vec<_>>().join(","), view.revision.clone())
    });
    let program = (env!("CARGO_PKG_VERSION"), rusqlite::version());
    let all = format!("{:?} {:?} {:?}", shapes.version, program, fields);
    let hash = ContentHash::of(all.as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
