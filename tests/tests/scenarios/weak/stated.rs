//! What a storage cannot promise is stated where its user looks (rule W5).

use std::fs;
use std::path::Path;

use super::*;

fn risk(device: &Device) -> Option<&'static str> {
    device.status().remaining_risk
}

#[test]
fn a_strong_storage_has_no_remaining_risk() {
    assert_eq!(Atomicity::Atomic.remaining_risk(), None);
    assert_eq!(risk(&World::new().device("alice")), None);
}

#[test]
fn the_status_states_the_risk_of_a_weak_storage() {
    let (_, alice, _) = two_devices();
    assert!(Atomicity::Weak.remaining_risk().is_some());
    assert_eq!(risk(&alice), Atomicity::Weak.remaining_risk());
}

#[test]
fn the_status_states_what_the_probe_measured() {
    for ignores in [false, true] {
        let world = World::new();
        let alice = world.device("alice");
        alice.storage.set_capabilities(|c| c.create = Atomicity::Probe);
        assert!(Atomicity::Probe.remaining_risk().is_some());
        assert_eq!(risk(&alice), Atomicity::Probe.remaining_risk(), "nothing is measured yet");
        if ignores {
            alice.storage.ignore_conditions();
        }
        alice.edit("note", "text");
        alice.sync();
        let measured = if ignores { Atomicity::Weak } else { Atomicity::Atomic };
        assert_eq!(risk(&alice), measured.remaining_risk());
    }
}

/// All Rust files of a folder as one text.
fn source(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => source(&path),
            false => fs::read_to_string(&path).unwrap(),
        })
        .collect()
}

/// A storage that is probed may be found weak: then both sentences are its.
#[test]
fn the_readme_of_each_adapter_states_the_risk_of_each_kind_that_it_declares() {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters");
    let mut checked = 0;
    for entry in fs::read_dir(adapters).unwrap() {
        let folder = entry.unwrap().path();
        let code = source(&folder.join("src"));
        let probed = code.contains("Atomicity::Probe");
        let weak = probed || code.contains("Atomicity::Weak");
        let kinds = [(probed, Atomicity::Probe), (weak, Atomicity::Weak)];
        for kind in kinds.into_iter().filter_map(|(declared, kind)| declared.then_some(kind)) {
            let readme = fs::read_to_string(folder.join("README.md")).unwrap();
            let words: Vec<_> = readme.split_whitespace().collect();
            let risk = kind.remaining_risk().unwrap();
            assert!(words.join(" ").contains(risk), "{folder:?} does not state: {risk}");
            checked += 1;
        }
    }
    assert_eq!(checked, 10, "all five may be probed");
}
