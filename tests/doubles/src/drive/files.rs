//! What Drive holds: files by id, issued ids, and the list of changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::answers;
use crate::Answer;

/// The two spaces an application can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// What the user sees.
    Drive,
    /// The hidden folder of the application.
    AppData,
}

impl Space {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Drive => "drive",
            Self::AppData => "appDataFolder",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        [Self::Drive, Self::AppData].into_iter().find(|space| space.name() == name)
    }

    /// The id of its top folder.
    pub(super) fn top(self) -> &'static str {
        match self {
            Self::Drive => "0AJ-the-root-of-My-Drive",
            Self::AppData => "1A-the-folder-of-the-app-data",
        }
    }
}

pub(super) const FOLDER: &str = "application/vnd.google-apps.folder";

/// One file or folder.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) mime_type: String,
    pub(super) parent: String,
    pub(super) space: Space,
    pub(super) app_properties: Value,
    /// `None` of a folder.
    pub(super) content: Option<Bytes>,
    /// MD5 and SHA-256 of the content.
    sums: (String, String),
    pub(super) created: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) version: u64,
    pub(super) trashed: bool,
    /// When the indexes hear of it, and of its end.
    pub(super) born: Instant,
    pub(super) died: Option<Instant>,
}

/// What a client says of a file that it makes or changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) mime_type: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) app_properties: Option<Value>,
    pub(super) trashed: Option<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Files {
    /// Also those that were deleted: their ids stay in use.
    pub(super) all: BTreeMap<String, File>,
    issued: BTreeMap<String, Space>,
    /// The file and the space, oldest first. The page token is the place in it.
    pub(super) changes: Vec<(String, Space)>,
    pub(super) name_lag: Duration,
    pub(super) list_lag: Duration,
    last_created: Option<SystemTime>,
}

impl Files {
    pub(super) fn issue(&mut self, space: Space, count: usize) -> Vec<String> {
        let random = || crate::tokens::random("1")[..33].to_owned();
        let ids: Vec<_> = (0..count).map(|_| random()).collect();
        self.issued.extend(ids.iter().map(|id| (id.clone(), space)));
        ids
    }

    /// A file that is there, in a space that the token covers.
    pub(super) fn get(&self, id: &str, spaces: &[Space]) -> Result<&File, Answer> {
        let file = self.all.get(id).filter(|file| file.died.is_none());
        file.filter(|file| spaces.contains(&file.space)).ok_or_else(|| answers::not_found(id))
    }

    /// Whether a file could be made so now.
    pub(super) fn check_new(&self, new: &Metadata, spaces: &[Space]) -> Result<Space, Answer> {
        let (space, _) = self.parent(new, spaces)?;
        match &new.id {
            Some(id) if self.all.contains_key(id) => Err(answers::id_in_use()),
            Some(id) if self.issued.get(id) != Some(&space) => Err(answers::id_not_issued()),
            _ => Ok(space),
        }
    }

    /// Makes a file, or says why not.
    pub(super) fn create(
        &mut self,
        new: Metadata,
        content: Option<(Bytes, String)>,
        spaces: &[Space],
    ) -> Result<File, Answer> {
        let space = self.check_new(&new, spaces)?;
        let (_, parent) = self.parent(&new, spaces)?;
        let id = new.id.unwrap_or_else(|| self.issue(space, 1).remove(0));
        let is_folder = new.mime_type.as_deref() == Some(FOLDER);
        let (content, kind) = content.unwrap_or_default();
        // The service's clock never gives one millisecond to two files of a user.
        let now = SystemTime::now();
        let next = self.last_created.map(|last| last + Duration::from_millis(1));
        let now = next.map_or(now, |next| next.max(now));
        self.last_created = Some(now);
        let file = File {
            id: id.clone(),
            name: new.name.unwrap_or_else(|| "Untitled".to_owned()),
            mime_type: new.mime_type.unwrap_or(kind),
            parent,
            space,
            app_properties: new.app_properties.unwrap_or(json!({})),
            sums: sums(&content),
            content: (!is_folder).then_some(content),
            created: now,
            modified: now,
            version: 1,
            trashed: false,
            born: Instant::now(),
            died: None,
        };
        self.changes.push((id.clone(), space));
        self.all.insert(id, file.clone());
        Ok(file)
    }

