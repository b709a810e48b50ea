//! What the library tells of its doings.

use std::io::{self, Write};

/// Shows it on standard error: warnings with `-v`, each step with `-vv`.
pub(crate) fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::WARN,
        _ => tracing::Level::DEBUG,
    };
    // Without colours: each escape sequence is then one of a name.
    let lines = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    lines.with_writer(|| Lines).init();
}

/// Writes lines in which names show what they hide. Each call is one event, which ends with a line break.
struct Lines;

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(shown(event).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn shown(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
    super::harmless(text) + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(shown("a \u{202e}\nerror: b\n".as_bytes()), "a \\u{202e}\\nerror: b\n");
    }
}
