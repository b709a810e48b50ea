//! What the devices edit, and what must be left of it in the end.
//!
//! Each edit writes a token that occurs nowhere else. Files that both devices edit are edited only
//! while their device does not sync, since a real editor would overwrite what it has not seen; each
//! edit is made on top of what the file holds. While it syncs, a device edits files of its own.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;

use super::random::Random;
use crate::world::World;

/// One device's edits.
pub(crate) struct Edits<'a> {
    device: &'static str,
    world: &'a World,
    count: u64,
    written: Vec<String>,
    /// Tokens that this device saw in a file when it replaced or deleted it.
    superseded: HashSet<String>,
    own: BTreeMap<String, Option<String>>,
}

const SHARED: u64 = 4;
const OWN: u64 = 3;
/// Makes a file too long to be carried in the log.
const PADDING: usize = 6000;

impl<'a> Edits<'a> {
    pub(crate) fn new(device: &'static str, world: &'a World) -> Self {
        let (written, superseded, own) = Default::default();
        Self { device, world, count: 0, written, superseded, own }
    }

    pub(crate) fn device(&self) -> &'static str {
        self.device
    }

    /// Edits a file that the other device edits too.
    pub(crate) fn edit_at_rest(&mut self, random: &mut Random) {
        let name = format!("shared-{}", random.below(SHARED));
        let path = self.path(&name);
        let content = fs::read_to_string(&path).unwrap_or_default();
        match random.below(20) {
            0 => {
                self.superseded.extend(tokens(&content).map(str::to_owned));
                let _ = fs::remove_file(path);
            }
            1 => {
                self.superseded.extend(tokens(&content).map(str::to_owned));
                let token = self.token();
                fs::write(path, token + "\n").unwrap();
            }
            2 | 3 if path.exists() => {
                let token = self.token();
                fs::write(&path, format!("{content}{token}\n")).unwrap();
                fs::rename(path, self.path(&format!("moved-{token}"))).unwrap();
            }
            4 | 5 => {
                let (token, padding) = (self.token(), ".".repeat(PADDING));
                fs::write(path, format!("{content}{token}\n{padding}\n")).unwrap();
            }
            _ => {
                let token = self.token();
                fs::write(path, format!("{content}{token}\n")).unwrap();
            }
        }
    }

    /// Edits a file that only this device edits; a sync may be under way.
    pub(crate) fn edit_meanwhile(&mut self, random: &mut Random) {
        let name = format!("own-{}-{}", self.device, random.below(OWN));
        let path = self.path(&name);
        self.count += 1;
        let content = format!("{} {}", self.device, self.count);
        let content = match random.below(6) {
            0 => {
                let _ = fs::remove_file(path);
                None
            }
            1 => {
                // In place, as some editors do.
                fs::write(path, &content).unwrap();
                Some(content)
            }
            _ => {
                let temporary = self.world.path(&format!("temporary-{}", self.device));
                fs::write(&temporary, &content).unwrap();
                fs::rename(temporary, path).unwrap();
                Some(content)
            }
        };
        self.own.insert(name, content);
    }

    fn token(&mut self) -> String {
        self.count += 1;
        let token = format!("token-{}-{}", self.device, self.count);
        self.written.push(token.clone());
        token
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path(self.device).join(name)
    }
}

fn tokens(content: &str) -> impl Iterator<Item = &str> {
    content.lines().filter(|line| line.starts_with("token-"))
}

/// Every edit is there, unless somebody who saw it replaced or deleted it.
pub(crate) fn check(edits: &[Edits<'_>], world: &World) {
    let tree = world.tree("a");
    let texts: Vec<_> = tree.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    let there: HashSet<&str> = texts.iter().flat_map(|text| tokens(text)).collect();
    let superseded: HashSet<&String> = edits.iter().flat_map(|e| &e.superseded).collect();
    let mut written = 0;
    for token in edits.iter().flat_map(|e| &e.written).filter(|t| !superseded.contains(t)) {
        assert!(there.contains(&**token), "{token} is lost; there are {:?}", tree.keys());
        written += 1;
    }
    for (name, content) in edits.iter().flat_map(|e| &e.own) {
        let there = tree.get(name).map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(there.as_deref(), content.as_deref(), "{name}");
    }
    let copies = tree.keys().filter(|name| name.contains("(conflict of ")).count();
    println!("{written} edits present, {} superseded, {copies} copies", superseded.len());
    let known = |name: &str| {
        name == "first" || ["shared-", "moved-", "own-"].iter().any(|p| name.starts_with(p))
    };
    assert!(tree.keys().all(|name| known(name)), "{:?}", tree.keys());
}
