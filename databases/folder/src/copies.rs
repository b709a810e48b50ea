//! Names for a second version of a document.

use db_to_cloud::{DocumentId, Timestamp};

use crate::path::LONGEST_NAME;

/// How the label of a copy begins.
const LABEL: &str = "conflict of";
/// The longest part of a device's name in a file name, in characters.
const LONGEST_DEVICE: usize = 40;

/// The id for this device's version of a document in conflict, for
/// [`KeepBoth`](db_to_cloud::KeepBoth): `notes/todo (conflict of anna's laptop 2026-11-23
/// 04-26-51).md` for `notes/todo.md`.
///
/// The time is shown in UTC. Give the [time of the file](crate::FolderDatabase::modified) rather
/// than that of the clock: then the same conflict has the same copy, also if the sync is
/// interrupted and repeated. Characters of the device's name that some file system does not allow
/// become `-`.
///
/// ```
/// use db_to_cloud::Timestamp;
/// use db_to_cloud_folder::conflict_copy_id;
///
/// let time = Timestamp::from_millis(1_795_408_011_000);
/// let copy = conflict_copy_id(&"notes/todo.md".into(), "anna:laptop", time);
/// assert_eq!(copy, "notes/todo (conflict of anna-laptop 2026-11-23 04-26-51).md".into());
/// ```
pub fn conflict_copy_id(id: &DocumentId, device: &str, time: Timestamp) -> DocumentId {
    let label = format!("{LABEL} {} {}", safe_device(device), safe_time(time));
    with_label(&id.to_string(), &label).into()
}

/// Whether [`conflict_copy_id`] makes such ids.
pub fn is_conflict_copy(id: &DocumentId) -> bool {
    id.to_string().contains(&format!(" ({LABEL} "))
}

/// The path with a label in brackets before its last extension, cut to what a file name may hold.
pub(crate) fn with_label(path: &str, label: &str) -> String {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = path.split_at(start);
    let dot = name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= 32);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let label = format!(" ({label})");
    let room = LONGEST_NAME.saturating_sub(label.len() + extension.len());
    let stem = &stem[..stem.floor_char_boundary(room)];
    format!("{folder}{stem}{label}{extension}")
}

fn safe_device(device: &str) -> String {
    let safe = |c: char| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        c if c.is_control() => '-',
        c => c,
    };
    let device: String = device.trim().chars().take(LONGEST_DEVICE).map(safe).collect();
    if device.is_empty() { "a device".to_owned() } else { device }
}

/// `2026-11-23 04-26-51`: no colons, which some file systems do not allow.
pub(crate) fn safe_time(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    seconds.replace('T', " ").replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::DocumentPath;

    #[test]
    fn the_copy_keeps_folder_and_extension_and_is_always_a_legal_path() {
        let time = Timestamp::from_millis(1_795_408_011_007);
        let long = format!("a.b/{}.md", "é".repeat(126));
        let ids = ["a", ".hidden", "a.tar.gz", "x.y/z", "a.b/c.md", &long];
        let devices = ["laptop", "", "a/b\\c:d\n", "..", "日本", &"x".repeat(500)];
        for (id, device) in ids.iter().flat_map(|id| devices.map(|device| (id, device))) {
            let copy = conflict_copy_id(&DocumentId::from(*id), device, time);
            let path = DocumentPath::parse(&copy).unwrap();
            assert_eq!(path.parent(), DocumentPath::from_text(id).unwrap().parent());
            assert_eq!(copy, conflict_copy_id(&DocumentId::from(*id), device, time));
            assert!(is_conflict_copy(&copy) && !is_conflict_copy(&DocumentId::from(*id)));
        }
    }
}
