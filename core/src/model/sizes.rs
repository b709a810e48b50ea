//! How much goes into one object of the storage.

/// The sizes of the protocol (rules S5, S7 and K1). They are upper bounds that every reader relies
/// on: a client may use smaller ones, as the simulator does to meet many parts and commits with few
/// documents, and never larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The largest document that is copied into its entry, in bytes.
    pub body: usize,
    /// Changes in one entry.
    pub entry_changes: usize,
    /// Bytes of document copies in one entry.
    pub entry_bodies: usize,
    /// Parts of a snapshot are about this long, in bytes.
    pub part: usize,
    /// Fewer entries than this are not worth a snapshot's three requests.
    pub snapshot_entries: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            body: 4096,
            entry_changes: 500,
            entry_bodies: 1024 * 1024,
            part: 4 * 1024 * 1024,
            snapshot_entries: 16,
        }
    }
}

impl Sizes {
    /// These sizes, or the protocol's where they are larger or nothing.
    pub(crate) fn bounded(self) -> Self {
        let most = Self::default();
        Self {
            body: self.body.min(most.body),
            entry_changes: self.entry_changes.clamp(1, most.entry_changes),
            entry_bodies: self.entry_bodies.min(most.entry_bodies),
            part: self.part.clamp(1, most.part),
            snapshot_entries: self.snapshot_entries.max(1),
        }
    }
}
