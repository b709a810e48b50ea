//! Writing a file: facts 1.1.

use bytes::Bytes;

use super::{Kind, NotWritten, Tree, key};
use crate::dropbox::arg::{CommitInfo, Rev, WriteMode};
use crate::dropbox::hash::content_hash;
use crate::dropbox::metadata::{File, Node, now};

/// What is to become of a file.
enum Verdict {
    /// It is as it was wished.
    Leave(Node),
    /// The content goes to this path, over this file.
    Write(String, Option<File>),
}

impl Tree {
    /// Writes a file, or not: as path, mode and what stands there say. Folders around it are made.
    pub(crate) fn commit(&mut self, info: &CommitInfo, content: Bytes) -> Result<Node, NotWritten> {
        let hash = content_hash(&content);
        match self.judge(info, &hash)? {
            Verdict::Leave(node) => Ok(node),
            Verdict::Write(path, old) => {
                let path = self.make_parents(&path)?;
                let server_modified = now();
                let wished = info.client_modified.as_ref().map(|time| time.0.clone());
                let file = File {
                    id: old.map_or_else(|| self.next_id(), |old| old.id),
                    rev: self.next_rev(),
                    client_modified: wished.unwrap_or_else(|| server_modified.clone()),
                    server_modified,
                    content,
                    hash,
                };
                Ok(self.put(path, Kind::File(file)))
            }
        }
    }

    fn judge(&self, info: &CommitInfo, hash: &str) -> Result<Verdict, NotWritten> {
        let path = self.path_to_write(&info.path.0)?;
        let there = self.nodes.get(&path.to_lowercase()).filter(|node| node.is_there());
        let conflict = match there {
            None => is_gone_from(info).then_some("file"),
            Some(node) => match node.file() {
                None => Some("folder"),
                Some(file) if file.hash == hash && !info.strict_conflict => {
                    return Ok(Verdict::Leave(node.clone()));
                }
                Some(file) => is_in_the_way(file, &info.mode).then_some("file"),
            },
        };
        match conflict {
            // The name stays as it was first written.
            None => Ok(match there {
                Some(node) => Verdict::Write(node.display.clone(), node.file().cloned()),
                None => Verdict::Write(path, None),
            }),
            Some(_) if info.autorename => {
                Ok(Verdict::Write(self.other_name(&path, &info.mode), None))
            }
            Some(what) => Err(NotWritten::Conflict(what)),
        }
    }

    /// The path that is meant, if something can be there.
    fn path_to_write(&self, path: &str) -> Result<String, NotWritten> {
        if path.starts_with("id:") {
            let node = self.find(path).map_err(|_| NotWritten::Malformed)?;
            return Ok(node.display.clone());
        }
        let key = key(path).ok_or(NotWritten::Malformed)?;
        if key.split('/').any(|name| name.chars().count() > 255) {
            return Err(NotWritten::Disallowed);
        }
        Ok(path.to_owned())
    }

    /// `document (2).txt` or `document (conflicted copy).txt`, the first that is free.
    fn other_name(&self, path: &str, mode: &WriteMode) -> String {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        let (stem, end) = name
            .rsplit_once('.')
            .map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
        let what = |n: u64| match (mode, n) {
            (WriteMode::Update(_), 2) => "conflicted copy".to_owned(),
            (WriteMode::Update(_), n) => format!("conflicted copy {n}"),
            (_, n) => n.to_string(),
        };
        let names = (2..).map(|n| format!("{folder}/{stem} ({}){end}", what(n)));
        let mut free = names.filter(|path| self.find(path).is_err());
        free.next().unwrap_or_default()
    }
}

/// `strict_conflict` minds the rev "even if the existing file has been deleted"; without it, an update of
/// what is gone writes it anew.
fn is_gone_from(info: &CommitInfo) -> bool {
    matches!(info.mode, WriteMode::Update(_)) && info.strict_conflict
}

fn is_in_the_way(file: &File, mode: &WriteMode) -> bool {
    match mode {
        WriteMode::Add => true,
        WriteMode::Overwrite => false,
        WriteMode::Update(Rev(rev)) => *rev != file.rev,
    }
}
