//! Rule P8, at start: writes into the application that a stop interrupted are settled by looking.

use super::Recover;
use crate::local::Batch;
use crate::model::format::Change;
use crate::model::{DeferredChange, LogPosition};
use crate::model::{Document, Error};
use crate::protocol::{Decision, Facts, Local, decide};

const STEP: usize = 200;

impl Recover<'_> {
    pub(in crate::sync) async fn recover_writes(
        &self,
        position: &LogPosition,
    ) -> Result<(), Error> {
        loop {
            let intents = self.cx.client.sync_state.intents(STEP).await?;
            if intents.is_empty() {
                return Ok(());
            }
            let mut done = Vec::new();
            let mut forget = Batch::new();
            for (id, change) in intents {
                // A document that cannot be read now was not proven applied: pull looks again.
                match self.cx.client.database.get(&id).await {
                    Ok(local) if is_target(&change, local.as_ref()) => done.push(change),
                    _ => forget.intent(&id, None),
                }
            }
            self.cx.mark_synced(&done, position.generation).await?;
            self.cx.client.sync_state.metadata_write(forget).await?;
        }
    }
}

/// Whether the application's document is what the change makes of it: by revision *and* bytes, for
/// two devices may use one revision for different bytes.
fn is_target(change: &Change, local: Option<&Document>) -> bool {
    let local = match local {
        Some(document) => Local::Content(&document.revision, document.hash()),
        None => Local::Absent,
    };
    let remote = DeferredChange::of(change.clone());
    let facts = Facts { local, remote: Some(&remote), ..Facts::of(None) };
    decide(&facts) == Decision::MarkSynced
}
