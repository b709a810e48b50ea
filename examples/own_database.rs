//! An application's own database: notes in one JSON file. Two devices sync them through a folder.
//!
//! ```sh
//! cargo run --example own_database
//! ```
//!
//! `docs/own-database.md` explains each method; the test below runs the conformance suite on it.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Client, Database, Document, DocumentId, Listed, Outcome, RemoteWins, Write,
};
use db_to_cloud_fs::FsAdapter;
use db_to_cloud_sqlite::SqliteState;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

/// The texts of the notes, by their names.
type Notes = BTreeMap<String, String>;

/// Notes in one JSON file. It is small, so that reading and writing it at once needs no other thread.
#[derive(Clone)]
struct NotesFile(PathBuf);

impl NotesFile {
    fn read(&self) -> io::Result<Notes> {
        match fs::read(&self.0) {
            Ok(json) => Ok(serde_json::from_slice(&json)?),
            // Only that: any other error is no empty file.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Notes::new()),
            Err(e) => Err(e),
        }
    }

    /// Changes the notes while no other program does: compare and write are one step. The file is
    /// replaced as a whole, so that a stop leaves the old notes or the new ones.
    fn change<T>(&self, change: impl FnOnce(&mut Notes) -> T) -> io::Result<T> {
        let lock = File::create(self.0.with_extension("lock"))?;
        lock.lock()?;
        let mut notes = self.read()?;
        let done = change(&mut notes);
        let new = self.0.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&notes)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        if let Some(folder) = self.0.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(done)
    }
}

/// One write of a sync, if the note is as it expects.
fn apply(notes: &mut Notes, write: Write) -> Outcome {
    let name = write.id.to_string();
    let there = notes.get(&name).map(|text| Document::of_content(text.clone()).revision);
    if there != write.expected {
        return Outcome::Changed;
    }
    match write.document.map(|document| String::from_utf8(document.bytes.to_vec())) {
        Some(Ok(text)) => drop(notes.insert(name, text)),
        Some(Err(_)) => return Outcome::Refused("a note is text, and this is not".into()),
        None => drop(notes.remove(&name)),
    }
    Outcome::Done
}

#[async_trait]
impl Database for NotesFile {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let notes = match self.read() {
            Ok(notes) => notes,
            Err(e) => return stream::iter([Err(e.into())]).boxed(),
        };
        let listed = notes.into_iter().map(|(name, text)| {
            let revision = Ok(Some(Document::of_content(text).revision));
            Ok(Listed { id: name.into(), revision })
        });
        stream::iter(listed).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        Ok(self.read()?.remove(&id.to_string()).map(Document::of_content))
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let count = batch.len();
        let all = |notes: &mut Notes| batch.into_iter().map(|write| apply(notes, write)).collect();
        self.change(all).unwrap_or_else(|e| {
            (0..count).map(|_| Outcome::Blocked(e.to_string().into())).collect()
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let device = |name: &str| -> Result<(NotesFile, Client), BoxError> {
        let notes = NotesFile(folder.path().join(format!("{name}.json")));
        let state = SqliteState::open(folder.path().join(format!("{name}.sqlite")), "cloud")?;
        let storage = FsAdapter::open(folder.path().join("cloud"))?;
        let (documents, resolver) = (Arc::new(notes.clone()), Arc::new(RemoteWins));
        Ok((
            notes,
            Client::builder(Arc::new(storage), documents, Arc::new(state), resolver).build(),
        ))
    };
    let ((laptop, on_laptop), (phone, on_phone)) = (device("laptop")?, device("phone")?);
    laptop.change(|notes| notes.insert("shopping".into(), "bread".into()))?;
    on_laptop.queue_change(&"shopping".into()).await?;
    println!("laptop: {} pushed", on_laptop.sync().await?.pushed);
    println!("phone: {} pulled: {:?}", on_phone.sync().await?.pulled, phone.read()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use db_to_cloud_conformance::database::{self, Application};

    use super::*;

    struct App(tempfile::TempDir);

    impl App {
        fn file(&self) -> NotesFile {
            NotesFile(self.0.path().join("notes.json"))
        }
    }

    #[async_trait]
    impl Application for App {
        async fn open(&self) -> Arc<dyn Database> {
            Arc::new(self.file())
        }

        fn id(&self, n: usize) -> DocumentId {
            format!("note {n}").into()
        }

        fn bytes(&self, n: usize, version: usize) -> Bytes {
            format!("note {n}, version {version}").into()
        }

        fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>) {
            let text = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let edit = |notes: &mut Notes| match text {
                Some(text) => notes.insert(id.to_string(), text),
                None => notes.remove(&id.to_string()),
            };
            self.file().change(edit).expect("the file can be written");
        }

        fn refused(&self) -> Option<(DocumentId, Bytes)> {
            Some(("no text".into(), Bytes::from_static(&[0xff, 0xfe])))
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_notes_file_conforms() {
        let outcome = database::run(|| Arc::new(App(tempfile::tempdir().unwrap()))).await;
        outcome.assert_passed();
        assert!(outcome.passed().contains(&"an_edit_during_apply_is_not_overwritten"));
        assert!(outcome.passed().contains(&"refused_changes_nothing"));
    }
}
