//! All other objects: document versions, snapshots, and those of the probe.
//!
//! Each file is made with a reserved id that stays with the object until it is known what became of it, so
//! a repetition makes no second file. Others find it by the id that a slot, a snapshot or `meta.json`
//! tells, or by a list of its folder.

use std::collections::BTreeMap;

use bytes::Bytes;
use db_to_cloud::{Created, Folder, Key, Page};

use crate::drive::{File, Made, New};
use crate::envelope::{self, Header};
use crate::error::Failure;
use crate::names::{Name, is_of_a_snapshot};
use crate::storage::{Storage, folder_id, whereabouts};

impl Storage {
    /// `None` if no file is there by any id that a commit, a snapshot or a list tells.
    pub(crate) async fn get_object(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        let mut tried = Vec::new();
        if let Some(bytes) = self.get_known(key, &mut tried).await? {
            return Ok(Some(bytes));
        }
        self.look_for(key).await?;
        if let Some(bytes) = self.get_known(key, &mut tried).await? {
            return Ok(Some(bytes));
        }
        if key.vid().is_none() {
            return Ok(None);
        }
        // It may be too young for the list: then the commit that names it is, too, and tells its id.
        self.read_newest().await?;
        self.get_known(key, &mut tried).await
    }

    async fn get_known(
        &self,
        key: &Key,
        tried: &mut Vec<String>,
    ) -> Result<Option<Bytes>, Failure> {
        let ids = self.names.get(key).map(|name| name.ids).unwrap_or_default();
        for id in ids {
            if tried.contains(&id) {
                continue;
            }
            if let Some(bytes) = self.drive.media(&id).await? {
                return self.unsealed(key, bytes).map(Some);
            }
            tried.push(id);
        }
        Ok(None)
    }

    pub(crate) async fn put_object(&self, key: &Key, bytes: &Bytes) -> Result<(), Failure> {
        let sealed = self.sealed(key, bytes)?;
        let name = self.name_to_write(key).await?;
        let id = name.ids.first().cloned().unwrap_or_default();
        if name.is_made {
            if self.drive.replace(&id, &sealed).await? {
                return Ok(());
            }
            // Deleted by another client: it is made anew, with another id.
            self.names.forget(key);
            let reserved = self.ids.take(&self.drive).await?;
            self.names.reserve(key, reserved);
        }
        if self.make(key, &sealed, false).await? == Made::New {
            return Ok(());
        }
        // An earlier attempt was answered late or never.
        let ids = self.names.get(key).map(|name| name.ids).unwrap_or_default();
        let id = ids.first().cloned().unwrap_or_default();
        let done =
            self.drive.holds(&id, &sealed).await? || self.drive.replace(&id, &sealed).await?;
        let gone = || Failure::not_drive("a file is there and is not").after_sending();
        done.then_some(()).ok_or_else(gone)
    }

    /// Exclusive among the calls of one client. Others may not know its id yet: only slots and the lock
    /// are exclusive among all.
    pub(crate) async fn create_object(&self, key: &Key, bytes: &Bytes) -> Result<Created, Failure> {
        let sealed = self.sealed(key, bytes)?;
        self.name_to_write(key).await?;
        match self.make(key, &sealed, true).await? {
            Made::New => Ok(Created::New),
            _ => Ok(Created::Occupied),
        }
    }

    async fn make(&self, key: &Key, sealed: &Bytes, races: bool) -> Result<Made, Failure> {
        let genesis = self.genesis_to_write().await?;
        let (parent, name) = whereabouts(&genesis, key)?;
        let ids = self.names.get(key).map(|name| name.ids).unwrap_or_default();
        let Some(id) = ids.first() else {
            return Err(Failure::not_drive("the object was deleted meanwhile"));
        };
        let made = self.create(&genesis, New { id, name, parent, races }, sealed).await?;
        self.names.made(key);
        Ok(made)
    }

    /// The id of an object that is there, or one that was reserved for it.
    pub(crate) async fn name_to_write(&self, key: &Key) -> Result<Name, Failure> {
        self.genesis_to_write().await?;
        if let Some(name) = self.names.get(key) {
            return Ok(name);
        }
        // Versions and snapshots have random names: nobody else made one of this name, or the same bytes.
        if matches!(key.split(), Some(("docs" | "snapshot", _))) {
            let id = self.ids.take(&self.drive).await?;
            return Ok(self.names.reserve(key, id));
        }
        let _naming = self.naming.lock().await;
        if self.names.get(key).is_none() {
            self.look_for(key).await?;
        }
        match self.names.get(key) {
            Some(name) => Ok(name),
            None => {
                let id = self.ids.take(&self.drive).await?;
                Ok(self.names.reserve(key, id))
            }
        }
    }

