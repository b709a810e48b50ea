//! Where each object lives in the storage (rule S4).

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::{CommitId, DocumentId, Error, ErrorKind, VersionId};

/// The name of one object in the storage, such as `changes/17.json`.
///
/// - One or two segments, joined by `/`.
/// - A segment holds only `a`–`z`, `0`–`9`, `-`, `_` and `.`, does not begin with a dot, and has
///   at most 200 bytes, so that it is a safe file name everywhere, case-insensitive or not.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The longest segment of a key, in bytes.
const LONGEST_SEGMENT: usize = 200;
/// The longest encoded document id, in bytes; a longer one is cut and hashed.
const LONGEST_ID: usize = 120;

/// The folders of the storage that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Folder {
    /// `changes/`: the log, one object a commit.
    Changes,
    /// `docs/`: one object a document version.
    Documents,
    /// `snapshot/`: heads and parts of snapshots.
    Snapshots,
    /// `probe/`: throw-away objects of the probe (rule S3) and of tests.
    Probe,
}

impl Folder {
    /// The name of the folder, without a slash.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Documents => "docs",
            Self::Snapshots => "snapshot",
            Self::Probe => "probe",
        }
    }

    /// The key of an object in this folder.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the name is not a safe segment.
    pub fn key(self, name: &str) -> Result<Key, Error> {
        Key::parse(&format!("{}/{name}", self.name()))
    }
}