    fn parent(&self, new: &Metadata, spaces: &[Space]) -> Result<(Space, String), Answer> {
        let parent = match new.parent.as_deref() {
            None | Some("root") => Space::Drive.top(),
            Some("appDataFolder") => Space::AppData.top(),
            Some(id) => id,
        };
        let top = [Space::Drive, Space::AppData].into_iter().find(|space| space.top() == parent);
        let space = match top {
            Some(space) if spaces.contains(&space) => space,
            Some(_) => return Err(answers::insufficient_scopes()),
            None => self.get(parent, spaces)?.space,
        };
        Ok((space, parent.to_owned()))
    }

    /// Changes metadata, content, or both. Preconditions in headers are ignored, as Drive v3 does.
    pub(super) fn update(
        &mut self,
        id: &str,
        new: Metadata,
        content: Option<(Bytes, String)>,
        spaces: &[Space],
    ) -> Result<File, Answer> {
        let space = self.get(id, spaces)?.space;
        let file = self.all.get_mut(id).ok_or_else(|| answers::not_found(id))?;
        file.name = new.name.unwrap_or_else(|| file.name.clone());
        file.mime_type = new.mime_type.unwrap_or_else(|| file.mime_type.clone());
        file.trashed = new.trashed.unwrap_or(file.trashed);
        if let Some((content, _)) = content {
            (file.sums, file.content) = (sums(&content), Some(content));
        }
        // It rises, and not by one.
        file.version += 3;
        file.modified = SystemTime::now();
        let file = file.clone();
        self.changes.push((id.to_owned(), space));
        Ok(file)
    }

    /// Deletes for good, with all that is in it.
    pub(super) fn delete(&mut self, id: &str, spaces: &[Space]) -> Result<(), Answer> {
        let space = self.get(id, spaces)?.space;
        let inside: Vec<_> = self.all.values().filter(|file| file.parent == id).cloned().collect();
        for file in inside.iter().filter(|file| file.died.is_none()) {
            self.delete(&file.id, spaces)?;
        }
        if let Some(file) = self.all.get_mut(id) {
            (file.died, file.content) = (Some(Instant::now()), None);
        }
        self.changes.push((id.to_owned(), space));
        Ok(())
    }

    /// Whether something in the bin holds it, too.
    pub(super) fn is_trashed(&self, file: &File) -> bool {
        file.trashed || self.all.get(&file.parent).is_some_and(|parent| self.is_trashed(parent))
    }

    /// All that Drive tells of a file.
    pub(super) fn describe(&self, file: &File) -> Value {
        let time = |time| humantime::format_rfc3339_millis(time).to_string();
        let mut described = json!({
            "kind": "drive#file",
            "id": file.id,
            "name": file.name,
            "mimeType": file.mime_type,
            "parents": [file.parent],
            "spaces": [file.space.name()],
            // A 64-bit number is a string in Google's JSON.
            "version": file.version.to_string(),
            "createdTime": time(file.created),
            "modifiedTime": time(file.modified),
            "trashed": self.is_trashed(file),
            "appProperties": file.app_properties,
        });
        if let Some(content) = &file.content {
            described["size"] = content.len().to_string().into();
            described["md5Checksum"] = file.sums.0.clone().into();
            described["sha256Checksum"] = file.sums.1.clone().into();
            described["headRevisionId"] = format!("0B{}", file.version).into();
        }
        described
    }
}

fn sums(content: &[u8]) -> (String, String) {
    (hex::encode(Md5::digest(content)), hex::encode(sha2::Sha256::digest(content)))
}

impl Metadata {
    /// Reads the JSON of a request. A field that this double does not know is refused, for its effect
    /// would be missing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Answer> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else {
            return Err(answers::bad("body", "Parse Error"));
        };
        let mut new = Self::default();
        for (name, value) in fields {
            let text = value.as_str().map(str::to_owned);
            match name.as_str() {
                "id" => new.id = text,
                "name" => new.name = text,
                "mimeType" => new.mime_type = text,
                "appProperties" => new.app_properties = Some(value),
                "trashed" => new.trashed = value.as_bool(),
                "parents" => match value.as_array().map(Vec::as_slice) {
                    Some([Value::String(parent)]) => new.parent = Some(parent.clone()),
                    _ => return Err(answers::bad("parents", "A file has one parent.")),
                },
                _ => return Err(answers::bad(&name, "This double does not know the field.")),
            }
        }
        Ok(new)
    }
}
