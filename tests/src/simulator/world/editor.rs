//! A user edits a document that has been open for a while: the edit is declared on the revision that was
//! opened, also if a sync has written another one since (rule C3).

use super::everyday::document_id;
use super::*;
use crate::simulator::state::record;
use crate::simulator::tokens::{self, Tokens};
use db_to_cloud::ChangeTracking;
use db_to_cloud::state::Table;

impl World {
    pub(super) fn open(&mut self, device: u64, document: u64) {
        let place = self.place(device);
        let device = &mut self.devices[place];
        let id = document_id(document);
        let there = device.documents.documents().get(&id).cloned();
        if let Some(document) = there {
            device.opened.insert(id, document);
        }
    }

    /// What came since is in the log, and the conflict brings it back; an editor does not save over
    /// what is here alone.
    pub(super) fn save_opened(&mut self, device: u64, document: u64) {
        let place = self.place(device);
        let device = &mut self.devices[place];
        let which = document % (device.opened.len() as u64).max(1);
        let id = device.opened.keys().nth(which as usize).cloned();
        let Some((id, opened)) = id.and_then(|id| device.opened.remove_entry(&id)) else { return };
        if device.setup.queueing == ChangeTracking::Transactional {
            return;
        }
        // A second save without a sync in between is the editor's own affair.
        if record(&device.state, Table::Dirty, &id.to_key()).is_some() {
            return;
        }
        self.edits += 1;
        let token = format!("{}{}", device.name, self.edits);
        let mut words = tokens::of(&opened);
        words.insert(token.clone());
        let (client, number) = (device.client.clone(), device.number);
        let (documents, half_saved) = (device.documents.clone(), device.half_saved.clone());
        let shared = self.shared.clone();
        lock(&shared.cloud).declared.insert(id.clone());
        let save = async move {
            // In this order: no sync comes between the save and the first of them.
            let _ = client.queue_change_of(&id, &opened.revision).await;
            let here = documents.documents().get(&id).map(tokens::of)?;
            let taken: Tokens = here.difference(&words).cloned().collect();
            if !taken.is_subset(&lock(&shared.cloud).tokens(&id)) {
                return None;
            }
            if !taken.is_empty() {
                shared.count("edit of an older revision");
            }
            documents.save(id.clone(), tokens::text(&words));
            lock(&shared.oracle).added(&id.to_string(), token);
            lock(&shared.oracle).wanted(&words);
            lock(&half_saved).extend(taken.clone());
            let _ = client.queue_change_of(&id, &opened.revision).await;
            lock(&half_saved).retain(|token| !taken.contains(token));
            None
        };
        self.begin(number, false, save);
    }
}
