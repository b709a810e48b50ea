//! What happens every day: edits, syncs, crashes, bad connections, time.

use super::*;
use crate::simulator::plan::DAY;
use crate::simulator::state::record;
use crate::simulator::tokens::{self, Tokens};
use db_to_cloud::state::Table;
use db_to_cloud::{ChangeTracking, DocumentId, VersionId};
use serde::Deserialize;

impl World {
    /// Does it, if it is an everyday thing.
    pub(super) fn act_everyday(&mut self, action: &Action) -> bool {
        match *action {
            Action::Edit { device, document, queued } => self.edit(device, document, queued),
            Action::Delete { device, document, queued } => self.delete(device, document, queued),
            Action::Open { device, document } => self.open(device, document),
            Action::SaveOpened { device, document } => self.save_opened(device, document),
            Action::Select { device, excluded } => self.select(self.place(device), excluded),
            Action::Sync { device } => self.begin_sync(self.place(device)),
            Action::Crash { device } => self.crash(self.place(device)),
            Action::Cancel { device } => {
                let number = self.devices[self.place(device)].number;
                self.drop_tasks(number, true);
            }
            Action::Weather { faults } => lock(&self.shared.weather).faults = faults,
            Action::Favour { weights } => self.weights = weights,
            Action::Pass { millis } => self.pass(millis),
            Action::Jump { days } => self.jump(days * DAY),
            Action::Join => self.join_late(),
            _ => return false,
        }
        true
    }

    fn edit(&mut self, device: u64, document: u64, queued: bool) {
        let place = self.place(device);
        self.edit_document(place, document_id(document), queued);
    }

    fn edit_document(&mut self, place: usize, id: DocumentId, queued: bool) {
        let device = &self.devices[place];
        self.edits += 1;
        let token = format!("{}{}", device.name, self.edits);
        let mut words = device.tokens(&id);
        words.insert(token.clone());
        device.documents.save(id.clone(), tokens::text(&words));
        lock(&self.shared.oracle).added(&id.to_string(), token);
        self.queue(place, id, queued);
    }

    /// A user makes documents anew that the storage lost and that no device has any more.
    pub(in crate::simulator) fn make_what_is_missing(&mut self, place: usize) {
        let device = &self.devices[place];
        let missing = device.missing.iter().filter(|id| device.tokens(id).is_empty());
        let missing: Vec<DocumentId> = missing.cloned().collect();
        for id in missing {
            self.edit_document(place, id, true);
        }
    }

    fn delete(&mut self, device: u64, document: u64, queued: bool) {
        let place = self.place(device);
        let device = &self.devices[place];
        let id = document_id(document);
        if !device.documents.documents().contains_key(&id) {
            return;
        }
        let tokens = device.tokens(&id);
        let known = match record(&device.state, Table::Index, &id.to_key()) {
            // What is excluded goes here only (rule C8).
            _ if device.selection.may_exclude(&id) => Tokens::new(),
            Some(version) if !self.is_deleted_since(&id, &version) => self.deletable(&id, &tokens),
            _ => Tokens::new(),
        };
        lock(&self.shared.oracle).deleted(device.number, &tokens, &known);
        device.documents.remove(id.clone());
        self.queue(place, id, queued);
    }

    /// Deletes that were not committed stay here, if their documents are excluded by now.
    fn select(&mut self, place: usize, excluded: u64) {
        let names: Vec<_> = (0..5).map(|number| format!("doc-{number}")).collect();
        let of_bit = |(number, _): &(usize, _)| excluded >> number & 1 == 1;
        let names: Vec<_> =
            names.iter().enumerate().filter(of_bit).map(|(_, name)| &**name).collect();
        let device = &self.devices[place];
        device.selection.chosen.exclude(&names);
        self.shared.note(|| format!("{} excludes {names:?}", device.name));
        self.shared.count(if names.is_empty() {
            "everything included"
        } else {
            "documents excluded"
        });
        let number = device.number;
        self.forget_deletes(number);
    }

    /// Whether the log has a delete of this version, which its device has not heard of: a second one is
    /// the same delete, and what became of the first becomes of it.
    fn is_deleted_since(&self, id: &DocumentId, version: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Version {
            vid: VersionId,
        }
        let Ok(Version { vid }) = serde_json::from_slice(version) else { return false };
        let cloud = lock(&self.shared.cloud);
        let changes = cloud.log.values().flat_map(|entry| &entry.changes);
        let mut since = changes.filter(|change| change.id == *id).skip_while(|c| c.vid != vid);
        since.any(|change| change.action == db_to_cloud::Action::Delete)
    }

    /// What a delete of these can tell the others. After the storage went back a device may have more
    /// than the log: of that nothing is left to delete, and who still has a copy puts it again.
    fn deletable(&self, id: &DocumentId, tokens: &Tokens) -> Tokens {
        let cloud = lock(&self.shared.cloud);
        match cloud.went_back {
            true => tokens.intersection(&cloud.tokens(id)).cloned().collect(),
            false => tokens.clone(),
        }
    }

    /// QueueChange runs beside the sync, as in any application; a crash may come first.
    fn queue(&mut self, place: usize, id: DocumentId, queued: bool) {
        let device = &mut self.devices[place];
        match device.setup.queueing {
            ChangeTracking::Transactional => device.queue_in_transaction(&id),
            ChangeTracking::Scanned if !queued => device.sloppy = true,
            ChangeTracking::Scanned => {
                let (client, number) = (device.client.clone(), device.number);
                let queue = async move {
                    // The state of a run never fails.
                    let _ = client.queue_change(&id).await;
                    None
                };
                self.begin(number, false, queue);
            }
        }
    }

    pub(in crate::simulator) fn crash(&mut self, place: usize) {
        let number = self.devices[place].number;
        self.drop_tasks(number, false);
        // Only a comparison finds that edit, and takes it for one of what was synced.
        let taken = std::mem::take(&mut *lock(&self.devices[place].half_saved));
        lock(&self.shared.oracle).took_back(&taken);
        self.devices[place].restart();
    }

    pub(in crate::simulator) fn pass(&self, millis: u64) {
        lock(&self.shared.scheduler).pass_time(millis);
    }

    /// Days pass. What was sent before has its effect before or never; whoever syncs is killed, or
    /// sleeps and finds his connections broken.
    pub(in crate::simulator) fn jump(&mut self, millis: u64) {
        for place in 0..self.devices.len() {
            let killed = lock(&self.shared.dice).percent(50);
            if killed {
                self.crash(place);
            }
        }
        lock(&self.shared.scheduler).cut();
        self.go_on();
        self.shared.settle_wire();
        let mut cloud = lock(&self.shared.cloud);
        // A sleeping holder believes that its lock is fresh.
        cloud.lock_in_doubt |= !self.tasks.is_empty();
        drop(cloud);
        for place in 0..self.devices.len() {
            if lock(&self.shared.dice).percent(50) {
                self.devices[place].clock.sleep_for(millis);
            }
        }
        self.pass(millis);
        self.shared.count("days passed");
    }

    fn join_late(&mut self) {
        if self.devices.len() < 5 {
            let setup = Setup::of_chance(&mut lock(&self.shared.dice));
            self.join(setup);
        }
    }
}

pub(super) fn document_id(document: u64) -> DocumentId {
    format!("doc-{document}").as_str().into()
}
