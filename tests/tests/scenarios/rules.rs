//! `docs/rules.md` against the code and the tests: each rule that is cited is defined, and each rule
//! that is defined is cited by code and by a test, unless its entry says what is open.
//!
//! With `--nocapture` the check prints where each rule is cited.

mod cited;
mod defined;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use cited::{Citation, Cited};
use defined::Rule;

/// Where code cites rules.
const CODE: &[&str] = &["core/src", "adapters/*/src", "databases/*/src", "cli/src"];
/// Where tests cite rules.
const TESTS: &[&str] =
    &["tests/tests", "tests/conformance", "adapters/*/tests", "databases/*/tests", "cli/tests"];
/// The switches that break rules for a test. Its comments name every rule and enforce none.
const SWITCHES: &str = "core/src/planted";
/// This check itself: its texts are examples.
const CHECK: &str = "tests/tests/scenarios/rules";

/// A text to check, and the path by which it is reported.
struct Source {
    path: String,
    text: String,
    is_test: bool,
}

/// All citations of each rule, and everything that is wrong.
fn check(rules: &[Rule], sources: &[Source]) -> (BTreeMap<String, Vec<Citation>>, Vec<String>) {
    let mut wrong = defined::faults(rules);
    let mut index: BTreeMap<String, Vec<Citation>> = BTreeMap::new();
    for source in sources {
        for (line, cited) in cited::citations(&source.text, source.is_test) {
            let place = format!("{}:{line}", source.path);
            match cited {
                Cited::Rule { id, is_test } if rules.iter().any(|rule| rule.id == id) => {
                    index.entry(id).or_default().push(Citation { place, is_test });
                }
                Cited::Rule { id, .. } => {
                    wrong.push(format!("{place}: rule {id} is not defined in docs/rules.md"));
                }
                Cited::Range(range) => {
                    wrong.push(format!("{place}: write out each rule of the range {range}"));
                }
            }
        }
    }
    for rule in rules.iter().filter(|rule| !rule.is_open()) {
        let places = index.get(&rule.id).map_or(&[][..], Vec::as_slice);
        let code = |c: &Citation| !c.is_test && !c.place.starts_with(SWITCHES);
        for (missing, what) in
            [(!places.iter().any(code), "code"), (!places.iter().any(|c| c.is_test), "test")]
        {
            if missing {
                wrong.push(format!("rule {} is cited by no {what} and is not *Open*", rule.id));
            }
        }
    }
    (index, wrong)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders that a pattern with at most one `*` stands for.
fn folders(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once("*/") else { return vec![root().join(pattern)] };
    let entries = fs::read_dir(root().join(before)).unwrap();
    entries.map(|entry| entry.unwrap().path().join(after)).filter(|f| f.is_dir()).collect()
}

/// The Rust files below a folder.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn sources(patterns: &[&str], is_test: bool) -> Vec<Source> {
    let mut files = Vec::new();
    patterns.iter().flat_map(|p| folders(p)).for_each(|f| rust_files(&f, &mut files));
    files.sort();
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let is_test = is_test || path.ends_with("/tests.rs");
        Source { path, text: fs::read_to_string(file).unwrap(), is_test }
    };
    files.iter().map(read).filter(|source| !source.path.starts_with(CHECK)).collect()
}

