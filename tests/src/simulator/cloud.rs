//! The storage as it really is, and what its log really says: read here from what lands in it, and
//! never by the code under test.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use db_to_cloud::format::{Change, Entry};
use db_to_cloud::{
    Action, CommitId, Copied, Created, DocumentId, Error, ErrorKind, Key, Page, VersionId,
};

use super::shared::{Shared, lock};
use super::tokens::{self, Tokens};
use super::wire::{Answer, Request};
use super::{Kind, invariants};

/// Keys on one page of a list.
const PAGE: usize = 3;

pub(super) type Objects = BTreeMap<Key, Bytes>;

#[derive(Debug)]
pub(super) struct Cloud {
    pub kind: Kind,
    pub objects: Objects,
    /// The commits of the log.
    pub log: BTreeMap<u64, Entry>,
    /// All commits that ever stood at a number.
    pub ever: BTreeMap<u64, BTreeSet<CommitId>>,
    /// The newest change of each document.
    pub head: BTreeMap<DocumentId, Change>,
    /// Tokens that were in a committed document.
    pub published: Tokens,
    /// Commits that were on record somewhere when the storage went back to a backup: what they
    /// name may have gone with it.
    pub orphans: BTreeSet<CommitId>,
    /// The storage went back to a backup, or was emptied.
    pub went_back: bool,
    /// A late write has replaced the first entry of a weak storage: it is another storage since.
    pub first_replaced: bool,
    /// Tokens of documents that the head named when the storage lost them.
    pub lost: Tokens,
    /// Documents of which an edit was declared on an older revision.
    pub declared: BTreeSet<DocumentId>,
    /// Versions that were replaced by a device that could not see them (rule D6): the last of each document.
    pub given_up: BTreeMap<DocumentId, VersionId>,
    /// A device was restored from a backup, or all or half of it copied.
    pub rolled_back: bool,
    /// Commits that came into the log by late requests.
    pub late: BTreeSet<CommitId>,
    /// Somebody meddled with the lock, or two devices may believe that they hold it.
    pub lock_in_doubt: bool,
    /// An object that is damaged now, and its bytes before and since.
    pub damage: Option<(Key, Bytes, Option<Bytes>)>,
}

impl Cloud {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            objects: Objects::new(),
            log: BTreeMap::new(),
            ever: BTreeMap::new(),
            head: BTreeMap::new(),
            published: Tokens::new(),
            orphans: BTreeSet::new(),
            went_back: false,
            first_replaced: false,
            lost: Tokens::new(),
            declared: BTreeSet::new(),
            given_up: BTreeMap::new(),
            rolled_back: false,
            late: BTreeSet::new(),
            lock_in_doubt: false,
            damage: None,
        }
    }

    /// The newest number of the log.
    pub(super) fn last(&self) -> u64 {
        self.log.keys().next_back().copied().unwrap_or(0)
    }

    /// The tokens of a document as the head has it.
    pub(super) fn tokens(&self, id: &DocumentId) -> Tokens {
        let change = self.head.get(id).filter(|change| change.action == Action::Put);
        change.map(|change| self.tokens_of(change)).unwrap_or_default()
    }

    fn tokens_of(&self, change: &Change) -> Tokens {
        let key = Key::document(&change.id, change.vid);
        let damaged = self.damage.as_ref().filter(|(damaged, ..)| *damaged == key);
        let bytes = damaged.map(|(_, before, _)| before).or_else(|| self.objects.get(&key));
        bytes.map(|bytes| tokens::of_text(bytes)).unwrap_or_default()
    }

    /// Tokens of all documents in the head.
    pub(super) fn all_tokens(&self) -> Tokens {
        self.head.keys().flat_map(|id| self.tokens(id)).collect()
    }

    /// The storage becomes what it was, or nothing.
    pub(super) fn go_back(&mut self, objects: Objects) {
        self.heal();
        self.objects = objects;
        self.went_back = true;
        self.read_log();
    }

    fn read_log(&mut self) {
        let entry = |(key, bytes): (&Key, &Bytes)| {
            Some((key.slot()?, serde_json::from_slice::<Entry>(bytes).ok()?))
        };
        self.log = self.objects.iter().filter_map(entry).collect();
        let changes = self.log.values().flat_map(|entry| &entry.changes);
        self.head = changes.map(|change| (change.id.clone(), change.clone())).collect();
    }

    /// The damaged object is put right, unless somebody did so already.
    pub(super) fn heal(&mut self) {
        let Some((key, before, since)) = self.damage.take() else { return };
        if self.objects.get(&key) == since.as_ref() {
            self.objects.insert(key, before);
        }
    }

    /// Weak storage: whether this write of a commit would make the hole that is known (a late write
    /// under other commits, see the scenario of that name): then it never lands.
    fn is_known_hole(&self, n: u64, entry: &Entry) -> bool {
        let before = self.log.get(&(n - 1)).map(|entry| entry.commit);
        let taken = self.log.get(&n).is_some_and(|there| there.commit != entry.commit);
        before != entry.prev || (taken && n < self.last())
    }

    fn list(&self, folder: db_to_cloud::Folder, page: Option<&str>) -> Page {
        let in_folder = |key: &&Key| key.split().is_some_and(|(f, _)| f == folder.name());
        let after = |key: &&Key| page.is_none_or(|last| key.as_str() > last);
        let keys = self.objects.keys().filter(in_folder).filter(after);
        let mut keys: Vec<_> = keys.take(PAGE + 1).cloned().collect();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        let next = keys.last().filter(|_| more).map(Key::to_string);
        Page { keys, next }
    }

    fn names(&self, folder: Option<db_to_cloud::Folder>, at_most: usize) -> Vec<String> {
        let name = |key: &Key| match (key.split(), folder) {
            (Some((place, _)), None) => Some(format!("{place}/")),
            (Some((place, name)), Some(of)) => (place == of.name()).then(|| name.to_owned()),
            (None, None) => Some(key.to_string()),
            (None, Some(_)) => None,
        };
        let names: BTreeSet<_> = self.objects.keys().filter_map(name).collect();
        names.into_iter().take(at_most).collect()
    }
}