impl Key {
    /// Reads a key, such as one that a server listed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it breaks a rule of [`Key`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut segments = text.split('/');
        let safe = segments.clone().count() <= 2 && segments.all(is_safe_segment);
        if safe {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(ErrorKind::InvalidInput, "parse a key")
            .with_key(text)
            .with_message("a key is one or two segments of a-z 0-9 - _ . without a leading dot"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder and the name within it; `None` for an object at the top.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.0.split_once('/')
    }

    /// The number of the log slot, if this key is one.
    pub fn slot(&self) -> Option<u64> {
        let name = self.0.strip_prefix("changes/")?.strip_suffix(".json")?;
        name.parse().ok().filter(|n| *n > 0 && Self::change(*n) == *self)
    }

    /// `meta.json`: the hint to the newest snapshot.
    pub fn metadata() -> Self {
        Self("meta.json".to_owned())
    }

    /// `lock.json`: the lock object.
    pub fn lock() -> Self {
        Self("lock.json".to_owned())
    }

    /// `changes/<n>.json`: slot `n` of the log.
    pub fn change(n: u64) -> Self {
        Self(format!("changes/{n}.json"))
    }

    /// `docs/<enc(id)>.<vid>`: one version of one document.
    pub fn document(id: &DocumentId, vid: VersionId) -> Self {
        Self(format!("docs/{}.{vid}", encode(id)))
    }

    /// The version that a key in `docs/` holds; `None` if it is another kind of key.
    pub fn vid(&self) -> Option<VersionId> {
        let (_, vid) = self.0.strip_prefix("docs/")?.rsplit_once('.')?;
        VersionId::parse(vid)
    }

    /// `snapshot/<seq>.<rand>.json`: the head of a snapshot.
    pub(crate) fn snapshot(seq: u64, random: CommitId) -> Self {
        Self(format!("snapshot/{seq}.{random}.json"))
    }

    /// `snapshot/<seq>.<rand>.<k>.json`: a part of a snapshot.
    pub(crate) fn snapshot_part(seq: u64, random: CommitId, k: usize) -> Self {
        Self(format!("snapshot/{seq}.{random}.{k}.json"))
    }

    /// The sequence number of a snapshot's head; `None` for parts and all other keys.
    pub(crate) fn snapshot_seq(&self) -> Option<u64> {
        let name = self.0.strip_prefix("snapshot/")?.strip_suffix(".json")?;
        let (seq, random) = name.split_once('.')?;
        CommitId::parse(random)?;
        seq.parse().ok()
    }
}

impl Key {
    /// Whether this is the key of a head or of a part of a snapshot.
    pub(crate) fn is_of_snapshot(&self) -> bool {
        let name = self.0.strip_prefix("snapshot/").and_then(|name| name.strip_suffix(".json"));
        let mut parts = name.unwrap_or_default().splitn(3, '.');
        let is_number = |text: Option<&str>| text.is_some_and(|text| text.parse::<u64>().is_ok());
        is_number(parts.next())
            && parts.next().is_some_and(|random| CommitId::parse(random).is_some())
            && parts.next().is_none_or(|part| is_number(Some(part)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_safe_segment(segment: &str) -> bool {
    (1..=LONGEST_SEGMENT).contains(&segment.len())
        && !segment.starts_with('.')
        && segment.bytes().all(|b| is_plain(b) || b == b'_')
}

/// Bytes that stand for themselves in an encoded id; `_` begins an escape.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// `enc` of rule S4: the id as part of a file name, for people who look into the storage.
///
/// Plain bytes stand for themselves, others are `_` and two hexadecimal digits. A number is `_n`
/// and its digits, the empty string is `_`. Beyond 120 bytes the rest is replaced by `_h` and half
/// of the id's SHA-256. No two ids share an encoding, save by a collision of that hash.
fn encode(id: &DocumentId) -> String {
    let (mut out, text) = match id.as_str() {
        Some("") => ("_".to_owned(), String::new()),
        Some(text) => (String::new(), text.to_owned()),
        None => ("_n".to_owned(), id.to_string()),
    };
    let reserved = is_reserved_on_windows(&text);
    for (i, byte) in text.bytes().enumerate() {
        if is_plain(byte) && !(i == 0 && (byte == b'.' || reserved)) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("_{byte:02x}"));
        }
    }
    if out.len() <= LONGEST_ID {
        return out;
    }
    let hash = hex::encode(&Sha256::digest(id.to_key())[..16]);
    out.truncate(LONGEST_ID - hash.len() - 2);
    out + "_h" + &hash
}

/// `con.txt` and its like name devices on Windows, whatever follows the first dot.
fn is_reserved_on_windows(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default();
    let numbered = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Rule S4.
    #[test]
    fn awkward_ids_become_distinct_safe_names() {
        let long = "x".repeat(5000);
        let longer = format!("{long}x");
        let texts = [
            "",
            "_",
            "a",
            "A",
            "1",
            "n1",
            "_n1",
            "..",
            ".a",
            "a/b",
            "a\\b",
            "a b",
            "a%20b",
            "con",
            "con.txt",
            "CON",
            "com1",
            "\0",
            "é",
            "e\u{301}",
            "日本語",
            "🦀",
            &long,
            &longer,
        ];
        let mut ids: Vec<_> = texts.into_iter().map(DocumentId::from).collect();
        ids.extend([DocumentId::from(1), DocumentId::from(-1), DocumentId::from(u64::MAX)]);
        let mut seen = HashSet::new();
        for id in &ids {
            let key = Key::document(id, VersionId::from(5));
            assert!(Key::parse(key.as_str()).is_ok(), "{key}");
            assert_eq!(key.vid(), Some(VersionId::from(5)));
            assert!(key.as_str().len() <= "docs/".len() + LONGEST_ID + 33, "{key}");
            assert!(seen.insert(key.as_str().to_ascii_lowercase()), "{id} shares {key}");
        }
        assert!(
            Key::document(&DocumentId::from("con.x"), VersionId::from(1)).as_str() != "docs/con.x"
        );
    }

    #[test]
    fn keys_that_could_leave_their_folder_are_refused() {
        for bad in ["", "/", "a/", "/a", "../a", "a/..", "a//b", "a/b/c", "A", "a\\b", ".hidden"] {
            assert_eq!(Key::parse(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn slots_are_recognised() {
        assert_eq!(Key::change(12).slot(), Some(12));
        for other in ["changes/0.json", "changes/01.json", "changes/x.json", "docs/1.json"] {
            assert_eq!(Key::parse(other).unwrap().slot(), None, "{other}");
        }
    }

    #[test]
    fn heads_and_parts_of_snapshots_differ() {
        let random = CommitId::from(9);
        assert_eq!(Key::snapshot(4, random).snapshot_seq(), Some(4));
        assert_eq!(Key::snapshot_part(4, random, 0).snapshot_seq(), None);
    }
}
