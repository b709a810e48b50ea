//! Conflicts that wait for the person.
//!
//! The sync must not wait for a decision: other notes go on. So the [`Person`] who settles conflicts
//! writes both versions into a table of this device and puts the conflict off. The screen shows what is
//! in the table and writes down what was chosen; the next sync asks again, and then there is an answer.
//! All of it survives a restart.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Conflict, Document, DocumentId, Report, Resolution, Resolver, Timestamp,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::note::Note;
use crate::store::{connect, millis, timestamp};

/// The table of conflicts. It is not synced.
#[derive(Debug)]
pub struct Conflicts(Mutex<Connection>);

/// Two versions of one note.
#[derive(Clone, PartialEq, Eq)]
pub struct Versions {
    /// The id of the note.
    pub note: String,
    /// The document of this device; `None` if it was deleted here.
    pub mine: Option<String>,
    /// The other device's.
    pub theirs: Option<String>,
    /// The name of the other device, if it is known.
    pub device: Option<String>,
    /// When it synced its version, if that is known.
    pub time: Option<Timestamp>,
    /// What the person made of both so far.
    pub draft: Option<String>,
    /// What the person chose; the next sync does it.
    pub choice: Option<Choice>,
}

/// Shows no text.
impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Versions").field("note", &self.note).finish_non_exhaustive()
    }
}

/// What a person may choose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// This device's version.
    Mine,
    /// The other device's version.
    Theirs,
    /// The other device's version; this device's becomes a note of its own.
    Both,
    /// A document made of both.
    Merged(Content),
}

/// Shows no text.
impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mine => "Mine",
            Self::Theirs => "Theirs",
            Self::Both => "Both",
            Self::Merged(_) => "Merged",
        })
    }
}

/// The document of a note: the columns of its row but the id, by their names. There may be some that
/// only a newer version of this program knows.
type Content = Map<String, Value>;

/// Settles conflicts by asking the person, later.
#[derive(Debug)]
pub struct Person(pub Conflicts);

#[async_trait]
impl Resolver for Person {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        let (table, note) = row_of(&conflict.id)?;
        let choice = self.0.choice(&note, conflict)?;
        Ok(match choice.as_deref().map(serde_json::from_str).transpose()? {
            None => Resolution::Defer,
            Some(Choice::Mine) => Resolution::KeepLocal,
            Some(Choice::Theirs) => Resolution::TakeRemote,
            Some(Choice::Merged(content)) => {
                Resolution::Merged(Document::of_content(serde_json::to_vec(&content)?))
            }
            Some(Choice::Both) => {
                // The same conflict has the same copy, should the sync be stopped before its end.
                let version = conflict.local.as_ref().map(|local| local.hash().to_string());
                let version = version.unwrap_or_default();
                let copy = format!("{note}-{}", version.get(..12).unwrap_or_default());
                Resolution::KeepBoth { copy: serde_json::to_string(&(table, copy))?.into() }
            }
        })
    }
}

/// The table and the id of the row that a document is.
fn row_of(id: &DocumentId) -> Result<(String, String), BoxError> {
    Ok(serde_json::from_str(&id.to_string())?)
}

impl Versions {
    /// The note of this device; `None` if it was deleted here.
    pub fn mine(&self) -> Option<Note> {
        self.note_of(self.mine.as_ref()?)
    }

    /// The note of the other device; `None` if it was deleted there.
    pub fn theirs(&self) -> Option<Note> {
        self.note_of(self.theirs.as_ref()?)
    }

