//! What happens now and then: wrong clocks, backups that are restored, clones, lost devices, meddling
//! and damage. Each tells the oracle what it destroyed, and what somebody wanted by it.

use super::*;
use crate::simulator::cloud::Objects;
use crate::simulator::device::Backup;
use crate::simulator::plan::Restored;
use crate::simulator::state::record;
use crate::simulator::tokens::{self, Tokens};
use bytes::Bytes;
use db_to_cloud::memory::MemoryState;
use db_to_cloud::state::Table;
use db_to_cloud::{ChangeTracking, CommitId, Key};
use serde_json::{Value, json};

/// What a restore brings back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    State,
    Documents,
}

impl World {
    pub(super) fn strike(&mut self, action: &Action) {
        match *action {
            Action::WrongClock { device, millis } => {
                self.devices[self.place(device)].clock.set_wrong_by(millis);
            }
            Action::ClockJump { device, millis } => {
                self.devices[self.place(device)].clock.jump(millis);
            }
            Action::Meddle { how } => self.meddle(how),
            Action::BackUp { device } => {
                let place = self.place(device);
                self.devices[place].backup = Some(self.devices[place].copy());
            }
            Action::RollBack { device } => self.roll_back(self.place(device), Part::Both),
            Action::RollBackState { device } => self.roll_back(self.place(device), Part::State),
            Action::RollBackDocuments { device } => {
                self.roll_back(self.place(device), Part::Documents);
            }
            Action::Clone { device } => self.clone_device(self.place(device)),
            Action::Reinstall { device } => self.reinstall(self.place(device)),
            Action::Lose { device } => self.lose(self.place(device)),
            Action::BackUpServer => {
                let cloud = lock(&self.shared.cloud);
                self.server_backup = cloud.damage.is_none().then(|| cloud.objects.clone());
            }
            Action::RestoreServer { part } => self.restore_server(part),
            Action::CutLog { entries } => self.cut_log(entries),
            Action::EmptyServer => self.server_goes_back(Objects::new()),
            Action::Damage { object, how } => self.damage(object, how),
            Action::Heal => lock(&self.shared.cloud).heal(),
            Action::LoseDocument { object } => self.lose_document(object),
            _ => {}
        }
    }

    fn roll_back(&mut self, place: usize, part: Part) {
        let Some(Backup { documents, state }) = self.devices[place].backup.clone() else { return };
        let one_store = self.devices[place].setup.queueing == ChangeTracking::Transactional;
        if one_store && part != Part::Both {
            // Documents and queue are one database there.
            return;
        }
        self.crash(place);
        let device = &mut self.devices[place];
        self.shared.count("device rolled back");
        let before = device.all_tokens();
        if part != Part::State {
            *device.documents.documents() = documents;
        }
        if part != Part::Documents {
            device.state = state.snapshot();
        }
        let after = device.all_tokens();
        let number = device.number;
        device.restart();
        if part == Part::Documents {
            // Its client takes it for edits.
            let mut oracle = lock(&self.shared.oracle);
            oracle.took_back(&before.difference(&after).cloned().collect());
            oracle.wanted(&after);
        }
        self.doubt();
        self.forget_deletes(number);
        self.excuse();
    }

    fn clone_device(&mut self, place: usize) {
        if self.devices.len() >= 5 {
            return;
        }
        self.shared.count("device cloned");
        let Backup { documents, state } = self.devices[place].copy();
        let setup = self.devices[place].setup.clone();
        let chosen = self.devices[place].selection.chosen.copy();
        self.join(setup);
        let Some(clone) = self.devices.last_mut() else { return };
        *clone.documents.documents() = documents;
        (clone.state, clone.selection.chosen) = (state, chosen);
        clone.restart();
        self.doubt();
    }

    /// Two devices may hold one lock; one may have forgotten what it knew.
    fn doubt(&self) {
        let mut cloud = lock(&self.shared.cloud);
        (cloud.lock_in_doubt, cloud.rolled_back) = (true, true);
    }

    fn reinstall(&mut self, place: usize) {
        self.crash(place);
        self.shared.count("device reinstalled");
        let device = &mut self.devices[place];
        // What it gave up is known to it alone (rule D7).
        let forgets = record(&device.state, Table::Metadata, "lost").is_some();
        device.state = MemoryState::new();
        device.restart();
        if device.setup.queueing == ChangeTracking::Transactional {
            // It is not compared: the application queues what there is.
            let ids: Vec<_> = device.documents.documents().keys().cloned().collect();
            ids.iter().for_each(|id| device.queue_in_transaction(id));
        }
        let number = device.number;
        self.forget_deletes(number);
        if forgets {
            self.excuse();
        }
    }

    /// A document that the head names is gone from the storage.
    fn lose_document(&mut self, object: u64) {
        let mut cloud = lock(&self.shared.cloud);
        let named = cloud.head.values().map(|change| Key::document(&change.id, change.vid));
        let named: Vec<Key> = named.filter(|key| cloud.objects.contains_key(key)).collect();
        let damaged = cloud.damage.as_ref().map(|(key, ..)| key.clone());
        let Some(key) = named.get((object % named.len().max(1) as u64) as usize) else { return };
        if damaged.as_ref() == Some(key) {
            return;
        }
        let lost = cloud.objects.remove(key).unwrap_or_default();
        cloud.lost.extend(tokens::of_text(&lost));
        drop(cloud);
        self.shared.count("document lost by the storage");
        self.shared.note(|| format!("{key} is lost"));
        self.excuse();
    }

