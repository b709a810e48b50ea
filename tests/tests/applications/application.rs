//! What a kind of application brings: its operations, its documents, and what its documents forbid.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::StateStore;
use db_to_cloud::{Conflict, Database, Document, DocumentId, Resolution};
use fastrand::Rng;

/// Documents as text, by their ids.
pub(crate) type Tree = BTreeMap<String, String>;

/// One kind of application, such as a program that keeps its data in a table with UNIQUE values.
#[async_trait]
pub(crate) trait Application: Clone + Send + Sync + 'static {
    /// One operation of its user, on one device.
    type Op: Clone + Debug + Send + Sync + 'static;

    /// Its name, for a failure.
    fn name(&self) -> String;

    /// An operation, and at the beginning one that is likely to make documents.
    fn any(&self, dice: &mut Rng, is_first: bool) -> Self::Op;

    /// An operation that edits this document.
    fn edit_of(&self, id: &DocumentId, text: &str) -> Self::Op;

    /// Makes the empty documents of a device in its folder.
    fn create(&self, home: &Path);

    /// The application's side of a client.
    async fn open(&self, home: &Path) -> (Arc<dyn Database>, Arc<dyn StateStore>);

    /// Does an operation. Where it is impossible, such as the rename of a file that does not exist,
    /// nothing happens.
    fn make(&self, home: &Path, op: &Self::Op);

    /// All documents of a device, read past the library.
    fn read(&self, home: &Path) -> Tree;

    /// A document of the library in the form of [`read`](Self::read).
    fn text(&self, document: &Document) -> String {
        String::from_utf8_lossy(&document.bytes).into_owned()
    }

    /// What a user would miss if a version of a document were lost.
    fn essence(&self, text: &str) -> String {
        text.to_owned()
    }

    /// Two spellings of one id that some device cannot tell apart are the same.
    fn folded(&self, tree: Tree) -> Tree {
        tree
    }

    /// The documents of the storage as a device has them whose rows are these.
    fn in_storage(&self, tree: Tree) -> Tree {
        tree
    }

    /// Whether one database cannot hold both documents.
    fn clash(&self, one: (&str, &str), other: (&str, &str)) -> bool;

    /// Whether `child` cannot be there without the document `parent`.
    fn needs(&self, child: (&str, &str), parent: &str) -> bool {
        self.parent(child.0, child.1).is_some_and(|id| id == parent)
    }

    /// The document that this one cannot be without.
    fn parent(&self, id: &str, text: &str) -> Option<String> {
        let _ = (id, text);
        None
    }

    /// Whether an operation on one document may change others (foreign keys).
    fn has_actions(&self) -> bool {
        false
    }

    /// What is wrong with the database of a device, if anything.
    fn fault(&self, home: &Path) -> Option<String> {
        let _ = home;
        None
    }

    /// Decides a conflict: the same conflict always in the same way.
    fn decide(&self, conflict: &Conflict) -> Resolution;

    /// A run begins.
    fn begin(&self) {}

    /// Something that belongs into the [`story`](Self::story).
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// What happened in the run, for a failure.
    fn story(&self) -> Vec<String> {
        Vec::new()
    }

    /// What an operation met that it must not meet.
    fn complaint(&self) -> Option<String> {
        None
    }

    /// How many later versions there are of the application.
    fn versions(&self) -> usize {
        0
    }

    /// The version that a device has; the first is 0.
    fn version_of(&self, home: &Path) -> usize {
        let _ = home;
        0
    }

    /// Whether devices before and after the step from this version can have the same documents.
    fn can_wait(&self, version: usize) -> bool {
        let _ = version;
        false
    }

    /// From now on devices of these versions are compared, the first and the last: by what both know.
    fn compare(&self, first: usize, last: usize) {
        let _ = (first, last);
    }

    /// What the documents of a device that was upgraded would be if that changed no row.
    fn migrated(&self, home: &Path, before: Tree) -> Tree {
        let _ = home;
        before
    }

    /// Whether the step from this version must be done on all devices while they are alike.
    fn needs_all(&self, version: usize) -> bool {
        let _ = version;
        false
    }

    /// A device gets the next version.
    fn upgrade(&self, home: &Path) {
        let _ = home;
    }

    /// Whether the program starts anew after the step from this version.
    fn restarts(&self, version: usize) -> bool {
        let _ = version;
        true
    }

    /// Part of a document that no operation wrote.
    fn unheard_of(&self, tree: &Tree) -> Option<String> {
        let _ = tree;
        None
    }
}

/// An id as the tests write it.
pub(crate) fn id_text(id: &DocumentId) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