    /// Whether these are the same versions of the same note.
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |v: &Self| (v.note.clone(), v.mine.clone(), v.theirs.clone());
        key(self) == key(other)
    }

    /// The document of this text, which is made of both.
    pub fn merged(&self, note: &Note) -> Content {
        let base = self.theirs.as_ref().or(self.mine.as_ref());
        let mut content = base.map(|document| content(document)).unwrap_or_default();
        let (title, body) = note.parts();
        content.insert("title".to_owned(), title.into());
        content.insert("body".to_owned(), body.into());
        content.insert("edited".to_owned(), millis(note.edited).into());
        content
    }

    fn note_of(&self, document: &str) -> Option<Note> {
        let content = content(document);
        let text = |name| content.get(name).and_then(Value::as_str).unwrap_or_default();
        let edited = content.get("edited").and_then(Value::as_i64).unwrap_or_default();
        Some(Note::new(self.note.clone(), text("title"), text("body"), timestamp(edited)))
    }
}

/// The fields of a document. What is no note of any version is shown as an empty one.
fn content(document: &str) -> Content {
    serde_json::from_str(document).unwrap_or_default()
}

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS conflicts (
    note TEXT PRIMARY KEY NOT NULL, mine TEXT, theirs TEXT, device TEXT, time INTEGER,
    draft TEXT, choice TEXT
)";

impl Conflicts {
    /// Opens the table in the database of the notes.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = connect(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// All that were not settled yet.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn all(&self) -> rusqlite::Result<Vec<Versions>> {
        let sql = "SELECT note, mine, theirs, device, time, draft, choice FROM conflicts";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql)?;
        let versions = statement.query_map([], |row| {
            let choice: Option<String> = row.get(6)?;
            Ok(Versions {
                note: row.get(0)?,
                mine: row.get(1)?,
                theirs: row.get(2)?,
                device: row.get(3)?,
                time: row.get::<_, Option<i64>>(4)?.map(timestamp),
                draft: row.get(5)?,
                choice: choice.and_then(|choice| serde_json::from_str(&choice).ok()),
            })
        })?;
        versions.collect()
    }

    /// Writes down a choice between just these versions. Answers false if they are not the ones any
    /// more: then nothing is chosen.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn choose(&self, between: &Versions, choice: &Choice) -> Result<bool, BoxError> {
        let sql = "UPDATE conflicts SET choice = ?4
            WHERE note = ?1 AND mine IS ?2 AND theirs IS ?3 AND choice IS NULL";
        let Versions { note, mine, theirs, .. } = between;
        let choice = serde_json::to_string(choice)?;
        Ok(self.connection().execute(sql, params![note, mine, theirs, choice])? > 0)
    }

    /// Keeps a text that is not finished.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn keep_draft(&self, note: &str, draft: &str) -> rusqlite::Result<()> {
        let sql = "UPDATE conflicts SET draft = ?2 WHERE note = ?1";
        self.connection().execute(sql, [note, draft]).map(drop)
    }

    /// After a sync: what it did not set aside is settled.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn forget_settled(&self, report: &Report) -> Result<(), BoxError> {
        let open = report.deferred.iter().map(|deferred| row_of(&deferred.id));
        let open: Vec<String> = open.filter_map(|row| Some(row.ok()?.1)).collect();
        let sql = "DELETE FROM conflicts WHERE note NOT IN (SELECT value FROM json_each(?1))";
        self.connection().execute(sql, [serde_json::to_string(&open)?])?;
        Ok(())
    }

    /// What was chosen between these versions; if nothing was, they are shown from now on.
    fn choice(&self, note: &str, conflict: &Conflict) -> rusqlite::Result<Option<String>> {
        let text = |document: &Option<Document>| {
            document.as_ref().map(|d| String::from_utf8_lossy(&d.bytes).into_owned())
        };
        let sql = "INSERT INTO conflicts (note, mine, theirs, device, time)
            VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (note) DO UPDATE SET
                choice = CASE WHEN mine IS ?2 AND theirs IS ?3 THEN choice END,
                mine = ?2, theirs = ?3, device = ?4, time = ?5
            RETURNING choice";
        let (mine, theirs) = (text(&conflict.local), text(&conflict.remote));
        let time = conflict.remote_time.map(millis);
        let values = params![note, mine, theirs, conflict.remote_device, time];
        self.connection().query_row(sql, values, |row| row.get(0))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
