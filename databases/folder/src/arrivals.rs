//! Ignore files that a sync writes or deletes: they get no effect by that (rule F2).

use db_to_cloud::Revision;

use crate::batch::{Item, Step};
use crate::error::FolderError;
use crate::path::parent;
use crate::patterns::{ignore_file, is_ignore_file, text_that_counts};
use crate::record::Arrived;
use crate::shared::Shared;

/// Remembers for each ignore file of a batch what counts instead, before it is written. What cannot be remembered is not
/// written.
pub(crate) fn remember(shared: &Shared, items: &mut [Item<'_>]) {
    for item in items.iter_mut().filter(|item| is_ignore_file(&shared.root, item.path())) {
        if matches!(item.step, Step::Over(_)) {
            continue;
        }
        if let Err(error) = remember_one(shared, item) {
            item.end(Err(error));
        }
    }
}

fn remember_one(shared: &Shared, item: &Item<'_>) -> Result<(), FolderError> {
    let file = ignore_file(parent(item.path()));
    let new = item.write.document.as_ref().map(|document| document.revision.to_string());
    let old = item.write.expected.as_ref().map(Revision::to_string);
    let accepted = text_that_counts(&shared.root, &shared.records.get(), &file)?;
    shared.records.change(|record| {
        let before = record.arrived.get(&file).is_some_and(|a| a.contents.contains(&old));
        // Until it is written the one before is there, which counts only if it was accepted.
        let contents = if before { vec![old, new] } else { vec![new] };
        record.arrived.insert(file, Arrived { accepted, contents });
    })
}