#[test]
fn every_rule_is_defined_once_enforced_and_tested() {
    let rules = defined::rules(&fs::read_to_string(root().join("docs/rules.md")).unwrap());
    assert!(rules.len() > 40, "docs/rules.md has only {} rules", rules.len());
    let mut all = sources(CODE, false);
    all.extend(sources(TESTS, true));
    let (index, mut wrong) = check(&rules, &all);
    let named = rules.iter().flat_map(|rule| rule.files.iter().map(move |file| (rule, file)));
    let missing = named.filter(|(_, file)| !root().join(file).exists());
    wrong.extend(missing.map(|(rule, file)| format!("rule {}: no file {file}", rule.id)));
    println!("{}", listed(&rules, &index));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rule by rule, where code and tests cite it.
fn listed(rules: &[Rule], index: &BTreeMap<String, Vec<Citation>>) -> String {
    let mut text = String::new();
    for rule in rules {
        let open = if rule.is_open() { " (open)" } else { "" };
        writeln!(text, "{} {}{open}", rule.id, rule.title).unwrap();
        for Citation { place, is_test } in index.get(&rule.id).into_iter().flatten() {
            writeln!(text, "    {} {place}", if *is_test { "test" } else { "code" }).unwrap();
        }
    }
    text
}

/// What is wrong with these rules and this code; a test cites all of the rules.
#[cfg(test)]
fn faults(rules: &str, code: &str) -> Vec<String> {
    let rules = defined::rules(rules);
    let test = rules.iter().map(|rule| format!("// rule {}\n", rule.id)).collect();
    let source = |path: &str, text, is_test| Source { path: path.to_owned(), text, is_test };
    check(&rules, &[source("a.rs", code.to_owned(), false), source("b.rs", test, true)]).1
}

const P1_AND_P2: &str = "### P1 One\n\nText.\n\n*Enforced*: `a.rs`.\n\n*Tested*: `b.rs`.\n\n\
                         ### P2 Two\n\n*Open*: not built.\n";

#[test]
fn a_rule_that_is_cited_and_defined_is_well() {
    for code in [
        "// (rule P1)",
        "//! Rules P2 and P1: this.",
        "/// as rules P2,\n/// P1 say",
        "if holds(Rule::P1Late) {",
    ] {
        assert_eq!(faults(P1_AND_P2, code), [""; 0], "{code}");
    }
}

#[test]
fn an_undefined_rule_is_found() {
    for code in [
        "// rule P3\n// rule P1",
        "// rules P1 and P3",
        "Rule::P3 Rule::P1",
        "// rules P1, P2 or\n// P3",
    ] {
        let found = faults(P1_AND_P2, code);
        assert!(matches!(&found[..], [one] if one.contains("rule P3 is not defined")), "{found:?}");
    }
}

#[test]
fn a_range_is_refused() {
    for code in ["rules P1 to P2", "rules P1–P2", "(rules P1-P2)", "rules P2 and P1 through P4"] {
        let found = faults(P1_AND_P2, &format!("// rule P1\n\n// {code}"));
        assert!(matches!(&found[..], [one] if one.contains("range P1")), "{code}: {found:?}");
    }
}

#[test]
fn a_rule_that_nothing_cites_is_found_unless_it_is_open() {
    for code in ["", "// P1: a bare id", "let text = \"rule P1\";", "// ruler P1"] {
        let found = faults(P1_AND_P2, code);
        assert_eq!(found, ["rule P1 is cited by no code and is not *Open*"], "{code}");
    }
    let switch =
        Source { path: format!("{SWITCHES}.rs"), text: "// rule P1".to_owned(), is_test: false };
    let (_, found) = check(&defined::rules(P1_AND_P2), &[switch]);
    assert_eq!(found.len(), 2, "neither the switches nor the code count: {found:?}");
}

#[test]
fn a_test_cites_a_rule_by_its_name_or_a_comment() {
    let rules = defined::rules(P1_AND_P2);
    for test in ["fn p1_is_kept() {", "pub(crate) async fn p1_is_kept() {", "// rule P1"] {
        let code = "// rule P1\n#[cfg(test)]\nmod tests {\n".to_owned() + test;
        let source = Source { path: "a.rs".to_owned(), text: code, is_test: false };
        assert_eq!(check(&rules, &[source]).1, [""; 0], "{test}");
    }
    // S3 the storage, in a name.
    assert!(cited::citations("fn s3_is_there() {}", true).is_empty());
}

#[test]
fn a_definition_that_is_not_whole_is_found() {
    let twice = format!("{P1_AND_P2}\n### P1 Again\n\n*Enforced*: `a.rs`\n\n*Tested*: `b.rs`\n");
    assert_eq!(faults(&twice, "// rule P1"), ["rule P1 is defined twice"]);
    let bare = "### P1 One\n\nText.\n";
    assert_eq!(faults(bare, "// rule P1").len(), 2, "neither *Enforced* nor *Tested*");
}

#[test]
fn files_of_a_rule_are_read_from_all_lines_of_its_paragraphs() {
    let text = "### P1 One\n\n`x/y.rs` no.\n\n*Enforced*: `core/a.rs` (`docs/`),\n`core/b.rs`, `error.rs`.\n\n*Tested*: `c/d.rs`.\n";
    assert_eq!(defined::rules(text)[0].files, ["core/a.rs", "core/b.rs", "c/d.rs"]);
}
