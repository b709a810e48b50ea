//! Configurations in words: `base().edits(1).crashes(1)`, and back.

use crate::config::{Answer, Configuration, Faults, LockPolicy, Pointer, RestoreWhen, Rule, Store};

/// Methods that set one field, or one kind of fault, each.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) => $($field:ident).+;)*) => {
        impl Configuration {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $value: $type) -> Self {
                self.$($field).+ = $value;
                self
            })*
        }
    };
}

setters! {
    /// So many devices.
    clients(n: usize) => clients;
    /// So many documents.
    documents(n: usize) => documents;
    /// So many edits by each user.
    edits(n: u8) => edits;
    /// What the application may answer.
    answers(answers: &'static [Answer]) => answers;
    /// So many crashes.
    crashes(n: u8) => faults.crashes;
    /// So many lost answers or late commits.
    lost(n: u8) => faults.lost_answers;
    /// So many broken locks of living clients.
    lock_breaks(n: u8) => faults.lock_breaks;
    /// So many devices rolled back.
    rollbacks(n: u8) => faults.rollbacks;
    /// So many devices cloned.
    clones(n: u8) => faults.clones;
    /// So many times the storage is emptied, beside being restored; in a moment as for a restore.
    emptyings(n: u8) => faults.emptyings;
    /// So many times the storage is restored to before its last entry.
    cuts(n: u8) => faults.cuts;
    /// When the storage may go back or be emptied.
    when(when: RestoreWhen) => restore_when;
    /// So many devices destroyed.
    destroyed(n: u8) => faults.destroyed;
    /// So many devices that lose their client state.
    reinstalls(n: u8) => faults.reinstalls;
    /// So many times the hint is lost or old.
    hint_damage(n: u8) => faults.hint_damage;
    /// So many deferred conflicts.
    deferrals(n: u8) => faults.deferrals;
    /// So many snapshots.
    checkpoints(n: u8) => faults.checkpoints;
    /// So many garbage collections.
    gcs(n: u8) => faults.gcs;
    /// So many times G/2 passes.
    ages(n: u8) => ages;
    /// On this storage.
    on(store: Store) => store;
    /// With this lock.
    lock(policy: LockPolicy) => lock;
    /// With this way to the snapshot.
    pointer(pointer: Pointer) => pointer;
    /// Snapshots that leave out so many entries.
    behind(n: u8) => snapshot_behind;
    /// Whether uploads are used again (U2).
    keeps_uploads(keeps: bool) => keeps_uploads;
    /// Without these rules.
    without(rules: &'static [Rule]) => without;
}

impl Configuration {
    /// Only the first user edits.
    #[must_use]
    pub fn one_writer(mut self) -> Self {
        self.others_edit = Some(0);
        self
    }

    /// All users but the first make so many edits.
    #[must_use]
    pub fn others_edit(mut self, n: u8) -> Self {
        self.others_edit = Some(n);
        self
    }

    /// Users delete, too.
    #[must_use]
    pub fn deletes(mut self) -> Self {
        self.deletes = true;
        self
    }

    /// QueueChange comes later.
    #[must_use]
    pub fn queued_later(mut self) -> Self {
        self.queued_later = true;
        self
    }

    /// Superseded versions vanish at once.
    #[must_use]
    pub fn eager(mut self) -> Self {
        self.deletes_old_at_once = true;
        self
    }

    /// After an unknown answer the same sync sends again.
    #[must_use]
    pub fn sends_again(mut self) -> Self {
        self.sends_again = true;
        self
    }

    /// Pulls apply what they read in steps.
    #[must_use]
    pub fn in_steps(mut self) -> Self {
        self.applies_in_steps = true;
        self
    }

    /// The storage is restored once.
    #[must_use]
    pub fn restored(mut self, when: RestoreWhen) -> Self {
        self.faults.restores = 1;
        self.restore_when = when;
        self
    }

    /// The storage is emptied once.
    #[must_use]
    pub fn emptied(mut self, when: RestoreWhen) -> Self {
        self.emptied = true;
        self.restored(when)
    }

    /// Clients join the branches of a storage that diverged.
    #[must_use]
    pub fn rejoins(mut self) -> Self {
        self.rejoins = true;
        self
    }

    /// So many crashes, but only while a client joins a branch or puts a storage back.
    #[must_use]
    pub fn crashes_joining(mut self, n: u8) -> Self {
        (self.crashes_joining, self.rejoins) = (true, true);
        self.crashes(n)
    }

    /// A restore brings only the log back.
    #[must_use]
    pub fn snapshots_stay(mut self) -> Self {
        self.snapshots_stay = true;
        self
    }

    /// All that is not as in [`Configuration::new`], in words.
    pub fn describe(&self) -> String {
        let mut words = vec![
            counted(self.clients, "device"),
            counted(self.documents, "document"),
            format!("{} each", counted(self.edits.into(), "edit")),
        ];
        words.extend(self.faults.describe());
        let store = match self.store {
            Store::Strong => None,
            Store::Webdav => Some("WebDAV"),
            Store::Weak => Some("weak store"),
        };
        words.extend(store.map(str::to_owned));
        match self.lock {
            LockPolicy::Never => {}
            LockPolicy::Always => words.push("lock always".to_owned()),
            LockPolicy::AfterRaces(n) => {
                words.push(format!("lock after {}", counted(n.into(), "lost race")));
            }
        }
        let pointer = match self.pointer {
            Pointer::Stubs => None,
            Pointer::HintAndStubs => Some("hint, stubs"),
            Pointer::Hint => Some("hint"),
        };
        words.extend(pointer.map(str::to_owned));
        if self.faults.restores > 0 {
            let how = if self.emptied { "emptied" } else { "restored" };
            words.push(format!("{how}: {:?}", self.restore_when));
        }
        let others = self.others_edit.filter(|n| *n > 0);
        words.extend(others.map(|n| format!("{} by others", counted(n.into(), "edit"))));
        let flags = [
            (self.others_edit == Some(0), "one writer"),
            (self.deletes, "deletes"),
            (self.queued_later, "queued later"),
            (self.deletes_old_at_once, "old versions vanish"),
            (self.sends_again, "sends again"),
            (!self.keeps_uploads, "uploads not used again"),
            (self.snapshot_behind > 0, "snapshot behind"),
            (self.applies_in_steps, "applied in steps"),
            (self.answers.len() > 1, "several answers"),
            (self.rejoins, "branches joined"),
            (self.crashes_joining, "crashes only then"),
            (self.snapshots_stay, "snapshots stay"),
        ];
        words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
        if self.ages > 0 {
            words.push(format!("G/2 passes {} times", self.ages));
        }
        words.extend(self.without.iter().map(|rule| format!("no {rule:?}")));
        words.join(", ")
    }
}

impl Faults {
    fn describe(&self) -> Vec<String> {
        let kinds = [
            (self.crashes, "crash"),
            (self.lost_answers, "lost answer"),
            (self.lock_breaks, "broken lock"),
            (self.rollbacks, "rollback"),
            (self.clones, "clone"),
            (self.emptyings, "emptying"),
            (self.cuts, "lost last entry"),
            (self.destroyed, "destroyed device"),
            (self.reinstalls, "reinstall"),
            (self.hint_damage, "damaged hint"),
            (self.deferrals, "deferral"),
            (self.checkpoints, "snapshot"),
            (self.gcs, "gc"),
        ];
        let kinds = kinds.iter().filter(|(n, _)| *n > 0);
        kinds.map(|(n, kind)| counted((*n).into(), kind)).collect()
    }
}

fn counted(n: usize, what: &str) -> String {
    match (n, what.ends_with("sh")) {
        (1, _) => format!("1 {what}"),
        (_, true) => format!("{n} {what}es"),
        (_, false) => format!("{n} {what}s"),
    }
}
