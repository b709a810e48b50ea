//! What the user of a device consents to, for one sync.

use db_to_cloud::SyncOptions;

/// Nothing.
pub const NONE: SyncOptions = SyncOptions {
    go_on: false,
    accept_remote: false,
    join: false,
    accept_deletes: false,
    retry_refused: false,
    verify: false,
    give_up_missing: false,
};
/// Whatever storage is there.
pub const ACCEPT_REMOTE: SyncOptions = SyncOptions { accept_remote: true, ..NONE };
/// That many documents are deleted.
pub const ACCEPT_DELETES: SyncOptions = SyncOptions { accept_deletes: true, ..NONE };
/// What is missing in the storage does not come back.
pub const GIVE_UP_MISSING: SyncOptions = SyncOptions { give_up_missing: true, ..NONE };
/// All documents of the storage are looked at.
pub const VERIFY: SyncOptions = SyncOptions { verify: true, ..NONE };
/// The same storage, although it is not as it was.
pub const GO_ON: SyncOptions = SyncOptions { go_on: true, ..NONE };
