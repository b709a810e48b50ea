//! A conflict: both versions side by side, and below them what the person makes of both.

use std::collections::HashSet;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Stylize};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Wrap};
use similar::{ChangeTag, TextDiff};

use super::pane;
use crate::app::{App, Settling};
use crate::note::Note;
use crate::status::ago;

impl App {
    pub(super) fn draw_settling(&self, frame: &mut Frame<'_>, area: Rect, settling: &Settling) {
        let rows = match &settling.draft {
            None => [Constraint::Fill(1), Constraint::Length(0)],
            Some(_) => [Constraint::Fill(1), Constraint::Fill(1)],
        };
        let [versions, below] = Layout::vertical(rows).areas(area);
        let columns = [Constraint::Fill(1), Constraint::Fill(1)];
        let [left, right] = Layout::horizontal(columns).areas(versions);
        let (mine, theirs) = (settling.versions.mine(), settling.versions.theirs());
        let is_active = settling.draft.is_none();
        let draw = |frame: &mut Frame<'_>, area, title, text: Text<'static>| {
            let text = Paragraph::new(text).wrap(Wrap { trim: false });
            let text = text.scroll((settling.scroll, 0)).block(pane(title, is_active));
            frame.render_widget(text, area);
        };
        let text = |side| marked(side, mine.as_ref(), theirs.as_ref());
        draw(frame, left, self.mine_title(mine.as_ref()), text(ChangeTag::Delete));
        draw(frame, right, self.theirs_title(settling), text(ChangeTag::Insert));
        if let Some(draft) = &settling.draft {
            let block = pane(" made of both ".to_owned(), true);
            frame.render_widget(draft, block.inner(below));
            frame.render_widget(block, below);
        }
    }

    fn mine_title(&self, mine: Option<&Note>) -> String {
        match mine {
            Some(note) => format!(" 1: here, edited {} ", ago(note.edited, self.now)),
            None => " 1: here ".to_owned(),
        }
    }

    fn theirs_title(&self, settling: &Settling) -> String {
        let device = settling.versions.device.as_deref().unwrap_or("another device");
        match settling.versions.time {
            Some(time) => format!(" 2: {device}, synced {} ", ago(time, self.now)),
            None => format!(" 2: {device} "),
        }
    }
}

/// The text of one side; the lines that the other has not stand out.
fn marked(side: ChangeTag, mine: Option<&Note>, theirs: Option<&Note>) -> Text<'static> {
    let note = if side == ChangeTag::Delete { mine } else { theirs };
    let Some(note) = note else { return Text::from("deleted".red().italic()) };
    let text = |note: Option<&Note>| note.map_or(String::new(), |note| note.text.clone() + "\n");
    let (mine, theirs) = (text(mine), text(theirs));
    let diff = TextDiff::from_lines(mine.as_str(), theirs.as_str());
    let own = diff.iter_all_changes().filter(|change| change.tag() == side);
    let index = |change: similar::Change<&str>| match side {
        ChangeTag::Delete => change.old_index(),
        _ => change.new_index(),
    };
    let own: HashSet<usize> = own.filter_map(index).collect();
    let color = if side == ChangeTag::Delete { Color::Yellow } else { Color::Magenta };
    let lines = note.text.split('\n').enumerate().map(|(at, line)| {
        let line = Line::from(line.to_owned());
        if own.contains(&at) { line.fg(color) } else { line }
    });
    lines.collect()
}
