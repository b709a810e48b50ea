//! Where a file lies: a copy of it lies elsewhere.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

/// The number of the file on its file system and when it was made, as far as the system has them; `None`
/// if it has neither.
pub(crate) fn of(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    let made =
        metadata.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let made = made.map(|since| format!("made {}", since.as_nanos()));
    let parts: Vec<_> = number(&metadata).into_iter().chain(made).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    Some(format!("device {} file {}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stays_where_it_is_and_a_copy_of_it_is_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let [file, copy] = ["state", "copy"].map(|name| folder.path().join(name));
        std::fs::write(&file, "before").unwrap();
        let place = of(&file);
        assert!(place.is_some());
        std::fs::write(&file, "what is written into it later").unwrap();
        assert_eq!(of(&file), place);
        std::fs::copy(&file, &copy).unwrap();
        assert_ne!(of(&copy), place);
        assert_eq!(of(&folder.path().join("absent")), None);
    }
}
