//! Everything in an account: a tree by lower-case path, with what is gone still remembered.

mod commit;
mod delete;
mod folders;
mod listing;

use std::collections::BTreeMap;

use tokio::sync::watch;

pub(crate) use self::delete::NotDeleted;
pub(crate) use self::folders::NotMoved;
pub(crate) use self::listing::Listing;
use super::json::Json;
use super::metadata::{Kind, Node};

/// All files and folders of an account. The root is not among them and is always there.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
    /// How many changes there were; longpolls wait for it to grow.
    changes: watch::Sender<u64>,
    /// The last id or rev that was given.
    serial: u64,
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    NotFound,
    NotFile,
    NotFolder,
    Malformed,
}

impl Lookup {
    pub(crate) fn json(self) -> Json {
        Json::tag(match self {
            Self::NotFound => "not_found",
            Self::NotFile => "not_file",
            Self::NotFolder => "not_folder",
            Self::Malformed => "malformed_path",
        })
    }
}

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// `file`, `folder` or `file_ancestor` is in the way.
    Conflict(&'static str),
    Malformed,
    Disallowed,
    Full,
}

impl NotWritten {
    pub(crate) fn json(self) -> Json {
        match self {
            Self::Conflict(what) => Json::nested("conflict", Json::tag(what)),
            Self::Malformed => Json::tag("malformed_path"),
            Self::Disallowed => Json::tag("disallowed_name"),
            Self::Full => Json::tag("insufficient_space"),
        }
    }
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { nodes: BTreeMap::new(), changes: watch::Sender::new(0), serial: 0 }
    }

    /// What stands at a path, an id or a rev.
    pub(crate) fn find(&self, path: &str) -> Result<&Node, Lookup> {
        let mut there = self.nodes.values().filter(|node| node.is_there());
        let found = if path.starts_with("id:") {
            there.find(|node| node.has_id(path))
        } else if let Some(rev) = path.strip_prefix("rev:") {
            there.find(|node| node.file().is_some_and(|file| file.rev == rev))
        } else {
            let key = key(path).ok_or(Lookup::Malformed)?;
            self.nodes.get(&key).filter(|node| node.is_there())
        };
        found.ok_or(Lookup::NotFound)
    }

    /// What is gone from a path.
    pub(crate) fn find_deleted(&self, path: &str) -> Option<&Node> {
        self.nodes.get(&key(path)?).filter(|node| !node.is_there())
    }

    /// What is in a folder, however deep.
    pub(crate) fn inside(&self, folder: &str) -> Vec<&Node> {
        let key = folder.to_lowercase();
        self.below(&key).map(|(_, node)| node).filter(|node| node.is_there()).collect()
    }

    /// How many files there are.
    pub(crate) fn files(&self) -> usize {
        self.nodes.values().filter(|node| node.file().is_some()).count()
    }

    /// All paths of files, as they were written.
    pub(crate) fn paths(&self) -> Vec<String> {
        let files = self.nodes.values().filter(|node| node.file().is_some());
        files.map(|node| node.display.clone()).collect()
    }

    /// How many bytes all files have.
    pub(crate) fn bytes(&self) -> usize {
        let files = self.nodes.values().filter_map(Node::file);
        files.map(|file| file.content.len()).sum()
    }

    /// How many changes there were.
    pub(crate) fn now(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Tells of changes to come.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The keys of what lies anywhere below a folder, gone or not.
    fn below(&self, folder: &str) -> impl Iterator<Item = (&String, &Node)> {
        let prefix = format!("{folder}/");
        let from = self.nodes.range(prefix.clone()..);
        from.take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// Puts something at a path, as the newest change.
    fn put(&mut self, display: String, kind: Kind) -> Node {
        self.changes.send_modify(|changes| *changes += 1);
        let node = Node { changed: self.now(), kind, display };
        self.nodes.insert(node.display.to_lowercase(), node.clone());
        node
    }

    fn next_id(&mut self) -> String {
        self.serial += 1;
        format!("id:{:022}", self.serial)
    }

    /// Hex, and longer than the nine characters that a rev has at least.
    fn next_rev(&mut self) -> String {
        self.serial += 1;
        format!("{:015x}", 0x5f0_1a2b_3000_u64 + self.serial)
    }
}

/// The key of a path: in lower case. None if no such path can be.
fn key(path: &str) -> Option<String> {
    let names = path.strip_prefix('/')?;
    let is_name = |name: &str| !name.is_empty() && name != "." && name != "..";
    names.split('/').all(is_name).then(|| path.to_lowercase())
}

/// The folder around a key; the root is `""`.
fn parent(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(parent, _)| parent)
}
