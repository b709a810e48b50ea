//! What a person decides about the folder on this device, and what there is to decide about.

use std::sync::PoisonError;

use crate::database::FolderDatabase;
use crate::error::FolderError;
use crate::patterns::waiting;
use crate::selection::Selection;
use crate::skipped::{SkipReason, Skipped};
use crate::walk;

impl FolderDatabase {
    /// Which files this device syncs, as it is saved.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn selection(&self) -> Result<Selection, FolderError> {
        self.shared.selections.saved()
    }

    /// From the next sync on this device syncs these files (rules C8 and C9), also after a restart. Files that it
    /// does not sync any more stay where they are.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn set_selection(&self, selection: Selection) -> Result<(), FolderError> {
        self.shared.selections.save(selection)
    }

    /// The same for this value and its clones only, to see what a sync would do.
    pub fn try_selection(&self, selection: Selection) {
        self.shared.selections.try_out(selection);
    }

    /// What the last [`list`](db_to_cloud::Database::list) that came to its end found and did not list; and ignore files that
    /// came since and wait to be accepted.
    pub fn skipped(&self) -> Vec<Skipped> {
        let skipped = &self.shared.skipped;
        let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for path in waiting(&self.shared.root, &self.shared.records.get()) {
            let waits = Skipped { path, reason: SkipReason::NotAccepted };
            if !skipped.contains(&waits) {
                skipped.push(waits);
            }
        }
        skipped
    }

    /// The files, at most 10,000, that arrived from other devices since this was last called and may be executed
    /// here now: a person should know of them.
    pub fn take_executables(&self) -> Vec<String> {
        let executables = &self.shared.executables;
        std::mem::take(&mut *executables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything that an ignore file leaves out, with the pattern that does: a folder stands for all in it. It
    /// walks through the folder and blocks.
    ///
    /// # Errors
    /// If the folder or an ignore file cannot be read.
    pub fn ignored(&self) -> Result<Vec<Skipped>, FolderError> {
        walk::ignored(&self.shared)
    }

    /// Lets the ignore files count that came from the storage, as they are now (rule F2); their paths. Until
    /// then those that were there before count, and [`skipped`](Self::skipped) lists them.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn accept_patterns(&self) -> Result<Vec<String>, FolderError> {
        let mut accepted = Vec::new();
        self.shared.records.change(|record| {
            accepted = std::mem::take(&mut record.arrived).into_keys().collect();
        })?;
        Ok(accepted)
    }

    /// Whether files that programs obey without asking, such as the hooks of git, may be written by a sync
    /// (rule F4). At first they may not: each is [refused](db_to_cloud::Outcome::Refused). It is remembered.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn open_guard(&self, open: bool) -> Result<(), FolderError> {
        self.shared.records.change(|record| record.guard_is_open = open)
    }

    /// The folders inside on which another file system was mounted when the folder was last listed, relative to
    /// the folder. Documents below that are missing while it is not mounted are not taken for deleted (rule F1).
    pub fn mounts(&self) -> Vec<String> {
        self.shared.records.get().mounts.into_iter().collect()
    }

    /// Forgets that a file system was mounted on this folder, which is one of [`mounts`](Self::mounts): the next
    /// sync takes its documents for deleted if they are not there. Whether it was one of them.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub fn forget_mount(&self, folder: &str) -> Result<bool, FolderError> {
        self.shared.mounts.forget(&self.shared.records, folder)
    }
}
