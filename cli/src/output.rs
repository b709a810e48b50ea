//! The one place that writes to the terminal.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;

/// A line of the result, on standard output.
pub(crate) fn result(line: impl Display) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{}", harmless(&line.to_string())) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::io("write to standard output")),
    }
}

/// A result for scripts: one line of JSON on standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(io::Error::other);
    result(text.map_err(Failure::io("write the report as JSON"))?)
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
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
        shown
    })
}

/// Shows what the library tells of its doings: warnings with `-v`, each step with `-vv`.
pub(crate) fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::WARN,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_command_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\nc\u{9b}ü"), "a\\u{1b}[2Jb\\nc\\u{9b}ü");
    }
}
