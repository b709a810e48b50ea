//! What an application says of a table that is to be synced.

/// A table of the application's database that is synced.
///
/// # Its documents
/// Each row is a document, a JSON object of its columns without those of the id, sorted by name:
/// `{"done":0,"text":"milk"}`. Names are in lower case, as SQLite does not tell them apart.
///
/// | SQLite | JSON |
/// |---|---|
/// | NULL | `null` |
/// | INTEGER | a number without fraction and exponent, beyond 2^53 too |
/// | REAL | a number with a fraction or an exponent, the shortest that is read as the same |
/// | REAL, infinite | `{"real":"inf"}`, `{"real":"-inf"}` |
/// | TEXT | a string |
/// | TEXT that is not UTF-8 | `{"text":"<base64>"}` |
/// | BLOB | `{"blob":"<base64>"}` |
///
/// The id is the text of a JSON array of the table's name, in lower case, and the values of the id
/// columns, such as `["notes",7]`.
///
/// # Which tables can be synced
/// Those with a primary key, or with other columns that are `UNIQUE`: the rowid alone does not
/// survive a `VACUUM`. An id MUST be unique among all devices: a random one, not a number that each
/// device counts by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Table {
    pub(crate) name: String,
    pub(crate) id: Option<Vec<String>>,
    pub(crate) revision: Option<String>,
    pub(crate) columns: Option<Vec<String>>,
}

impl Table {
    /// A table: its primary key is the id, all its columns but generated ones are synced.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), id: None, revision: None, columns: None }
    }

    /// The columns that name a row on all devices. They must be the primary key or `UNIQUE`.
    pub fn with_id<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.id = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// The column that the application counts up with each edit. Its value then begins the
    /// [revision](db_to_cloud::Revision), which ends with the hash of the row in any case: an edit
    /// that forgets to count, such as one by hand, is none the less an edit.
    pub fn with_revision(mut self, column: impl Into<String>) -> Self {
        self.revision = Some(column.into());
        self
    }

    /// Syncs these columns only; the others belong to this device.
    pub fn with_columns<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }
}

impl From<&str> for Table {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Table {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}
