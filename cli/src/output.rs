//! The one place that writes to the terminal.

mod hidden;
mod log;
mod passwords;

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use crate::failure::Failure;
use hidden::is_hidden;

pub(crate) use log::trace;
pub(crate) use passwords::without_passwords;

/// A line of the result, on standard output.
pub(crate) fn result(line: impl Display) -> Result<(), Failure> {
    print(&harmless(&line.to_string()))
}

fn print(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::io("write to standard output")),
    }
}

/// A result for scripts: one line of JSON on standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(io::Error::other);
    print(&escaped_json(&text.map_err(Failure::io("write the report as JSON"))?))
}

/// A line for people, on standard error.
pub(crate) fn note(line: impl Display) {
    // If nobody can read it, nobody can be told so either.
    let _ = writeln!(io::stderr(), "{}", harmless(&line.to_string()));
}

/// A question, on standard error; the answer is typed on the same line.
pub(crate) fn prompt(text: impl Display) {
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{}", harmless(&text.to_string())).and_then(|()| stderr.flush());
}

/// Names come from other devices: what a terminal would obey is shown instead.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        match is_hidden(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
        shown
    })
}

/// The same for JSON, which has an escape of its own. Outside of strings it has no such characters.
fn escaped_json(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        match is_hidden(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }),
            false => shown.push(c),
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_command_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\nc\u{9b}ü"), "a\\u{1b}[2Jb\\nc\\u{9b}ü");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let hidden = [
            '\u{202e}',
            '\u{2066}',
            '\u{200f}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{feff}',
            '\u{ad}',
            '\u{2060}',
            '\u{e0041}',
            '\u{fe0f}',
            '\u{3164}',
            '\u{180e}',
            '\u{7f}',
        ];
        for c in hidden {
            assert_eq!(harmless(&c.to_string()), format!("\\u{{{:x}}}", u32::from(c)));
        }
        let plain = "é e\u{301} 日本 عربي עברית हिन्दी 😀 – “x”";
        assert_eq!(harmless(plain), plain);
    }

    #[test]
    fn json_stays_what_it_says() {
        let text = "a\u{9b}\u{202e}\u{e0041}\u{7f}\n\\\"";
        let json = escaped_json(&serde_json::to_string(text).unwrap());
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
