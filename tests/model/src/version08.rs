//! db-to-cloud 0.8's protocol: an expiring lock as the only protection, documents written in place,
//! a log file that is rewritten, and `meta.json` with the number of changes.

use crate::protocol::{Protocol, Sight};

/// A configuration of 0.8. Its application is the kindest one: it never edits while its own sync
/// runs, and merges whatever it is given.
#[derive(Clone, Debug)]
pub struct Version08 {
    /// Devices.
    pub clients: usize,
    /// Documents. With two, each device edits its own.
    pub documents: usize,
    /// Edits that each user makes.
    pub edits: u8,
    /// How often a lock expires.
    pub expiries: u8,
    /// How often a client stops.
    pub crashes: u8,
    /// A lock expires only if its holder is gone: what 0.8 hopes for.
    pub expires_only_if_abandoned: bool,
}

/// Where a client is in its sync.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// No sync is running.
    Idle,
    /// Will take the lock.
    Lock,
    /// Will read `meta.json`.
    Meta,
    /// Will read changes and documents.
    Pull(u8),
    /// Will overwrite documents, from the given one on.
    Push(Batch, usize),
    /// Will rewrite the file of changes.
    WriteChanges(Batch),
    /// Will write `meta.json`.
    WriteMeta(Batch),
    /// Will delete the lock; then the version, and how much of the queue is done.
    Unlock(u8, usize),
}

/// What one sync pushes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Batch {
    meta: u8,
    documents: Vec<(u8, u16)>,
    queued: usize,
}

/// A device.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Device {
    step: Step,
    local: Vec<u16>,
    queue: Vec<u8>,
    last: u8,
    edits: u8,
}

/// The whole world.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World08 {
    devices: Vec<Device>,
    documents: Vec<u16>,
    changes: Vec<u8>,
    meta: u8,
    lock: bool,
    made: Vec<u16>,
    expiries: u8,
    crashes: u8,
}

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Action08 {
    /// The user edits a document.
    Edit(usize, usize),
    /// A sync begins.
    Sync(usize),
    /// It goes on.
    Step(usize),
    /// The lock expires.
    LockExpires,
    /// The client stops; its queue is durable.
    Crash(usize),
}

impl Version08 {
    fn is_synced(world: &World08, c: usize) -> bool {
        world.devices[c].queue.is_empty() && world.devices[c].last == world.meta
    }

    fn step(&self, world: &mut World08, c: usize) {
        let next = match world.devices[c].step.clone() {
            Step::Lock if !world.lock => {
                world.lock = true;
                Step::Meta
            }
            step @ (Step::Idle | Step::Lock) => step,
            Step::Meta => Step::Pull(world.meta),
            Step::Pull(meta) => self.pull(world, c, meta),
            Step::Push(batch, i) => {
                let (document, content) = batch.documents[i];
                world.documents[document as usize] = content;
                match i + 1 < batch.documents.len() {
                    true => Step::Push(batch, i + 1),
                    false => Step::WriteChanges(batch),
                }
            }
            Step::WriteChanges(batch) => {
                world.changes.resize(batch.meta as usize, u8::MAX);
                world.changes.extend(batch.documents.iter().map(|(document, _)| *document));
                let queued = world.devices[c].queue.len();
                Step::WriteMeta(Batch { queued, ..batch })
            }
            Step::WriteMeta(batch) => {
                world.meta = batch.meta + batch.documents.len() as u8;
                Step::Unlock(world.meta, batch.queued)
            }
            Step::Unlock(last, queued) => {
                world.lock = false;
                world.devices[c].last = last;
                world.devices[c].queue.drain(..queued);
                Step::Idle
            }
        };
        world.devices[c].step = next;
    }

