//! How the program looks.

mod settling;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Clear, List, ListItem, ListState, Paragraph, Wrap};

use crate::app::{App, Screen};
use crate::status::{Mood, ago};

impl App {
    /// Draws all of it.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let line = self.status_line();
        // What went wrong is told in full, if it is not a novel.
        let lines = line.width().div_ceil(usize::from(frame.area().width).max(1)).clamp(1, 3);
        let rows = [Constraint::Min(3), Constraint::Length(1), Constraint::Length(lines as u16)];
        let [main, hints, status] = Layout::vertical(rows).areas(frame.area());
        match &self.screen {
            Screen::Settling(settling) => self.draw_settling(frame, main, settling),
            _ => self.draw_notes(frame, main),
        }
        frame.render_widget(Line::from(self.hints()).dim(), hints);
        frame.render_widget(Paragraph::new(line).wrap(Wrap { trim: false }), status);
        if let Screen::Question(question, _) = &self.screen {
            draw_question(frame, main, question);
        }
    }

    fn draw_notes(&self, frame: &mut Frame<'_>, area: Rect) {
        let columns = [Constraint::Percentage(34), Constraint::Fill(1)];
        let [list, note] = Layout::horizontal(columns).areas(area);
        self.draw_list(frame, list);
        match &self.screen {
            Screen::Editor(editor) => {
                let title = if editor.is_gone {
                    " deleted on another device: type to keep it ".to_owned()
                } else {
                    " editing ".to_owned()
                };
                let block = pane(title, true);
                frame.render_widget(&editor.area, block.inner(note));
                frame.render_widget(block, note);
            }
            _ => self.draw_note(frame, note),
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect) {
        let notes = self.visible().map(|note| {
            let is_contested = self.unsettled.iter().any(|v| v.note == note.id);
            let mark = if is_contested { "! ".red().bold() } else { Span::raw("  ") };
            ListItem::new(Line::from(vec![mark, Span::raw(note.title())]))
        });
        let at = self.visible().position(|note| Some(&note.id) == self.selected.as_ref());
        let title = match (self.search.as_str(), &self.screen) {
            (words, Screen::Search) => format!(" /{words}▏"),
            ("", _) if self.notes.len() == 1 => " 1 note ".to_owned(),
            ("", _) => format!(" {} notes ", self.notes.len()),
            (words, _) => format!(" /{words} "),
        };
        let is_active = !matches!(self.screen, Screen::Editor(_));
        let list = List::new(notes).block(pane(title, is_active));
        let list = list.highlight_style(Style::new().add_modifier(Modifier::REVERSED));
        frame.render_stateful_widget(list, area, &mut ListState::default().with_selected(at));
    }

    fn draw_note(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(note) = self.current() else {
            let empty = Paragraph::new("no note yet: n writes one").dim();
            return frame.render_widget(empty.block(pane(String::new(), false)), area);
        };
        let title = format!(" edited {} ", ago(note.edited, self.now));
        let text = Paragraph::new(note.text.as_str()).wrap(Wrap { trim: false });
        frame.render_widget(text.block(pane(title, false)), area);
    }

    /// What the keys do.
    fn hints(&self) -> &'static str {
        match &self.screen {
            Screen::List => {
                " n new  Enter edit  d delete  u undo  / search  c conflicts  s sync  q quit"
            }
            Screen::Search => " type words  Enter to the list  Esc all notes",
            Screen::Editor(_) => " Esc back  Ctrl-U undo  Ctrl-R redo  all is saved as you type",
            Screen::Settling(settling) if settling.draft.is_some() => {
                " Ctrl-S settle with this text  Esc back to both versions"
            }
            Screen::Settling(_) => {
                " 1 keep left  2 keep right  b keep both  e make one of both  Tab next  Esc later"
            }
            Screen::Question(..) => " y yes  n not now",
        }
    }

    fn status_line(&self) -> Line<'_> {
        let (line, mood) = self.status.line(self.now);
        let color = match mood {
            Mood::Good => Color::Green,
            Mood::Busy => Color::Cyan,
            Mood::Waiting => Color::Yellow,
            Mood::Stuck => Color::Red,
        };
        let mut spans = vec![Span::styled(" ● ", color), Span::raw(line)];
        match self.unsettled.len() {
            0 => {}
            1 => spans.push("  1 conflict to settle (c)".red().bold()),
            count => spans.push(format!("  {count} conflicts to settle (c)").red().bold()),
        }
        if !self.message.is_empty() {
            spans.push(Span::raw(format!("  {}", self.message)).yellow());
        }
        Line::from(spans)
    }
}

/// A frame; the active one stands out.
fn pane(title: String, is_active: bool) -> Block<'static> {
    let color = if is_active { Color::Cyan } else { Color::DarkGray };
    Block::bordered().border_type(BorderType::Rounded).border_style(color).title(title)
}

fn draw_question(frame: &mut Frame<'_>, area: Rect, question: &str) {
    let area = area.centered(Constraint::Percentage(80), Constraint::Length(9));
    let lines = ["The sync stopped before it changed anything:", "", question, "", "Go on?  y / n"];
    let text = Text::from_iter(lines);
    let text = Paragraph::new(text).wrap(Wrap { trim: true });
    frame.render_widget(Clear, area);
    frame.render_widget(text.block(pane(" the sync asks ".to_owned(), true)), area);
}
