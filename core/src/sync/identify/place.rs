//! Rule S11: what lies where a new storage is to be begun.

use super::Identify;
use crate::model::LogPosition;
use crate::model::{Divergence, Error, ErrorKind, Folder, Key};
use crate::sync::anchor::diverged;

/// The number of names that are looked at in each folder.
const LOOK: usize = 100;
/// The number of names in an error.
const SAID: usize = 3;

const NOT_OURS: &str = "they are not of this program, at places that it uses";

/// What was seen.
#[derive(Default)]
struct Seen {
    /// Objects at places of ours that are not ours.
    foreign: Vec<String>,
    /// Objects beside ours.
    beside: Vec<String>,
    /// Entries or snapshots of a log whose first entry is gone.
    is_log: bool,
}

impl Identify<'_> {
    /// Slot 1 is absent: whether a storage may be begun here.
    pub(super) async fn check_place(&self, position: &LogPosition) -> Result<(), Error> {
        let options = &self.cx.options;
        let seen = self.survey().await?;
        if !seen.foreign.is_empty() {
            return Err(foreign(&seen.foreign, NOT_OURS));
        }
        if seen.is_log && !options.go_on && !options.accept_remote {
            return Err(diverged(position, Divergence::LogLost));
        }
        if !seen.beside.is_empty() && !options.go_on && !options.accept_remote {
            return Err(foreign(
                &seen.beside,
                "a storage needs a place of its own, without other files",
            ));
        }
        Ok(())
    }

    /// Slot 1 cannot be read: it is damaged, or another program's.
    pub(super) async fn check_first_slot(&self) -> Result<(), Error> {
        let key = Key::change(1);
        let start = self.cx.client.storage.read_start(&key, 64).await?;
        let text = start.map(|(start, _)| String::from_utf8_lossy(&start).trim_start().to_owned());
        let is_foreign = text.is_some_and(|text| {
            let is_json = text.starts_with(['{', '[']);
            is_json && !text.replace(' ', "").starts_with("{\"format\"")
        });
        if !is_foreign {
            return Ok(());
        }
        // If all else is ours, it is a damaged entry of ours.
        let seen = self.survey().await?;
        match seen.foreign.is_empty() {
            true => Ok(()),
            false => Err(foreign(&seen.foreign, NOT_OURS)),
        }
    }

    /// Whether anything but the log is left of a storage.
    pub(super) async fn is_any_left(&self) -> Result<bool, Error> {
        for folder in [Folder::Documents, Folder::Snapshots, Folder::Changes] {
            if !self.cx.client.storage.names(Some(folder), 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn survey(&self) -> Result<Seen, Error> {
        let storage = &self.cx.client.storage;
        let mut seen = Seen::default();
        for name in storage.names(None, LOOK).await? {
            let folders = [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe];
            let folder = folders.into_iter().find(|f| name.strip_suffix('/') == Some(f.name()));
            match folder {
                Some(folder) => self.survey_folder(folder, &mut seen).await?,
                None if name == "lock.json" || is_of_the_system(&name) => {}
                None if name == "meta.json" => {
                    if !self.is_our_hint().await? {
                        seen.foreign.push(name);
                    }
                }
                None => seen.beside.push(name),
            }
        }
        Ok(seen)
    }

    async fn survey_folder(&self, folder: Folder, seen: &mut Seen) -> Result<(), Error> {
        for name in self.cx.client.storage.names(Some(folder), LOOK).await? {
            let key = folder.key(&name).ok();
            // Slot 1 is absent: a name of it is a claim, whose entry is not there yet, or never came.
            let is_claim = key == Some(Key::change(1));
            let is_ours = key.is_some_and(|key| match folder {
                Folder::Changes => key.slot().is_some(),
                Folder::Documents => key.vid().is_some(),
                Folder::Snapshots => key.is_of_snapshot(),
                Folder::Probe => true,
            });
            let is_log = matches!(folder, Folder::Changes | Folder::Snapshots);
            match is_ours {
                true => seen.is_log |= is_log && !is_claim,
                false if is_of_the_system(&name) || folder == Folder::Probe => {}
                false => seen.foreign.push(format!("{}/{name}", folder.name())),
            }
        }
        Ok(())
    }

    /// Whether `meta.json` has a format, as ours has. One that is gone meanwhile is nobody's.
    async fn is_our_hint(&self) -> Result<bool, Error> {
        #[derive(serde::Deserialize)]
        struct Hint {
            format: Option<serde::de::IgnoredAny>,
        }
        let Some(bytes) = self.cx.client.storage.read(&Key::metadata(), 0).await? else {
            return Ok(true);
        };
        Ok(serde_json::from_slice::<Hint>(&bytes).is_ok_and(|hint| hint.format.is_some()))
    }
}

/// Files of file managers and drives, which nobody put there.
fn is_of_the_system(name: &str) -> bool {
    let name = name.trim_end_matches('/');
    let known = ["lost+found", "desktop.ini", "thumbs.db", "icon\r", "$recycle.bin"];
    name.starts_with('.')
        || known.contains(&name.to_ascii_lowercase().as_str())
        || name == "System Volume Information"
}

fn foreign(names: &[String], why: &str) -> Error {
    let said: Vec<_> = names.iter().take(SAID).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > SAID { ", …" } else { "" };
    Error::new(ErrorKind::Foreign, "sync")
        .with_message(format!("there are {}{more}: {why}; nothing was changed", said.join(", ")))
}
