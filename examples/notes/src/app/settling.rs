//! Settling a conflict: both versions are shown, and the person chooses or makes one of both.

use db_to_cloud::{BoxError, SyncOptions};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::TextArea;
use similar::TextDiff;

use super::editing::{area, text};
use super::{App, Screen};
use crate::conflicts::{Choice, Versions};
use crate::note::{Note, new_id};

/// A conflict that is being looked at.
#[derive(Debug)]
pub(crate) struct Settling {
    pub versions: Versions,
    pub scroll: u16,
    /// What the person makes of both.
    pub draft: Option<TextArea<'static>>,
}

impl Settling {
    pub(super) fn of(versions: &Versions) -> Self {
        Self { versions: versions.clone(), scroll: 0, draft: None }
    }

    /// Both versions in one text: what they share once, and where they differ first mine, then theirs.
    fn both(&self) -> String {
        let text = |note: Option<Note>| note.map_or(String::new(), |note| note.text + "\n");
        let (mine, theirs) = (text(self.versions.mine()), text(self.versions.theirs()));
        let diff = TextDiff::from_lines(mine.as_str(), theirs.as_str());
        let both: String = diff.iter_all_changes().map(|change| change.value()).collect();
        both.trim_end_matches('\n').to_owned()
    }
}

impl App {
    pub(super) fn settling_key(&mut self, key: KeyEvent) -> Result<(), BoxError> {
        let Screen::Settling(settling) = &mut self.screen else { return Ok(()) };
        if settling.draft.is_some() {
            return self.draft_key(key);
        }
        match key.code {
            _ if key.modifiers.contains(KeyModifiers::CONTROL) => {}
            KeyCode::Char('1') => return self.choose(Choice::Mine),
            KeyCode::Char('2') => return self.choose(Choice::Theirs),
            KeyCode::Char('b') => return self.choose(Choice::Both),
            KeyCode::Char('e') => {
                let draft = settling.versions.draft.clone();
                settling.draft = Some(area(&draft.unwrap_or_else(|| settling.both())));
            }
            KeyCode::Down => settling.scroll = settling.scroll.saturating_add(1),
            KeyCode::Up => settling.scroll = settling.scroll.saturating_sub(1),
            KeyCode::Tab | KeyCode::Char('n') => self.next_conflict(),
            KeyCode::Esc | KeyCode::Char('q') => self.screen = Screen::List,
            _ => {}
        }
        Ok(())
    }

    fn draft_key(&mut self, key: KeyEvent) -> Result<(), BoxError> {
        let now = self.now;
        let Screen::Settling(settling) = &mut self.screen else { return Ok(()) };
        let Some(draft) = &mut settling.draft else { return Ok(()) };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('s') if control => {
                let (id, text) = (settling.versions.note.clone(), text(draft));
                let merged = settling.versions.merged(&Note { id, text, edited: now });
                return self.choose(Choice::Merged(merged));
            }
            KeyCode::Esc => {
                settling.versions.draft = Some(text(draft));
                settling.draft = None;
            }
            _ if draft.input(key) => {
                self.conflicts.keep_draft(&settling.versions.note, &text(draft))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn paste_into_draft(&mut self, pasted: &str) -> Result<(), BoxError> {
        let Screen::Settling(settling) = &mut self.screen else { return Ok(()) };
        if let Some(draft) = settling.draft.as_mut().filter(|_| !pasted.is_empty()) {
            draft.insert_str(pasted);
            self.conflicts.keep_draft(&settling.versions.note, &text(draft))?;
        }
        Ok(())
    }

    fn next_conflict(&mut self) {
        let Screen::Settling(settling) = &self.screen else { return };
        let at = self.unsettled.iter().position(|v| v.note == settling.versions.note);
        let next = self.unsettled.iter().cycle().nth(at.map_or(0, |at| at + 1));
        self.screen = next.map_or(Screen::List, |v| Screen::Settling(Box::new(Settling::of(v))));
    }

    /// Writes the choice down for the next sync, which begins now. If the versions are not those that
    /// the person saw, nothing is chosen, and what was typed becomes a note.
    fn choose(&mut self, choice: Choice) -> Result<(), BoxError> {
        let Screen::Settling(settling) = &self.screen else { return Ok(()) };
        let text = settling.draft.as_ref().map(text);
        if self.conflicts.choose(&settling.versions, &choice)? {
            self.order(SyncOptions::default());
            self.message = "settled with the next sync".to_owned();
        } else if let Some(text) = text {
            self.store.put(Note { id: new_id()?, text, edited: self.now })?;
            self.message = "a version changed meanwhile: what you wrote is a new note".to_owned();
        } else {
            self.message = "a version changed meanwhile: look again".to_owned();
        }
        self.screen = Screen::List;
        Ok(())
    }

    /// Shows the versions as they are now; what was typed stays.
    pub(super) fn follow_conflict(&mut self) {
        let Screen::Settling(settling) = &mut self.screen else { return };
        match self.unsettled.iter().find(|v| v.note == settling.versions.note) {
            Some(versions) => {
                if !settling.versions.is_same(versions) {
                    self.message = "a version changed meanwhile: look again".to_owned();
                }
                settling.versions.clone_from(versions);
            }
            None if settling.draft.is_none() => {
                self.screen = Screen::List;
                self.message = "this conflict is settled".to_owned();
            }
            None => {}
        }
    }
}
