//! One note in the editor. Each key is a transaction, so that nothing is ever unsaved; and each key is
//! typed into what the database has, so that nothing which came by the sync is overwritten unseen.

use db_to_cloud::{BoxError, Timestamp};
use ratatui::style::Style;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use super::{App, Screen};
use crate::note::Note;

/// A note that is being edited.
#[derive(Debug)]
pub(crate) struct Editor {
    pub id: String,
    pub area: TextArea<'static>,
    /// The text in the database as it was last seen; `None` if there was none.
    saved: Option<String>,
    /// Somebody else deleted it. The next edit makes it anew.
    pub is_gone: bool,
}

impl Editor {
    /// For a note that is not written yet.
    pub(super) fn new(id: String) -> Self {
        Self { id, area: area(""), saved: None, is_gone: false }
    }

    pub(super) fn of(note: &Note) -> Self {
        let (area, saved) = (area(&note.text), Some(note.text.clone()));
        Self { id: note.id.clone(), area, saved, is_gone: false }
    }

    /// Shows what became of the note, such as by the sync.
    pub(super) fn follow(&mut self, note: Option<&Note>, now: Timestamp) {
        let there = note.map(|note| note.text.clone());
        if there == self.saved {
            return;
        }
        if self.is_unsaved() {
            // The disk was full, and then somebody else wrote: two notes are better than one.
            self.id = format!("{}-{}", self.id, now.as_millis());
            self.saved = None;
            return;
        }
        self.is_gone = there.is_none();
        if let Some(text) = &there {
            let cursor = self.area.cursor();
            let index = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
            self.area = area(text);
            self.area.move_cursor(CursorMove::Jump(index(cursor.0), index(cursor.1)));
        }
        self.saved = there;
    }

    /// Whether the last write failed.
    pub(super) fn is_unsaved(&self) -> bool {
        !self.is_gone && self.written().text != self.saved.as_deref().unwrap_or_default()
    }

    /// The note as it is typed, as it would be read again.
    fn written(&self) -> Note {
        let text = text(&self.area);
        let (title, body) = text.split_once('\n').unwrap_or((&text, ""));
        Note::new(self.id.clone(), title, body, Timestamp::default())
    }
}

impl App {
    /// Something is typed into the editor: it answers whether that changed the text.
    pub(super) fn type_in(
        &mut self,
        input: impl FnOnce(&mut TextArea<'static>) -> bool,
    ) -> Result<(), BoxError> {
        let (Screen::Editor(editor), now) = (&mut self.screen, self.now) else { return Ok(()) };
        self.store.edit(&editor.id.clone(), |note| {
            editor.follow(note.as_ref(), now);
            editor.is_gone &= !input(&mut editor.area);
            editor.is_unsaved().then(|| Note { edited: now, ..editor.written() })
        })?;
        if editor.is_unsaved() {
            editor.saved = Some(editor.written().text);
        }
        self.selected = Some(editor.id.clone());
        Ok(())
    }

    /// Writes what could not be written before, if anything, and leaves the editor.
    pub(super) fn close_editor(&mut self) -> Result<(), BoxError> {
        if matches!(&self.screen, Screen::Editor(editor) if editor.is_unsaved()) {
            self.type_in(|_| false)?;
        }
        self.screen = Screen::List;
        Ok(())
    }
}

/// An area with this text, the cursor at its end.
pub(super) fn area(text: &str) -> TextArea<'static> {
    let mut area: TextArea<'static> = text.split('\n').map(str::to_owned).collect();
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    area.set_cursor_line_style(Style::new());
    area.move_cursor(CursorMove::Bottom);
    area.move_cursor(CursorMove::End);
    area
}

/// The text of an area.
pub(super) fn text(area: &TextArea<'_>) -> String {
    area.lines().join("\n")
}
