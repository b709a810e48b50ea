//! Screens as an SVG.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// A cell, in units of the picture.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
/// Around each screen, and above it for its name.
const MARGIN: f64 = 12.0;
const TITLE: f64 = 28.0;

const BACKGROUND: &str = "#1e1e2e";
const FOREGROUND: &str = "#cdd6f4";

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: &'static str,
    paper: &'static str,
    attributes: String,
}

/// Named screens, one below the other.
pub(crate) fn of(screens: &[(&str, Buffer)]) -> String {
    let columns = screens.iter().map(|(_, screen)| screen.area.width).max().unwrap_or(0);
    let width = f64::from(columns) * WIDTH + 4.0 * MARGIN;
    let (mut y, mut body) = (MARGIN, String::new());
    for (name, screen) in screens {
        let height = f64::from(screen.area.height) * HEIGHT + TITLE + MARGIN;
        let inner = width - 2.0 * MARGIN;
        let _ = write!(
            body,
            "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"{inner}\" height=\"{height}\" rx=\"8\" \
             fill=\"{BACKGROUND}\"/>\n<text x=\"{}\" y=\"{}\" fill=\"#9399b2\" \
             text-anchor=\"middle\">{name}</text>\n",
            width / 2.0,
            y + 19.0,
        );
        draw(&mut body, screen, 2.0 * MARGIN, y + TITLE);
        y += height + MARGIN;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" \
         font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"14\">\n{body}</svg>\n"
    )
}

/// Draws the runs of cells that look alike.
fn draw(out: &mut String, screen: &Buffer, left: f64, top: f64) {
    for row in 0..screen.area.height {
        let cells: Vec<&Cell> = (0..screen.area.width).map(|x| &screen[(x, row)]).collect();
        let mut x = 0;
        for run in cells.chunk_by(|a, b| look(a) == look(b)) {
            let at = (left + x as f64 * WIDTH, top + f64::from(row) * HEIGHT);
            draw_run(out, run, at);
            x += run.len();
        }
    }
}

fn draw_run(out: &mut String, run: &[&Cell], (x, y): (f64, f64)) {
    let Look { ink, paper, attributes } = look(run[0]);
    let width = run.len() as f64 * WIDTH;
    if paper != BACKGROUND {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" \
             fill=\"{paper}\"/>"
        );
    }
    let text: String = run.iter().map(|cell| cell.symbol()).collect();
    let indent = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    // A fixed length: fonts differ, columns do not.
    let length = text.chars().count() as f64 * WIDTH;
    let (x, y) = (x + indent as f64 * WIDTH, y + 13.5);
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{ink}\" textLength=\"{length:.1}\" \
         xml:space=\"preserve\"{attributes}>{}</text>",
        escaped(text)
    );
}

fn look(cell: &Cell) -> Look {
    let (mut ink, mut paper) = (color(cell.fg, FOREGROUND), color(cell.bg, BACKGROUND));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    let mut attributes = String::new();
    if cell.modifier.contains(Modifier::BOLD) {
        attributes += " font-weight=\"bold\"";
    }
    if cell.modifier.contains(Modifier::DIM) {
        attributes += " opacity=\"0.6\"";
    }
    Look { ink, paper, attributes }
}

fn color(color: Color, reset: &'static str) -> &'static str {
    match color {
        Color::Red => "#f38ba8",
        Color::Green => "#a6e3a1",
        Color::Yellow => "#f9e2af",
        Color::Magenta => "#f5a6e6",
        Color::Cyan => "#89dceb",
        Color::DarkGray => "#6c7086",
        _ => reset,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
