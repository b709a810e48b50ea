//! Folders: made on the way, made on purpose, moved.

use super::{Kind, Lookup, Node, NotWritten, Tree, key, parent};

/// Why nothing was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotMoved {
    From(Lookup),
    To(NotWritten),
    IntoItself,
}

impl Tree {
    /// Makes the folders around a path. Answers the path as it will be shown: the folders as they were first
    /// written, the name as it is written now.
    pub(super) fn make_parents(&mut self, path: &str) -> Result<String, NotWritten> {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        if folder.is_empty() {
            return Ok(path.to_owned());
        }
        // Nothing is made if something is in the way.
        let mut around = Some(folder.to_lowercase());
        while let Some(key) = around.filter(|key| !key.is_empty()) {
            if self.nodes.get(&key).is_some_and(|node| node.file().is_some()) {
                return Err(NotWritten::Conflict("file_ancestor"));
            }
            around = Some(parent(&key).to_owned());
        }
        let shown = match self.nodes.get(&folder.to_lowercase()).filter(|node| node.is_folder()) {
            Some(node) => node.display.clone(),
            None => {
                let display = self.make_parents(folder)?;
                let id = self.next_id();
                self.put(display, Kind::Folder { id }).display
            }
        };
        Ok(format!("{shown}/{name}"))
    }

    /// Makes a folder where nothing is.
    pub(crate) fn create_folder(&mut self, path: &str) -> Result<Node, NotWritten> {
        let key = key(path).ok_or(NotWritten::Malformed)?;
        match self.nodes.get(&key).filter(|node| node.is_there()) {
            Some(node) if node.is_folder() => return Err(NotWritten::Conflict("folder")),
            Some(_) => return Err(NotWritten::Conflict("file")),
            None => {}
        }
        let display = self.make_parents(path)?;
        let id = self.next_id();
        Ok(self.put(display, Kind::Folder { id }))
    }

    /// Moves a file, or a folder with all in it, to where nothing is. Ids stay; a moved file has a new rev.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<Node, NotMoved> {
        let from = self.find(from).map_err(NotMoved::From)?.clone();
        let (old, new) = (from.display.to_lowercase(), key(to));
        let new = new.ok_or(NotMoved::To(NotWritten::Malformed))?;
        if new == old || new.starts_with(&format!("{old}/")) {
            return Err(NotMoved::IntoItself);
        }
        if let Some(there) = self.nodes.get(&new).filter(|node| node.is_there()) {
            let what = if there.is_folder() { "folder" } else { "file" };
            return Err(NotMoved::To(NotWritten::Conflict(what)));
        }
        let shown = self.make_parents(to).map_err(NotMoved::To)?;
        let below = self.below(&old).map(|(_, node)| node.clone());
        let below: Vec<_> = below.filter(Node::is_there).collect();
        self.remove(&old);
        let moved = self.put_again(shown.clone(), from.kind);
        for node in below {
            let rest = node.display.get(old.len()..).unwrap_or_default();
            self.put_again(format!("{shown}{rest}"), node.kind);
        }
        Ok(moved)
    }

    /// Copies a file to where nothing is: identical content there is a conflict, too.
    pub(crate) fn copy(&mut self, from: &str, to: &str) -> Result<Node, NotMoved> {
        let from = self.find(from).map_err(NotMoved::From)?.clone();
        let new = key(to).ok_or(NotMoved::To(NotWritten::Malformed))?;
        if new == from.display.to_lowercase() {
            return Err(NotMoved::IntoItself);
        }
        let Kind::File(mut file) = from.kind else {
            return Err(NotMoved::From(Lookup::NotFile));
        };
        if let Some(there) = self.nodes.get(&new).filter(|node| node.is_there()) {
            let what = if there.is_folder() { "folder" } else { "file" };
            return Err(NotMoved::To(NotWritten::Conflict(what)));
        }
        let shown = self.make_parents(to).map_err(NotMoved::To)?;
        file.id = self.next_id();
        Ok(self.put_again(shown, Kind::File(file)))
    }

    fn put_again(&mut self, display: String, mut kind: Kind) -> Node {
        if let Kind::File(file) = &mut kind {
            file.rev = self.next_rev();
        }
        self.put(display, kind)
    }
}
