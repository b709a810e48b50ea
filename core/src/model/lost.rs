//! Versions whose bytes were given up for lost.

use serde::{Deserialize, Serialize};

use crate::model::format::Change;
use crate::model::{DeferredChange, Timestamp, VersionId};

/// Versions that are remembered. Of more the oldest are forgotten.
const MOST: usize = 1000;

/// A version in whose place this device put what it had (rules D6 and D7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostVersion {
    /// Without its bytes.
    pub change: Change,
    /// The device that made it and when, for people; unknown from a snapshot.
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// The storage had its bytes again when it was looked at last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// The versions that were given up, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostVersions(pub Vec<LostVersion>);

impl LostVersions {
    /// Remembers the version of a deferred change.
    pub(crate) fn remember(&mut self, pending: &DeferredChange) {
        let Some(change) = &pending.change else { return };
        self.forget(change.vid);
        let change = Change { body: None, ..change.clone() };
        let (device, time) = (pending.device.clone(), pending.time);
        self.0.push(LostVersion { change, device, time, found: false });
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }

    pub(crate) fn forget(&mut self, vid: VersionId) {
        self.0.retain(|version| version.change.vid != vid);
    }
}