    fn pull(&self, world: &mut World08, c: usize, meta: u8) -> Step {
        let end = world.changes.len();
        let device = &mut world.devices[c];
        let changed: Vec<u8> = match device.last == 0 && meta > 0 {
            true => (0..self.documents as u8).collect(),
            false => world.changes[end.min(device.last as usize)..end.min(meta as usize)].to_vec(),
        };
        for document in changed {
            device.local[document as usize] |= world.documents[document as usize];
        }
        device.last = meta;
        let mut documents: Vec<(u8, u16)> = Vec::new();
        for &document in &device.queue {
            if documents.iter().all(|(queued, _)| *queued != document) {
                documents.push((document, device.local[document as usize]));
            }
        }
        match documents.is_empty() {
            true => Step::Unlock(meta, 0),
            false => Step::Push(Batch { meta, documents, queued: 0 }, 0),
        }
    }
}

impl Protocol for Version08 {
    type World = World08;
    type Action = Action08;

    fn beginning(&self) -> World08 {
        let none = vec![0; self.documents];
        let device = Device {
            step: Step::Idle,
            local: none.clone(),
            queue: Vec::new(),
            last: 0,
            edits: self.edits,
        };
        World08 {
            devices: vec![device; self.clients],
            documents: none.clone(),
            changes: Vec::new(),
            meta: 0,
            lock: false,
            made: none,
            expiries: self.expiries,
            crashes: self.crashes,
        }
    }

    fn possible(&self, world: &World08) -> Vec<Action08> {
        let mut actions = Vec::new();
        for (c, device) in world.devices.iter().enumerate() {
            let mut add = |may: bool, action| actions.extend(may.then_some(action));
            let is_idle = device.step == Step::Idle;
            add(is_idle && device.edits > 0, Action08::Edit(c, c % self.documents));
            add(is_idle && !Self::is_synced(world, c), Action08::Sync(c));
            add(!is_idle && (device.step != Step::Lock || !world.lock), Action08::Step(c));
            add(!is_idle && world.crashes > 0, Action08::Crash(c));
        }
        let rests = |device: &Device| matches!(device.step, Step::Idle | Step::Lock);
        let is_abandoned = world.devices.iter().all(rests);
        if world.lock && world.expiries > 0 && (is_abandoned || !self.expires_only_if_abandoned) {
            actions.push(Action08::LockExpires);
        }
        actions
    }

    fn perform(&self, world: &mut World08, action: Action08) {
        match action {
            Action08::Edit(c, d) => {
                let device = &mut world.devices[c];
                device.edits -= 1;
                let edit = 1u16 << (c * 4 + device.edits as usize);
                device.local[d] |= edit;
                device.queue.push(d as u8);
                world.made[d] |= edit;
            }
            Action08::Sync(c) => world.devices[c].step = Step::Lock,
            Action08::Step(c) => self.step(world, c),
            Action08::LockExpires => {
                world.expiries -= 1;
                world.lock = false;
            }
            Action08::Crash(c) => {
                world.crashes -= 1;
                world.devices[c].step = Step::Idle;
            }
        }
    }

    fn broken(&self, world: &World08, only: Option<&'static str>) -> Option<&'static str> {
        let is_quiet = self.is_quiet(world);
        let rests = world.devices.iter().all(|device| device.step == Step::Idle);
        let is_ahead = world.devices.iter().any(|device| device.last > world.meta);
        let lacks = world.made.iter().zip(&world.documents).any(|(made, there)| made & !there != 0);
        let differs = world.devices.iter().any(|device| device.local != world.documents);
        let broken = [
            ("a device is never ahead of the storage", rests && is_ahead),
            ("when all is quiet every edit is in the storage", is_quiet && lacks),
            ("when all is quiet every device equals the storage", is_quiet && differs),
        ];
        let is_wanted = |name: &str| only.is_none_or(|only| only == name);
        broken.iter().find(|(name, is)| *is && is_wanted(name)).map(|(name, _)| *name)
    }

    fn is_quiet(&self, world: &World08) -> bool {
        (0..self.clients).all(|c| world.devices[c].step == Step::Idle && Self::is_synced(world, c))
    }

    fn sees(&self, world: &World08, sight: Sight) -> bool {
        let is_done = || self.is_quiet(world) && world.devices.iter().all(|d| d.edits == 0);
        sight == Sight::Done && is_done()
    }
}