    fn lose(&mut self, place: usize) {
        if self.devices.len() < 2 {
            return;
        }
        self.crash(place);
        self.shared.count("device lost");
        let device = self.devices.remove(place);
        self.forget_deletes(device.number);
        self.excuse();
    }

    /// Deletes that the device had not committed are no more.
    pub(super) fn forget_deletes(&self, number: usize) {
        let cloud = lock(&self.shared.cloud);
        let head = cloud.all_tokens().union(&cloud.lost).cloned().collect();
        lock(&self.shared.oracle).forgot_deletes(number, &head, &cloud.published);
    }

    /// Something was destroyed: what no device and not the head of the log has any more may go.
    fn excuse(&self) {
        let mut left: Tokens = lock(&self.shared.cloud).all_tokens();
        left.extend(self.devices.iter().flat_map(Device::all_tokens));
        lock(&self.shared.oracle).excuse_what_has_no_copy(&left);
    }

    /// A backup is restored, or a part of it: as by folders, or by prefixes of a bucket.
    fn restore_server(&mut self, part: Restored) {
        let Some(mut backup) = self.server_backup.clone() else { return };
        let is_snapshot =
            |key: &Key| key.as_str().starts_with("snapshot/") || *key == Key::metadata();
        let mut cloud = lock(&self.shared.cloud);
        cloud.heal();
        let mut now = cloud.objects.clone();
        drop(cloud);
        match part {
            Restored::All => {}
            Restored::AllButSnapshots => {
                backup.retain(|key, _| !is_snapshot(key));
                now.retain(|key, _| is_snapshot(key));
                backup.extend(now);
            }
            Restored::Snapshots => {
                backup.retain(|key, _| is_snapshot(key));
                now.retain(|key, _| !is_snapshot(key));
                backup.extend(now);
            }
        }
        self.server_goes_back(backup);
    }

    fn cut_log(&mut self, entries: u64) {
        let mut cloud = lock(&self.shared.cloud);
        cloud.heal();
        let left = cloud.last().saturating_sub(entries);
        let mut objects = cloud.objects.clone();
        drop(cloud);
        objects.retain(|key, _| key.slot().is_none_or(|slot| slot <= left));
        self.server_goes_back(objects);
    }

    /// Whoever restores a storage stops it first: no sync and no request lives through it.
    fn server_goes_back(&mut self, objects: Objects) {
        for place in 0..self.devices.len() {
            self.crash(place);
        }
        self.shared.settle_wire();
        self.shared.count("storage went back");
        let attempts: Vec<CommitId> = self.attempts();
        let mut cloud = lock(&self.shared.cloud);
        cloud.orphans.extend(attempts);
        cloud.go_back(objects);
        drop(cloud);
        lock(&self.shared.oracle).all_deletes_forgotten();
        self.excuse();
    }

    /// Commits on record on any device, or in a backup of one.
    fn attempts(&self) -> Vec<CommitId> {
        let backups = self.devices.iter().filter_map(|d| d.backup.as_ref().map(|b| &b.state));
        let states = self.devices.iter().map(|d| &d.state).chain(backups);
        let attempt = |state| record(state, Table::Metadata, "attempt");
        let commit = |bytes: Vec<u8>| {
            let attempt: Value = serde_json::from_slice(&bytes).ok()?;
            CommitId::parse(attempt["commit"].as_str()?)
        };
        states.filter_map(attempt).filter_map(commit).collect()
    }

    fn meddle(&mut self, how: u64) {
        let nonce = format!("{:032x}", lock(&self.shared.dice).bits());
        let mut cloud = lock(&self.shared.cloud);
        cloud.lock_in_doubt = true;
        let planted = match how {
            0 | 1 => None,
            2 => {
                let time = "2026-11-23T04:26:51.000Z";
                let lock =
                    json!({"format": 1, "owner": "gone", "nonce": nonce, "ttl": 60, "time": time});
                Some(Bytes::from(lock.to_string()))
            }
            _ => Some(Bytes::from(nonce)),
        };
        match planted {
            Some(bytes) => cloud.objects.insert(Key::lock(), bytes),
            None => cloud.objects.remove(&Key::lock()),
        };
    }

    /// One object is damaged; only one at a time. A slot of the log is never removed: nobody promises
    /// anything for a log that lost commits.
    fn damage(&mut self, object: u64, how: u64) {
        let mut cloud = lock(&self.shared.cloud);
        if cloud.damage.is_some() || cloud.objects.is_empty() {
            return;
        }
        let place = (object % cloud.objects.len() as u64) as usize;
        let Some((key, before)) = cloud.objects.iter().nth(place) else { return };
        if key.as_str().starts_with("probe/") {
            // Who reads back other bytes than it wrote is right to take the storage for weak.
            return;
        }
        let (key, before) = (key.clone(), before.clone());
        let half = before.len() / 2;
        let since = match how {
            0 if key.slot().is_none() => None,
            0 | 1 => Some(before.slice(..half)),
            2 => Some(Bytes::new()),
            3 => Some(Bytes::from(vec![0; before.len()])),
            _ => Some(Bytes::from("<html><body>Please sign in</body></html>")),
        };
        match since.clone() {
            Some(bytes) => cloud.objects.insert(key.clone(), bytes),
            None => cloud.objects.remove(&key),
        };
        cloud.lock_in_doubt |= key == Key::lock();
        cloud.damage = Some((key.clone(), before, since));
        drop(cloud);
        self.shared.count("object damaged");
        self.shared.note(|| format!("{key} is damaged"));
    }
}
