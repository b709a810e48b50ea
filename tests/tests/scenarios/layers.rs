//! The directions between the folders of the core: what each may use of the others. A newcomer who reads
//! from the ground up meets nothing that he has not met before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `core/src`, and those that it may use. `planted` holds the switches of the tests.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("protocol", &["model"]),
    ("storage", &["model", "protocol", "environment"]),
    ("local", &["model", "protocol"]),
    ("sync", &["model", "protocol", "storage", "local", "environment"]),
    ("client", &["model", "protocol", "storage", "local", "environment", "sync"]),
    ("memory", &["model", "storage", "local"]),
];
/// Where decisions are pure.
const PURE: &[&str] = &["async fn", ".await", "Arc<dyn", "Mutex<", "Instant", "SystemTime"];
/// The parts of one sync, none of which may call another one.
const PARTS: &[&str] = &["recover", "scan", "pull", "push", "maintain"];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src")
}

/// The texts of a folder's files and of the file beside it, without those of unit tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let beside = folder.with_extension("rs");
    let mut paths = vec![beside, folder.to_owned()];
    while let Some(path) = paths.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => paths.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) if path.ends_with("tests.rs") => {}
            Err(_) => found.extend(fs::read_to_string(&path).map(|text| (path, text))),
        }
    }
    found
}

/// What a text uses of the crate: the first name of each path, but for unit tests at its end.
fn uses(text: &str) -> BTreeSet<String> {
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = product.lines().map(str::trim_start);
    let uses = lines.filter_map(|line| line.split_once("use crate::").map(|(_, path)| path));
    let first = |path: &str| {
        path.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned)
    };
    uses.filter_map(first).collect()
}

#[test]
fn each_folder_of_the_core_uses_only_what_is_below_it() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (layer, below) in LAYERS {
        for (path, text) in sources(&core().join(layer)) {
            checked += 1;
            for used in uses(&text) {
                let allowed = used == *layer || used == "planted" || below.contains(&used.as_str());
                if !allowed {
                    wrong.push(format!("{}: {layer} uses {used:?}", path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(checked > 50, "{checked} files");
}

#[test]
fn decisions_are_pure() {
    let files = sources(&core().join("protocol"));
    assert!(files.len() >= 4);
    for (path, text) in files {
        for word in PURE {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn no_part_of_a_sync_calls_another_one() {
    for part in PARTS {
        let files = sources(&core().join("sync").join(part));
        assert!(!files.is_empty(), "{part}");
        for (path, text) in files {
            for other in PARTS.iter().filter(|other| *other != part) {
                // A type of another part may be named, such as the entry that won a race.
                let mut name = other.to_string();
                name[..1].make_ascii_uppercase();
                let calls =
                    [format!("{name}::new("), format!("self.{other}."), format!("{name}<'")];
                for call in calls {
                    assert!(!text.contains(&call), "{}: {call}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_check_sees_a_use_that_runs_up() {
    let text = "use crate::model::Error;\n    use crate::sync::{Session};\npub(crate) use crate::client::X;";
    let found: Vec<_> = uses(text).into_iter().collect();
    assert_eq!(found, ["client", "model", "sync"]);
}
