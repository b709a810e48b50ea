//! Cleaning `.db-to-cloud/tmp`, and bringing back the edits that ended there.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use db_to_cloud::Timestamp;

use crate::copies::{safe_time, with_label};
use crate::limbo::{Limbo, NEW, Old};
use crate::path::DocumentPath;
use crate::respell;
use crate::root::Parent;
use crate::shared::Shared;
use crate::stamp::Look;

/// After so long without a change a file that was being written is taken for abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes what is not needed, and brings back what is. What fails is tried again next time.
pub(crate) fn sweep(shared: &Shared) {
    for limbo in shared.limbos.all(&shared.root, &shared.records.get().mounts) {
        sweep_one(shared, &limbo, Duration::from_secs(limbo.grace.load(Ordering::Relaxed)));
    }
}

/// The same at once, where the room is needed now. A program that has one of these files open still, and writes
/// into it later, writes into nowhere.
pub(crate) fn make_room(shared: &Shared) {
    for limbo in shared.limbos.all(&shared.root, &shared.records.get().mounts) {
        sweep_one(shared, &limbo, Duration::ZERO);
    }
}

fn sweep_one(shared: &Shared, limbo: &Limbo, grace: Duration) {
    let (Some(now), Ok(names)) = (limbo.clock(), names(limbo)) else { return };
    for name in names {
        let Ok(facts) = limbo.folder().facts(&name) else { continue };
        // A time in the future is that of a clock that was wrong: long ago.
        let age = Duration::from_nanos(now.abs_diff(facts.moved));
        match facts.look {
            Look::File { .. } if name.starts_with(NEW) && age > ABANDONED => limbo.remove(&name),
            Look::File { .. } => {
                if let Some(old) = Old::parse(&name)
                    && age >= old.grace(grace)
                {
                    settle(shared, limbo, &name, &old);
                }
            }
            Look::Folder if age >= grace => respell::bring_back(shared, limbo, &name),
            _ => {}
        }
    }
}

fn settle(shared: &Shared, limbo: &Limbo, name: &str, old: &Old) {
    match limbo.hash(name) {
        Ok(Some((_, hash))) if old.knows(&hash) && !is_missed(shared, old) => limbo.remove(name),
        Ok(Some((stamp, _))) => {
            let millis = u64::try_from(stamp.mtime / 1_000_000).unwrap_or(0);
            if let Err(error) = bring_back(shared, limbo, name, old, Timestamp::from_millis(millis))
            {
                tracing::warn!(name, %error, "an edit could not be brought back");
            }
        }
        // Still being written, or another sync was faster.
        Ok(None) | Err(_) => {}
    }
}

/// Whether it left its place in a swap that was stopped half-way, and nothing is there now.
fn is_missed(shared: &Shared, old: &Old) -> bool {
    let is_there = |path: &String| {
        let place = DocumentPath::from_text(path)?;
        let Ok(Parent::Found(folder)) = shared.root.parent("look at", &place) else { return None };
        folder.look(place.name()).ok().flatten()
    };
    old.is_between && old.path.as_ref().and_then(is_there).is_none()
}

/// Puts an edit where it was if that place is free, else beside it, else into the root.
fn bring_back(
    shared: &Shared,
    limbo: &Limbo,
    name: &str,
    old: &Old,
    time: Timestamp,
) -> io::Result<()> {
    let label = format!("edit kept {}", safe_time(time));
    let path = old.path.as_deref().unwrap_or("document");
    let in_root = format!("{} ({label})", path.rsplit('/').next().unwrap_or(path));
    let numbered = (1..100).map(|n| format!("{in_root} {n}"));
    let first = old.path.iter().cloned();
    let places = first.chain([with_label(path, &label), in_root.clone()]).chain(numbered);
    for place in places {
        let Some(place) = DocumentPath::from_text(&place) else { continue };
        let Ok(Parent::Found(folder)) = shared.root.parent("bring back", &place) else { continue };
        match limbo.folder().rename_new(name, &folder, place.name()) {
            Ok(()) => {
                tracing::warn!(path = place.as_str(), "brought back an edit made during a sync");
                return folder.sync();
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn names(limbo: &Limbo) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in limbo.folder().entries()? {
        // All names of ours are UTF-8.
        if let Some(name) = entry?.name().to_str() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
