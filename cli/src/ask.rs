//! Asks on the terminal who wins.

use std::io::{self, IsTerminal};

use db_to_cloud::{Conflict, Document, Timestamp};
use tokio::sync::oneshot;

use crate::output;

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Local,
    Remote,
    Both,
    Later,
}

/// So many characters of a row are shown.
const ROW: usize = 1000;

/// Whether there is anybody to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What is shown of a conflict.
pub(crate) fn question(
    conflict: &Conflict,
    device: &str,
    modified: Option<Timestamp>,
    is_row: bool,
) -> [String; 3] {
    let remote = conflict.remote_device.as_deref().unwrap_or("another device");
    let row = |document: &Option<Document>| match document {
        Some(document) if is_row => format!(": {}", shortened(&document.bytes)),
        _ => String::new(),
    };
    [
        format!("conflict: {}", conflict.id),
        version("local ", device, conflict.local.as_ref(), "edited", modified)
            + &row(&conflict.local),
        version("remote", remote, conflict.remote.as_ref(), "synced", conflict.remote_time)
            + &row(&conflict.remote),
    ]
}

/// What a row holds, as far as it fits: who decides must see what differs.
fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(ROW) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn version(
    side: &str,
    device: &str,
    document: Option<&Document>,
    event: &str,
    time: Option<Timestamp>,
) -> String {
    let what = document
        .map_or_else(|| "deleted".to_owned(), |document| format!("{} bytes", document.bytes.len()));
    let when = match time {
        Some(time) if document.is_some() || event == "synced" => format!(", {event} {time}"),
        _ => String::new(),
    };
    format!("  {side}  on {device:?}: {what}{when}")
}

/// Asks until there is an answer; the end of the input means later.
pub(crate) async fn ask(question: [String; 3], both: bool) -> Answer {
    question.iter().for_each(output::note);
    let choices = if both { "[l]ocal, [r]emote, [b]oth" } else { "[l]ocal, [r]emote" };
    while let Some(line) = line(format!("keep {choices}, or decide [L]ater? ")).await {
        if let Some(answer) = read(line.trim(), both) {
            return answer;
        }
    }
    Answer::Later
}

/// Asks for a line; `None` at the end of the input.
pub(crate) async fn line(prompt: String) -> Option<String> {
    let (sender, answer) = oneshot::channel();
    // A thread of its own: the runtime does not wait for it when the sync is interrupted.
    std::thread::spawn(move || {
        output::prompt(prompt);
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        // Nobody waits if the sync was interrupted.
        let _ = sender.send(matches!(read, Ok(1..)).then_some(line));
    });
    answer.await.ok().flatten()
}

/// Asks a question that only `y` or `yes` answers with yes.
pub(crate) async fn is_agreed(question: String) -> bool {
    line(question).await.is_some_and(|answer| matches!(answer.trim(), "y" | "yes"))
}

fn read(line: &str, both: bool) -> Option<Answer> {
    match line {
        "l" | "local" => Some(Answer::Local),
        "r" | "remote" => Some(Answer::Remote),
        "b" | "both" if both => Some(Answer::Both),
        "L" | "later" => Some(Answer::Later),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_is_an_answer() {
        assert_eq!(read("local", true), Some(Answer::Local));
        assert_eq!(read("L", true), Some(Answer::Later));
        assert_eq!(read("b", false), None, "one side is deleted");
        assert_eq!(read("", true), None);
        assert_eq!(read("yes", true), None);
    }
}
