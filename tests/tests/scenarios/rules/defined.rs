//! What `docs/rules.md` defines.

use std::collections::HashSet;

/// One entry of `docs/rules.md`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) title: String,
    /// The files that *Enforced* and *Tested* name.
    pub(super) files: Vec<String>,
    /// The paragraphs that are there: of *Enforced*, *Tested* and *Open*.
    marks: Vec<&'static str>,
}

const MARKS: [&str; 3] = ["*Enforced*:", "*Tested*:", "*Open*:"];

impl Rule {
    /// Whether something is not built or not tested yet.
    pub(super) fn is_open(&self) -> bool {
        self.marks.contains(&"*Open*:")
    }
}

/// The entries, in the order of the text.
pub(super) fn rules(text: &str) -> Vec<Rule> {
    let entries = text.split("\n#").map(|entry| entry.trim_start_matches('#'));
    entries.filter_map(rule).collect()
}

/// An entry begins with an id; the headings of sections do not.
fn rule(entry: &str) -> Option<Rule> {
    let (heading, body) = entry.split_once('\n')?;
    let (id, title) = heading.trim().split_once(' ')?;
    let paragraphs: Vec<&str> = body.split("\n\n").map(str::trim).collect();
    let places = paragraphs.iter().filter(|p| MARKS[..2].iter().any(|mark| p.starts_with(mark)));
    let quoted = places.flat_map(|p| p.split('`').skip(1).step_by(2));
    let files = quoted.filter(|word| word.contains('/') && word.ends_with(".rs"));
    let is_there = |mark: &&str| paragraphs.iter().any(|p| p.starts_with(*mark));
    let rule = Rule {
        id: id.to_owned(),
        title: title.to_owned(),
        files: files.map(str::to_owned).collect(),
        marks: MARKS.into_iter().filter(is_there).collect(),
    };
    super::cited::is_id(id).then_some(rule)
}

/// Entries that are there twice or lack a part.
pub(super) fn faults(rules: &[Rule]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for rule in rules {
        if !seen.insert(&rule.id) {
            faults.push(format!("rule {} is defined twice", rule.id));
        }
        let lacking = MARKS[..2].iter().filter(|mark| !rule.marks.contains(mark));
        let lacking = lacking.filter(|_| !rule.is_open());
        faults.extend(lacking.map(|mark| format!("rule {} lacks {mark}", rule.id)));
    }
    faults
}
