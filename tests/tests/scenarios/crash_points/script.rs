//! A script of edits and syncs on several devices, played with a stop at any of its steps.
//!
//! A step is the moment before or after an operation on the storage, a write of the client state, or
//! a write into the application, on whichever device acts (see [`db_to_cloud_tests::Steps`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::{DocumentId, Key, SyncOptions};
use db_to_cloud_tests::{Device, Durable, Judge, World};

/// Who acts: the number of a device.
pub(super) type Who = usize;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// A word is added to a document. The stop may come before its QueueChange.
    Edit(Who, &'static str, &'static str),
    /// A document is deleted. The stop may come before its QueueChange.
    Delete(Who, &'static str),
    /// A sync, whatever comes of it.
    Sync(Who),
    /// A sync whose user accepts whatever storage is there.
    Consent(Who),
    /// Days pass.
    Days(u32),
    /// Something happens to the storage.
    Storage(fn(&World)),
}

/// Where a script begins, and what happens.
pub(super) struct Script {
    pub(super) world: World,
    pub(super) devices: Vec<Device>,
    pub(super) acts: Vec<Act>,
}

/// A script that is being played.
pub(super) struct Play {
    pub(super) world: World,
    pub(super) devices: Vec<Device>,
    acts: Vec<Act>,
    /// The number of the next act.
    next: usize,
}

/// All documents in the end.
pub(super) type End = Vec<(DocumentId, String)>;

/// Everything that survives a stop.
pub(super) type Left = (Vec<(Key, Bytes)>, Vec<Durable>);

const ACCEPT: SyncOptions =
    SyncOptions { accept_deletes: true, ..db_to_cloud_tests::options::ACCEPT_REMOTE };
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Rounds of syncs after which all must be at rest.
const ROUNDS: usize = 5;

impl Script {
    /// The script, at its beginning.
    pub(super) fn begin(&self) -> Play {
        Play::of(&self.world, &self.devices, &self.acts, 0)
    }

    /// The words that each document has in the end if none is lost, of those that nobody deletes.
    /// The first device begins with the newest ones.
    pub(super) fn words(&self) -> BTreeMap<DocumentId, BTreeSet<String>> {
        let mut words = BTreeMap::<DocumentId, BTreeSet<String>>::new();
        for (id, text) in self.devices[0].all() {
            words.entry(id).or_default().extend(text.split(' ').map(str::to_owned));
        }
        for act in &self.acts {
            if let Act::Edit(_, id, word) = act {
                words.entry((*id).into()).or_default().insert((*word).to_owned());
            }
        }
        for act in &self.acts {
            if let Act::Delete(_, id) = act {
                words.remove(&(*id).into());
            }
        }
        words
    }
}

impl Play {
    fn of(world: &World, devices: &[Device], acts: &[Act], next: usize) -> Self {
        let world = world.fork();
        let devices = devices.iter().map(|device| device.clone_as(&world, &device.name)).collect();
        Self { world, devices, acts: acts.to_vec(), next }
    }

    /// The same, on a storage and on devices of its own.
    pub(super) fn fork(&self) -> Self {
        Self::of(&self.world, &self.devices, &self.acts, self.next)
    }

    /// Plays on to the end, or to the step with this number; true if it comes so far. Then the
    /// device that was at it starts again, and has not taken it up.
    pub(super) fn stops_at(&mut self, mut step: u64) -> bool {
        while let Some(act) = self.acts.get(self.next).copied() {
            match self.act(act, step) {
                Some(taken) => step -= taken,
                None => return true,
            }
            self.next += 1;
        }
        false
    }

    /// Plays on to the end. What was stopped is taken up again.
    pub(super) fn on(mut self) -> Self {
        self.stops_at(u64::MAX);
        self
    }

    /// Plays on to the end. What was stopped is not taken up again, as if the device had been
    /// switched off.
    pub(super) fn on_later(mut self) -> Self {
        self.next += 1;
        self.on()
    }

    /// The act that was stopped is taken up again, and stopped at this step; false if it ends before.
    pub(super) fn stops_again_at(&mut self, step: u64) -> bool {
        let act = self.acts[self.next];
        self.act(act, step).is_none()
    }

    /// Everything that survives a stop.
    pub(super) fn left(&self) -> Left {
        (self.world.backup(), self.devices.iter().map(Device::durable).collect())
    }

    /// Does one thing and answers the steps it took; `None` if it came to this step and was stopped.
    fn act(&mut self, act: Act, step: u64) -> Option<u64> {
        match act {
            Act::Edit(who, id, word) => {
                let device = &mut self.devices[who];
                let text = device.read(id).unwrap_or_default();
                // Not made twice: a sync finds an edit whose QueueChange was stopped (rule C4).
                if text.split(' ').any(|known| known == word) {
                    return Some(0);
                }
                device.edit_unqueued(id, format!("{text} {word}").trim_start());
                device.queue_stopping_at(&id.into(), step)
            }
            Act::Delete(who, id) if self.devices[who].read(id).is_none() => Some(0),
            Act::Delete(who, id) => {
                self.devices[who].delete_unqueued(id);
                self.devices[who].queue_stopping_at(&id.into(), step)
            }
            Act::Sync(who) => self.devices[who].sync_for(SyncOptions::default(), step),
            Act::Consent(who) => self.devices[who].sync_for(ACCEPT, step),
            Act::Days(days) => {
                self.world.time.pass(DAY * days);
                Some(0)
            }
            Act::Storage(act) => {
                act(&self.world);
                Some(0)
            }
        }
    }

    /// All sync until they rest, deciding what was put off; then they, and a device that was never
    /// there, hold the same, and the storage has all of it.
    #[track_caller]
    pub(super) fn end(self, case: &str) -> End {
        let decide = |device: Device| device.resolving_by(Judge::merging());
        let mut devices: Vec<_> = self.devices.into_iter().map(decide).collect();
        let rests = |device: &Device| match device.try_sync_with(ACCEPT) {
            Ok(report) => report.pulled + report.pushed + report.deleted + report.conflicts == 0,
            Err(error) => panic!("{case}: {} cannot sync: {error:?}", device.name),
        };
        let quiet = (0..ROUNDS).any(|_| devices.iter().filter(|d| !rests(d)).count() == 0);
        assert!(quiet, "{case}: they do not come to rest");
        devices.push(self.world.device("fresh"));
        let end = devices[0].all();
        for device in &devices {
            device.sync();
            assert_eq!(device.all(), end, "{case}: {}", device.name);
        }
        self.world.assert_whole();
        end
    }
}
