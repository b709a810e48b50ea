//! The list of notes: walking through it, searching, deleting.

use db_to_cloud::{BoxError, SyncOptions};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::{App, Editor, Screen, Settling};
use crate::note::{Note, new_id};

impl App {
    /// The notes that the search lets through.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.has(&self.search))
    }

    /// The note that the list stands on.
    pub(crate) fn current(&self) -> Option<&Note> {
        self.visible().find(|note| Some(&note.id) == self.selected.as_ref())
    }

    /// If the note is not to be seen any more, the first one is selected.
    pub(super) fn select_another_if_gone(&mut self) {
        if self.current().is_none() {
            let first = self.visible().next().map(|note| note.id.clone());
            self.selected = first;
        }
    }

    pub(super) fn list_key(&mut self, key: KeyEvent) -> Result<(), BoxError> {
        match key.code {
            KeyCode::Char('q') => self.is_done = true,
            KeyCode::Down | KeyCode::Char('j') => self.walk(1),
            KeyCode::Up | KeyCode::Char('k') => self.walk(-1),
            KeyCode::PageDown => self.walk(10),
            KeyCode::PageUp => self.walk(-10),
            KeyCode::Home => self.walk(isize::MIN),
            KeyCode::End => self.walk(isize::MAX),
            KeyCode::Enter | KeyCode::Right | KeyCode::Char('e') => {
                if let Some(editor) = self.current().map(Editor::of) {
                    self.screen = Screen::Editor(Box::new(editor));
                }
            }
            KeyCode::Char('n') => self.screen = Screen::Editor(Box::new(Editor::new(new_id()?))),
            KeyCode::Char('d') | KeyCode::Delete => self.delete()?,
            KeyCode::Char('u') => self.undo()?,
            KeyCode::Char('/') => self.screen = Screen::Search,
            KeyCode::Esc => self.search.clear(),
            KeyCode::Char('c') => self.settle(),
            KeyCode::Char('s') => self.sync(),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn search_key(&mut self, key: KeyEvent) -> Result<(), BoxError> {
        match key.code {
            KeyCode::Char(c) => self.search.push(c),
            KeyCode::Backspace => drop(self.search.pop()),
            KeyCode::Down => self.walk(1),
            KeyCode::Up => self.walk(-1),
            KeyCode::Enter => self.screen = Screen::List,
            KeyCode::Esc => {
                self.search.clear();
                self.screen = Screen::List;
            }
            _ => {}
        }
        Ok(())
    }

    fn walk(&mut self, steps: isize) {
        let ids: Vec<_> = self.visible().map(|note| note.id.clone()).collect();
        let at = ids.iter().position(|id| Some(id) == self.selected.as_ref()).unwrap_or(0);
        let to = at.saturating_add_signed(steps).min(ids.len().saturating_sub(1));
        self.selected = ids.into_iter().nth(to);
    }

    fn delete(&mut self) -> Result<(), BoxError> {
        let Some(id) = self.current().map(|note| note.id.clone()) else { return Ok(()) };
        // The next one takes its place in the list.
        self.walk(1);
        if self.selected.as_ref() == Some(&id) {
            self.walk(-1);
        }
        if let Some(note) = self.store.delete(&id)? {
            self.message = format!("deleted “{}”: u brings it back", note.title());
            self.deleted.push(note);
        }
        Ok(())
    }

    fn undo(&mut self) -> Result<(), BoxError> {
        let Some(note) = self.deleted.last().cloned() else { return Ok(()) };
        self.selected = Some(note.id.clone());
        // Should there be one under this id again, that one is newer.
        self.store.edit(&note.id.clone(), |there| there.is_none().then_some(note))?;
        self.deleted.pop();
        Ok(())
    }

    fn settle(&mut self) {
        let of_current = self.unsettled.iter().find(|v| Some(&v.note) == self.selected.as_ref());
        match of_current.or(self.unsettled.first()) {
            Some(versions) => self.screen = Screen::Settling(Box::new(Settling::of(versions))),
            None => self.message = "there is no conflict to settle".to_owned(),
        }
    }

    /// Syncs now; if that needs a decision, asks for it: never in the middle of typing.
    fn sync(&mut self) {
        match self.status.question() {
            Some((question, options)) => self.screen = Screen::Question(question, options),
            None => self.order(SyncOptions::default()),
        }
    }
}
