//! The program without a terminal: what a key does, and what the sync told. `view` draws it.

mod editing;
mod listing;
mod settling;

use std::path::Path;

use db_to_cloud::{BoxError, SyncOptions, Timestamp};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::sync::mpsc::UnboundedSender;

use crate::conflicts::{Conflicts, Versions};
use crate::note::Note;
use crate::status::Status;
use crate::store::Store;
use crate::sync::Told;
pub(crate) use editing::Editor;
pub(crate) use settling::Settling;

/// All that the person sees and does.
#[derive(Debug)]
pub struct App {
    store: Store,
    conflicts: Conflicts,
    orders: UnboundedSender<SyncOptions>,
    pub(crate) now: Timestamp,
    pub(crate) status: Status,
    pub(crate) notes: Vec<Note>,
    /// Conflicts without a decision.
    pub(crate) unsettled: Vec<Versions>,
    pub(crate) selected: Option<String>,
    pub(crate) search: String,
    pub(crate) screen: Screen,
    pub(crate) message: String,
    /// The newest last.
    deleted: Vec<Note>,
    is_done: bool,
    /// The person knows that something is not saved.
    was_warned: bool,
}

/// What the keys are for.
#[derive(Debug)]
pub(crate) enum Screen {
    List,
    /// Words to look for are typed.
    Search,
    Editor(Box<Editor>),
    Settling(Box<Settling>),
    /// What the sync must know before it goes on, and what a yes means to it.
    Question(String, SyncOptions),
}

impl App {
    /// Opens the notes. Decisions for the sync go into `orders`.
    ///
    /// # Errors
    /// If the database cannot be opened.
    pub fn open(
        database: &Path,
        orders: UnboundedSender<SyncOptions>,
        now: Timestamp,
    ) -> rusqlite::Result<Self> {
        let (store, conflicts) = (Store::open(database)?, Conflicts::open(database)?);
        let mut app = Self {
            store,
            conflicts,
            orders,
            now,
            status: Status::default(),
            notes: Vec::new(),
            unsettled: Vec::new(),
            selected: None,
            search: String::new(),
            screen: Screen::List,
            message: String::new(),
            deleted: Vec::new(),
            is_done: false,
            was_warned: false,
        };
        app.reload()?;
        Ok(app)
    }

    /// Whether the person wants to leave. Everything is saved at any moment.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The person typed something.
    pub fn key(&mut self, key: KeyEvent) {
        self.message.clear();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'q')) {
            return self.leave();
        }
        // Ctrl-D is not a d.
        if control && matches!(self.screen, Screen::List | Screen::Search | Screen::Question(..)) {
            return;
        }
        let done = match self.screen {
            Screen::List => self.list_key(key),
            Screen::Search => self.search_key(key),
            Screen::Editor(_) if key.code == KeyCode::Esc => self.close_editor(),
            Screen::Editor(_) => self.type_in(|area| area.input(key)),
            Screen::Settling(_) => self.settling_key(key),
            Screen::Question(..) => self.question_key(key),
        };
        self.after(done);
    }

    /// The person pasted something.
    pub fn paste(&mut self, text: &str) {
        // Terminals send the ends of lines as the Enter key does.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let done = match self.screen {
            Screen::Editor(_) => self.type_in(|area| area.insert_str(&text)),
            Screen::Settling(_) => self.paste_into_draft(&text),
            Screen::Search => {
                self.search.extend(text.chars().filter(|c| !c.is_control()));
                Ok(())
            }
            Screen::List | Screen::Question(..) => Ok(()),
        };
        self.after(done);
    }

    /// The sync told something.
    pub fn told(&mut self, told: Told) {
        self.status.told(told, self.now);
    }

    /// Time passed; somebody else may have written.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
        let done = match self.store.is_written() {
            Ok(true) => self.reload(),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.message = format!("the notes cannot be read: {error}");
        }
    }

    /// Reads the notes and the conflicts again, and shows what became of the one that is open.
    fn reload(&mut self) -> rusqlite::Result<()> {
        self.notes = self.store.notes()?;
        self.unsettled = self.conflicts.all()?;
        self.unsettled.retain(|versions| versions.choice.is_none());
        self.select_another_if_gone();
        if let Screen::Editor(editor) = &mut self.screen {
            let note = self.notes.iter().find(|note| note.id == editor.id);
            editor.follow(note, self.now);
        }
        self.follow_conflict();
        Ok(())
    }

    /// Ctrl-C. All is saved, unless the disk is full: then it takes two.
    fn leave(&mut self) {
        match self.close_editor() {
            Ok(()) => self.is_done = true,
            Err(_) if std::mem::replace(&mut self.was_warned, true) => self.is_done = true,
            Err(error) => {
                self.message = format!("not saved; Ctrl-C again leaves without it: {error}");
            }
        }
    }

    fn after(&mut self, done: Result<(), BoxError>) {
        let done = done.and_then(|()| Ok(self.reload()?));
        if let Err(error) = done {
            self.message = format!("that could not be written, type on to try again: {error}");
        }
    }

    /// The sync is to begin now.
    fn order(&mut self, options: SyncOptions) {
        // Without a sync there is nobody to take it.
        let _ = self.orders.send(options);
    }

    fn question_key(&mut self, key: KeyEvent) -> Result<(), BoxError> {
        let Screen::Question(_, options) = self.screen else { return Ok(()) };
        match key.code {
            KeyCode::Char('y') => self.order(options),
            KeyCode::Char('n' | 'q') | KeyCode::Esc => {}
            _ => return Ok(()),
        }
        self.screen = Screen::List;
        Ok(())
    }
}
