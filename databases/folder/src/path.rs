//! Which ids can be paths of files in the folder.

use db_to_cloud::DocumentId;

use crate::error::FolderError;
use crate::windows_names;

/// The folder of the sync's own files. Nothing below one of this name is ever a document, at any
/// level: a folder inside that is synced on its own keeps its state to itself.
pub(crate) const STATE_DIR: &str = ".db-to-cloud";
/// The longest name of a file on the usual file systems.
pub(crate) const LONGEST_NAME: usize = 255;
/// The longest id, so that the path with the folder's own in front stays below 4096 bytes.
const LONGEST_PATH: usize = 3000;

/// The path of a document, relative to the folder.
///
/// - One or more segments with `/` between them: none of them empty, `.`, `..` or `.db-to-cloud`
///   in any case, none longer than 255 bytes.
/// - No NUL. A backslash is a character like any other.
/// - On Windows no name that it lacks: a backslash is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DocumentPath(String);

impl DocumentPath {
    /// The path that an id names.
    pub(crate) fn parse(id: &DocumentId) -> Result<Self, FolderError> {
        let unfit = |why| FolderError::Unfit { id: id.clone(), why };
        let text = id.as_str().ok_or_else(|| unfit("it is a number"))?;
        Self::check(text).map_err(unfit)?;
        Ok(Self(text.to_owned()))
    }

    /// The path with this text, if it can be a document's.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::check(text).ok().map(|()| Self(text.to_owned()))
    }

    fn check(text: &str) -> Result<(), &'static str> {
        if text.len() > LONGEST_PATH {
            return Err("it is too long");
        }
        if text.contains('\0') {
            return Err("it has a NUL character");
        }
        text.split('/').try_for_each(|segment| match segment {
            "" => Err("it is empty, absolute, or has an empty segment"),
            "." | ".." => Err("it has a segment `.` or `..`"),
            _ if is_reserved(segment) => Err("`.db-to-cloud` holds the state of the sync"),
            _ if segment.len() > LONGEST_NAME => Err("a segment is too long"),
            _ if cfg!(windows) => windows_names::why_not(segment).map_or(Ok(()), Err),
            _ => Ok(()),
        })
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path of the folder it is in; the empty text for the root.
    pub(crate) fn parent(&self) -> &str {
        parent(&self.0)
    }
}

/// The path without its last segment.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether this is the path of something in the folder, at any depth.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a file or folder of this name belongs to the sync.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.eq_ignore_ascii_case(STATE_DIR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_paths_are_documents() {
        let long = format!("a/{}", "x".repeat(255));
        for good in ["a", "a/b/c.md", ".hidden", "日本/é", "..a", "a b", &long] {
            let path = DocumentPath::parse(&DocumentId::from(good)).unwrap();
            assert_eq!(path.as_str(), good);
        }
        for odd in ["a\\b", "\n", "NUL", "a."] {
            assert_eq!(DocumentPath::from_text(odd).is_some(), cfg!(not(windows)), "{odd:?}");
        }
        let (longer, deep) = (long.clone() + "x", "a/".repeat(2000) + "a");
        let bad = [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "../a",
            "a/.",
            "a\0b",
            ".db-to-cloud",
            ".DB-to-Cloud/x",
            "a/.db-to-cloud/x",
            &longer,
            &deep,
        ];
        for bad in bad {
            let error = DocumentPath::parse(&DocumentId::from(bad)).unwrap_err();
            assert!(matches!(error, FolderError::Unfit { .. }), "{bad:?}");
        }
        assert!(DocumentPath::parse(&DocumentId::from(7)).is_err());
    }

    #[test]
    fn a_path_is_split_at_its_last_slash() {
        let path = DocumentPath::from_text("a/b/c").unwrap();
        assert_eq!((path.parent(), path.name()), ("a/b", "c"));
        let path = DocumentPath::from_text("c").unwrap();
        assert_eq!((path.parent(), path.name()), ("", "c"));
    }
}
