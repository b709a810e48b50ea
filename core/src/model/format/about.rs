//! What a storage is for (rule C6).

use serde::{Deserialize, Serialize};

/// What a storage is for, as the client that began it said; in its first entry. Other clients refuse a
/// storage for another kind of documents, or of another application.
///
/// ```
/// use db_to_cloud::format::About;
/// let about = About { app: Some("notes".into()), documents: Some("note-2".into()), ..About::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What the documents are, such as `files` or `rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The application whose documents they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The format of the documents, by the application's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<String>,
    /// A name of the storage, for people. It is never compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl About {
    /// The first thing that both say and that differs: what it is, what the storage says, and what this
    /// client says.
    pub(crate) fn contradiction<'a>(
        &'a self,
        own: &'a Self,
    ) -> Option<(&'static str, &'a str, &'a str)> {
        let pairs = [
            ("kind", &self.kind, &own.kind),
            ("application", &self.app, &own.app),
            ("document format", &self.documents, &own.documents),
        ];
        pairs.into_iter().find_map(|(what, theirs, own)| match (theirs, own) {
            (Some(theirs), Some(own)) if theirs != own => Some((what, &theirs[..], &own[..])),
            _ => None,
        })
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
