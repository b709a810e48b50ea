//! The selection of a device (rule C8): all documents, or those whose names do not begin in some way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use db_to_cloud::{BoxError, DocumentId, Selects};

/// What a device excludes. The clones are one selection; it survives a restart of the device.
#[derive(Clone, Debug, Default)]
pub struct Chosen(Arc<Mutex<Choice>>);

#[derive(Clone, Debug, Default)]
struct Choice {
    excluded: Vec<String>,
    is_damaged: bool,
}

impl Chosen {
    /// From now on documents whose names begin like this are excluded, and no others.
    pub fn exclude(&self, beginnings: &[&str]) {
        let excluded = beginnings.iter().map(|text| (*text).to_owned()).collect();
        *self.choice() = Choice { excluded, is_damaged: false };
    }

    /// From now on all documents are synced.
    pub fn everything(&self) {
        self.exclude(&[]);
    }

    /// The selection cannot be read.
    pub fn damage(&self) {
        self.choice().is_damaged = true;
    }

    /// The same in another place, which goes its own way.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.choice().clone())))
    }

    /// Whether a document is excluded.
    pub fn excludes(&self, id: &DocumentId) -> bool {
        let name = id.to_string();
        self.choice().excluded.iter().any(|beginning| name.starts_with(beginning))
    }

    /// What a database answers.
    ///
    /// # Errors
    /// If it was damaged.
    pub fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        let choice = self.choice().clone();
        match choice {
            Choice { is_damaged: true, .. } => Err("the selection cannot be read".into()),
            Choice { excluded, .. } if excluded.is_empty() => Ok(None),
            Choice { excluded, .. } => Ok(Some(Arc::new(Chosen::of(excluded)))),
        }
    }

    fn of(excluded: Vec<String>) -> Self {
        Self(Arc::new(Mutex::new(Choice { excluded, is_damaged: false })))
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Selects for Chosen {
    fn mark(&self) -> String {
        self.choice().excluded.join(" ")
    }

    fn has(&self, id: &DocumentId) -> bool {
        !self.excludes(id)
    }
}
