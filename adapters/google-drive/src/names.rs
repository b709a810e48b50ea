//! Which file holds which object.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use db_to_cloud::Key;

/// What is known of the objects without a fixed place. It only saves requests: each entry was read in a
/// list, in another object, or reserved by this client.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashMap<String, Name>>);

/// The files of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The oldest first: it counts. Others are twins, made by clients that did not know of each other.
    pub(crate) ids: Vec<String>,
    /// It was made; else its id is reserved, and perhaps it was made.
    pub(crate) is_made: bool,
}

/// How an object names another one: a document version by its vid, all else by its key.
pub(crate) fn token(key: &Key) -> String {
    key.vid().map_or_else(|| key.to_string(), |vid| vid.to_string())
}

impl Names {
    pub(crate) fn get(&self, key: &Key) -> Option<Name> {
        self.lock().get(&token(key)).cloned()
    }

    /// An id was reserved for this object. Who reserved one before keeps his.
    pub(crate) fn reserve(&self, key: &Key, id: String) -> Name {
        let name = Name { ids: vec![id], is_made: false };
        self.lock().entry(token(key)).or_insert(name).clone()
    }

    pub(crate) fn made(&self, key: &Key) {
        if let Some(name) = self.lock().get_mut(&token(key)) {
            name.is_made = true;
        }
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.lock().remove(&token(key));
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What an object told of others.
    pub(crate) fn learn(&self, ids: &BTreeMap<String, String>) {
        let mut names = self.lock();
        for (token, id) in ids {
            let name = || Name { ids: vec![id.clone()], is_made: true };
            names.entry(token.clone()).or_insert_with(name);
        }
    }

    /// What a list told: the files of one object, the oldest first.
    pub(crate) fn listed(&self, key: &Key, ids: Vec<String>) {
        if ids.len() > 1 {
            tracing::warn!(%key, files = ids.len(), "several files of one name: the oldest counts");
        }
        let mut names = self.lock();
        let name = names.entry(token(key)).or_insert(Name { ids: Vec::new(), is_made: true });
        let more: Vec<_> = name.ids.drain(..).filter(|id| !ids.contains(id)).collect();
        name.ids = ids.into_iter().chain(more).collect();
        name.is_made = true;
    }

    /// One more file of an object that an earlier page of the list told of.
    pub(crate) fn twin(&self, key: &Key, id: String) {
        let mut names = self.lock();
        let name = names.entry(token(key)).or_insert(Name { ids: Vec::new(), is_made: true });
        if !name.ids.contains(&id) {
            name.ids.push(id);
        }
    }

    /// The ids of those objects that these bytes name, in quotes, as JSON does.
    pub(crate) fn named_in(
        &self,
        bytes: &[u8],
        more: &BTreeMap<String, String>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> BTreeMap<String, String> {
        let names = self.lock();
        let quoted = bytes.split(|byte| *byte == b'"');
        let tokens = quoted.filter_map(|text| std::str::from_utf8(text).ok());
        let known = tokens.filter(|token| is_wanted(token)).filter_map(|token| {
            let id = names.get(token).and_then(|name| name.ids.first()).or(more.get(token))?;
            Some((token.to_owned(), id.clone()))
        });
        known.collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this is a vid.
pub(crate) fn is_vid(token: &str) -> bool {
    token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether this is the key of a part or a head of a snapshot.
pub(crate) fn is_of_a_snapshot(token: &str) -> bool {
    token.starts_with("snapshot/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_carries_the_ids_of_those_it_names() {
        let names = Names::default();
        let vid = "0123456789abcdef0123456789abcdef";
        let document = Key::parse(&format!("docs/note.{vid}")).unwrap();
        names.reserve(&document, "1a".to_owned());
        let entry =
            format!("{{\"changes\":[{{\"vid\":\"{vid}\",\"base\":\"{}\"}}]}}", "9".repeat(32));
        let remembered = BTreeMap::from([("9".repeat(32), "1b".to_owned())]);
        let ids = names.named_in(entry.as_bytes(), &remembered, is_vid);
        let want = [(vid.to_owned(), "1a".to_owned()), ("9".repeat(32), "1b".to_owned())];
        assert_eq!(ids, BTreeMap::from(want));
    }

    #[test]
    fn of_twins_the_oldest_counts_and_a_reserved_id_is_kept() {
        let names = Names::default();
        let key = Key::parse("probe/a").unwrap();
        assert_eq!(names.reserve(&key, "own".to_owned()).ids, ["own"]);
        assert_eq!(names.reserve(&key, "late".to_owned()).ids, ["own"]);
        names.listed(&key, vec!["old".to_owned(), "young".to_owned()]);
        let name = names.get(&key).unwrap();
        assert_eq!((name.ids.join(" ").as_str(), name.is_made), ("old young own", true));
    }
}
