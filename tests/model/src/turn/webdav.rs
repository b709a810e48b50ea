//! How WebDAV gives `create` (the last table of the protocol): `MKCOL tmp-x/`, `PUT
//! tmp-x/entry.json`, `MOVE` to the slot with `Overwrite: F`, and then read back. The kernel refuses
//! to replace a folder that is not empty; servers refuse an empty one too, before they ask it.

use super::Turn;
use crate::client::{Attempt, Stage, Step};
use crate::config::Rule;
use crate::words::{Entry, Seq, Slot, Time, TmpFolder};

impl Turn<'_> {
    /// A folder of our own, with a random name. A retry makes another.
    pub(super) fn make_folder(&mut self, began: Time) {
        let folder = self.mint();
        let made = self.world.now;
        self.world.storage.folders.insert(folder, TmpFolder { entry: None, made });
        let stage = match self.keeps(Rule::PutBeforeMove) {
            true => Stage::PutEntry(folder),
            false => Stage::Move(folder),
        };
        self.go(Step::Send { began, stage });
    }

    /// The entry, whole, before anybody can see it.
    pub(super) fn put_entry(&mut self, folder: u8, entry: Entry, began: Time) {
        let stage = match self.world.storage.folders.get_mut(&folder) {
            Some(there) => {
                there.entry = Some(entry);
                Stage::Move(folder)
            }
            // 409: somebody tidied up.
            None => Stage::MakeFolder,
        };
        self.go(Step::Send { began, stage });
    }

    /// Whatever the answer is, the slot is read next: some servers answer 201 to losers.
    pub(super) fn move_folder(&mut self, folder: u8, attempt: &Attempt, began: Time) {
        self.arrive_move(folder, attempt.slot);
        if self.keeps(Rule::ReadBack) {
            self.go(Step::Send { began, stage: Stage::ReadBack });
        } else {
            self.committed();
        }
    }

    /// The server makes a MOVE: refused if something is at the slot, or the folder is gone.
    pub(super) fn arrive_move(&mut self, folder: u8, slot: Seq) {
        let storage = self.storage();
        let is_refused = storage.is_taken(slot) || storage.is_empty_folder(slot);
        if is_refused && self.keeps(Rule::OverwriteF) {
            return;
        }
        match self.world.storage.folders.remove(&folder) {
            Some(TmpFolder { entry: Some(entry), .. }) => self.write_slot(slot, &entry),
            Some(TmpFolder { entry: None, .. }) => {
                self.world.storage.put_slot(slot, Slot::EmptyFolder);
            }
            None => {}
        }
    }
}
