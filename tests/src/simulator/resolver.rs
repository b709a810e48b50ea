//! Who settles conflicts: both sides are joined, an edit wins over a delete, and now and then the
//! decision is put off.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::{BoxError, Conflict, Document, Resolution, Resolver};

use super::invariants;
use super::shared::{Shared, lock};
use super::tokens::{self, Tokens};

pub(super) struct Merging {
    pub shared: Arc<Shared>,
    pub device: usize,
}

#[async_trait]
impl Resolver for Merging {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        self.shared.maybe_gate(self.device).await;
        self.shared.count("conflict");
        invariants::nobody_is_asked_in_vain(&self.shared, conflict);
        if !lock(&self.shared.weather).resting {
            match lock(&self.shared.dice).below(8) {
                0 => return Ok(Resolution::Defer),
                1 => return Err("nobody could be asked".into()),
                _ => {}
            }
        }
        let (resolution, kept) = decide(conflict);
        let id = &conflict.id;
        self.shared.note(|| format!("device {}: {id:?} in conflict: {kept:?}", self.device));
        let mut oracle = lock(&self.shared.oracle);
        oracle.kept_against_former_deletes(&kept);
        oracle.wanted(&kept);
        match (&conflict.local, &conflict.remote) {
            (None, Some(_)) => oracle.gave_up_delete(self.device, &id.to_string()),
            (Some(_), None) => oracle.kept_against_delete(&kept),
            _ => {}
        }
        Ok(resolution)
    }
}

fn decide(conflict: &Conflict) -> (Resolution, Tokens) {
    match (&conflict.local, &conflict.remote) {
        (Some(local), Some(remote)) => {
            let both: Tokens = tokens::of(local).union(&tokens::of(remote)).cloned().collect();
            let text = tokens::text(&both);
            let resolution = match text.as_bytes() {
                text if text == &local.bytes[..] => Resolution::KeepLocal,
                text if text == &remote.bytes[..] => Resolution::TakeRemote,
                _ => Resolution::Merged(Document::of_content(text)),
            };
            (resolution, both)
        }
        (Some(local), None) => (Resolution::KeepLocal, tokens::of(local)),
        (None, Some(remote)) => (Resolution::TakeRemote, tokens::of(remote)),
        (None, None) => (Resolution::TakeRemote, Tokens::new()),
    }
}