    /// Deletes objects, with all their twins; the answers are in the order of the keys.
    pub(crate) async fn delete_objects(&self, keys: &[Key]) -> Vec<Result<(), Failure>> {
        if let Err(failure) = self.genesis_to_write().await {
            return all_failed(failure, keys.len());
        }
        let mut looked = Vec::new();
        for key in keys.iter().filter(|key| self.names.get(key).is_none()) {
            let folder = key.split().map(|(folder, _)| folder);
            if looked.contains(&folder) {
                continue;
            }
            looked.push(folder);
            if let Err(failure) = self.look_for(key).await {
                return all_failed(failure, keys.len());
            }
        }
        let ids = |key| self.names.get(key).map(|name| name.ids).unwrap_or_default();
        let ids: Vec<Vec<String>> = keys.iter().map(ids).collect();
        let mut answers = self.drive.delete_all(&ids.concat()).await.into_iter();
        let mut deleted = Vec::with_capacity(keys.len());
        for (key, ids) in keys.iter().zip(ids) {
            let of_key: Vec<_> = answers.by_ref().take(ids.len()).collect();
            let answer = of_key.into_iter().collect::<Result<(), _>>();
            if answer.is_ok() {
                self.names.forget(key);
            }
            deleted.push(answer);
        }
        deleted
    }

    /// Lists the folder of an object.
    pub(crate) async fn look_for(&self, key: &Key) -> Result<(), Failure> {
        let Some(genesis) = self.genesis().await? else { return Ok(()) };
        let (parent, _) = whereabouts(&genesis, key)?;
        let files = self.drive.list_all(parent, "").await?.files;
        let folder = key.split().map(|(folder, _)| folder);
        self.learn_listed(folder, files);
        Ok(())
    }

    /// What the files of a folder are, and in the order of their names.
    fn learn_listed(&self, folder: Option<&str>, files: Vec<File>) -> Vec<Key> {
        let mut found: BTreeMap<Key, Vec<(String, String)>> = BTreeMap::new();
        for file in files {
            let name = folder.map_or(file.name.clone(), |folder| format!("{folder}/{}", file.name));
            if let Ok(key) = Key::parse(&name) {
                found.entry(key).or_default().push((file.created_time, file.id));
            }
        }
        for (key, files) in &mut found {
            files.sort();
            let ids = files.iter().map(|(_, id)| id.clone()).collect();
            self.names.listed(key, ids);
        }
        found.into_keys().collect()
    }

    /// One page, each key once: the files are in the order of their names, so twins are neighbours, and the
    /// last name of a page is told to the next one.
    pub(crate) async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Failure> {
        let Some(genesis) = self.genesis().await? else { return Ok(Page::default()) };
        let Some(parent) = folder_id(&genesis, folder.name()) else { return Ok(Page::default()) };
        let (token, last) = match page.and_then(|page| page.split_once('\n')) {
            Some((last, token)) => (Some(token), last),
            None => (None, ""),
        };
        let listed = self.drive.list(parent, ("", token)).await?;
        let end = listed.files.last().map_or(last, |file| &file.name).to_owned();
        let files = listed.files.into_iter();
        let (twins, files): (Vec<_>, Vec<_>) = files.partition(|file| file.name == last);
        for file in twins {
            if let Ok(key) = folder.key(&file.name) {
                self.names.twin(&key, file.id);
            }
        }
        let keys = match folder {
            Folder::Changes => {
                let keys = files.iter().filter_map(|file| folder.key(&file.name).ok());
                let mut keys: Vec<_> = keys.collect();
                keys.dedup();
                keys
            }
            _ => self.learn_listed(Some(folder.name()), files),
        };
        let next = listed.next_page_token.map(|token| format!("{end}\n{token}"));
        Ok(Page { keys, next })
    }

    /// Snapshots tell where their parts are.
    fn sealed(&self, key: &Key, bytes: &Bytes) -> Result<Bytes, Failure> {
        if !is_of_a_snapshot(key.as_str()) {
            return Ok(bytes.clone());
        }
        let ids = self.names.named_in(bytes, &BTreeMap::new(), is_of_a_snapshot);
        envelope::seal(&Header { ids, ..Header::default() }, bytes)
    }

    fn unsealed(&self, key: &Key, bytes: Bytes) -> Result<Bytes, Failure> {
        if !is_of_a_snapshot(key.as_str()) {
            return Ok(bytes);
        }
        let (header, bytes) = envelope::open(bytes)?;
        self.learn(&header.unwrap_or_default());
        Ok(bytes)
    }
}

/// One answer tells what went wrong, and all are failures.
pub(crate) fn all_failed<T>(failure: Failure, n: usize) -> Vec<Result<T, Failure>> {
    let others = (1..n).map(|_| Err(Failure::not_drive("nothing was done")));
    std::iter::once(Err(failure)).chain(others).take(n).collect()
}
