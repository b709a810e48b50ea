//! One note.

use std::fmt;

use db_to_cloud::Timestamp;

/// A note as it is edited: one text, whose first line is the title.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// The same on all devices: random.
    pub id: String,
    /// What it says.
    pub text: String,
    /// When it was last edited.
    pub edited: Timestamp,
}

impl Note {
    /// A note with this title and body.
    pub fn new(id: String, title: &str, body: &str, edited: Timestamp) -> Self {
        Self { id, text: joined(title, body), edited }
    }

    /// The first line and the rest.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_once('\n').unwrap_or((&self.text, ""))
    }

    /// The first line that says anything.
    pub fn title(&self) -> &str {
        let title = self.text.lines().map(str::trim).find(|line| !line.is_empty());
        title.unwrap_or("(empty)")
    }

    /// Whether these words are in it, in whatever case.
    pub fn has(&self, words: &str) -> bool {
        if words.is_empty() {
            return true;
        }
        let text = self.text.to_lowercase();
        words.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// Shows no text: it would end up in a log.
impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Note({}, {} bytes)", self.id, self.text.len())
    }
}

/// An id that no other device gives.
pub(crate) fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

fn joined(title: &str, body: &str) -> String {
    match body {
        "" => title.to_owned(),
        body => format!("{title}\n{body}"),
    }
}
