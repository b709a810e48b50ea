//! What lies in the folder and is not synced.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// Something in the folder that is not a document, for those who wonder why it is not synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, relative to the folder.
    pub path: PathBuf,
    /// Why it is not a document.
    pub reason: SkipReason,
}

/// Why something in the folder was skipped. What a pattern ignores is reported on demand only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is a symbolic link, and those are not followed.
    SymbolicLink,
    /// It is a socket, a pipe or a device.
    Special,
    /// Its name is not UTF-8.
    NotUtf8,
    /// Its name is kept for the sync's own files, or its path is too long.
    Reserved,
    /// It is a folder with the files of a storage of db-to-cloud, which are left out. Its other files are
    /// documents.
    Storage,
    /// It is a folder that could not be read. The documents below it are not taken for deleted.
    Unreadable(String),
    /// It is an ignore file that came from the storage and has no effect here until it is accepted
    /// ([`accept_patterns`](crate::FolderDatabase::accept_patterns)).
    NotAccepted,
    /// A pattern keeps it in that an ignore file from the storage, which was not accepted, lacks.
    KeptIn(String),
    /// This pattern of an ignore file leaves it out. Only [`ignored`](crate::FolderDatabase::ignored) lists it.
    Ignored(String),
    /// It is not in the selection of this device. Only [`ignored`](crate::FolderDatabase::ignored) lists it.
    Excluded,
}

impl SkipReason {
    /// The word for it, for scripts. It does not change in later versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SymbolicLink => "symbolic-link",
            Self::Special => "special",
            Self::NotUtf8 => "not-utf8",
            Self::Reserved => "reserved",
            Self::Storage => "storage",
            Self::Unreadable(_) => "unreadable",
            Self::NotAccepted => "not-accepted",
            Self::KeptIn(_) => "kept-in",
            Self::Ignored(_) => "ignored",
            Self::Excluded => "excluded",
        }
    }

    /// Whether a person has to act, as a file of theirs stays on this device only. Links, pipes and devices
    /// are never synced, and the files of a storage are none of the person's.
    pub fn needs_look(&self) -> bool {
        match self {
            Self::NotUtf8 | Self::Reserved | Self::Unreadable(_) | Self::KeptIn(_) => true,
            Self::SymbolicLink
            | Self::Special
            | Self::Storage
            | Self::NotAccepted
            | Self::Ignored(_)
            | Self::Excluded => false,
        }
    }
}

/// A path as text that loses nothing: one that is UTF-8 as it is; in any other one each byte that is not
/// UTF-8 is shown as `\xE9`, and each backslash as two.
pub fn path_text(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(escaped(path.as_os_str().as_encoded_bytes())),
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
        text
    })
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SymbolicLink => f.write_str("a symbolic link"),
            Self::Special => f.write_str("a socket, a pipe or a device"),
            Self::NotUtf8 => f.write_str("its name is not UTF-8"),
            Self::Reserved => f.write_str("its name is reserved or its path is too long"),
            Self::Storage => f.write_str("the files of a storage of db-to-cloud in it"),
            Self::Unreadable(why) => write!(f, "a folder that cannot be read: {why}"),
            Self::NotAccepted => f.write_str(
                "patterns that came from another device, which have no effect here until they are accepted",
            ),
            Self::KeptIn(rule) => write!(
                f,
                "kept in by {rule}; patterns that came from another device and were not accepted would let it out"
            ),
            Self::Excluded => f.write_str("not in the selection of this device"),
            Self::Ignored(rule) => write!(f, "left out by {rule}"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", path_text(&self.path), self.reason)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn names_that_are_no_text_are_shown_differently_if_they_differ() {
        let text = |bytes: &'static [u8]| path_text(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(text("a\\b/ü".as_bytes()), "a\\b/ü");
        assert_eq!(text(b"d\xe9/caf\xe9.txt"), r"d\xE9/caf\xE9.txt");
        assert_eq!(text(b"\xff\\xFF"), r"\xFF\\xFF");
        let skipped =
            Skipped { path: OsStr::from_bytes(b"\xe9").into(), reason: SkipReason::NotUtf8 };
        assert_eq!(skipped.to_string(), r"\xE9: its name is not UTF-8");
    }
}