impl Shared {
    /// A request takes effect, now.
    pub(super) fn execute(
        &self,
        device: usize,
        request: &Request,
        late: bool,
    ) -> Result<Answer, Error> {
        if late {
            self.note(|| format!("a late request of device {device} takes effect: {request}"));
        }
        let mut cloud = lock(&self.cloud);
        match request {
            Request::Get(key) => Ok(Answer::Bytes(cloud.objects.get(key).cloned())),
            Request::List(folder, page) => Ok(Answer::Page(cloud.list(*folder, page.as_deref()))),
            Request::Names(folder, most) => Ok(Answer::Names(cloud.names(*folder, *most))),
            Request::Create(key, _) if cloud.objects.contains_key(key) => {
                Ok(Answer::Created(Created::Occupied))
            }
            Request::Create(key, bytes) => {
                self.store(&mut cloud, request, key, bytes, late)?;
                Ok(Answer::Created(Created::New))
            }
            Request::Put(key, bytes) => {
                self.store(&mut cloud, request, key, bytes, late)?;
                Ok(Answer::Done)
            }
            Request::Copy(from, to) => match cloud.objects.get(from).cloned() {
                None => Ok(Answer::Copied(Copied::Missing)),
                Some(bytes) => {
                    self.store(&mut cloud, request, to, &bytes, late)?;
                    Ok(Answer::Copied(Copied::Done))
                }
            },
            Request::Delete(key) => {
                invariants::cleaning_up_removes_nothing_needed(self, &cloud, key);
                if key
                    .vid()
                    .is_some_and(|vid| cloud.given_up.values().any(|given_up| *given_up == vid))
                {
                    // Too late for rule D7.
                    let bytes = cloud.objects.get(key);
                    let tokens = bytes.map(|bytes| tokens::of_text(bytes)).unwrap_or_default();
                    lock(&self.oracle).took_back(&tokens);
                }
                cloud.lock_in_doubt |= late && *key == Key::lock();
                cloud.objects.remove(key);
                Ok(Answer::Done)
            }
        }
    }

    fn store(
        &self,
        cloud: &mut Cloud,
        request: &Request,
        key: &Key,
        bytes: &Bytes,
        late: bool,
    ) -> Result<(), Error> {
        cloud.lock_in_doubt |= late && *key == Key::lock();
        if let Some(n) = key.slot() {
            let Ok(entry) = serde_json::from_slice::<Entry>(bytes) else {
                self.violate("one commit a number", format!("{key} is no entry"));
                return Ok(());
            };
            if cloud.kind == Kind::Weak && cloud.is_known_hole(n, &entry) {
                self.count("known hole of weak storage");
                return Err(request.error(ErrorKind::Unavailable));
            }
            let commit = entry.commit;
            self.commit(cloud, n, entry, late);
            if late {
                cloud.late.insert(commit);
            }
        }
        cloud.objects.insert(key.clone(), bytes.clone());
        Ok(())
    }

    /// A commit lands in the log.
    fn commit(&self, cloud: &mut Cloud, n: u64, entry: Entry, late: bool) {
        if cloud.log.get(&n).is_some_and(|there| there.commit == entry.commit) {
            // Its author found it damaged, or read it badly (rule U7).
            return self.count("entry put again");
        }
        self.note(|| format!("commit {n} of {}", entry.client));
        invariants::one_commit_a_number(self, cloud, n, &entry);
        invariants::nothing_of_an_old_lock_holder_is_reachable(self, cloud, n, &entry, late);
        invariants::what_a_commit_names_is_there(self, cloud, &entry);
        for change in &entry.changes {
            let tokens = cloud.tokens_of(change);
            lock(&self.oracle).committed(&tokens);
            cloud.published.extend(tokens);
            let before = cloud.head.insert(change.id.clone(), change.clone());
            let unseen = before.filter(|before| change.base != Some(before.vid));
            if let Some(unseen) = unseen.filter(|unseen| unseen.action == Action::Put) {
                cloud.given_up.insert(change.id.clone(), unseen.vid);
            }
        }
        cloud.ever.entry(n).or_default().insert(entry.commit);
        let replaced = cloud.log.insert(n, entry);
        if replaced.is_some() {
            self.count("commit replaced on weak storage");
            cloud.first_replaced |= n == 1;
            let changes = cloud.log.values().flat_map(|entry| &entry.changes);
            cloud.head = changes.map(|change| (change.id.clone(), change.clone())).collect();
        }
    }
}
