//! Which rules a Rust file cites.

/// Where a rule is cited.
#[derive(Debug)]
pub(super) struct Citation {
    /// File and line.
    pub(super) place: String,
    pub(super) is_test: bool,
}

/// What stands after the word `rule` or `rules`.
#[derive(Debug, PartialEq)]
pub(super) enum Cited {
    Rule {
        id: String,
        is_test: bool,
    },
    /// Several ids as a range: nobody finds those in between.
    Range(String),
}

/// A letter and a number of one or two digits.
pub(super) fn is_id(word: &str) -> bool {
    let digits = word.get(1..).unwrap_or_default();
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && (1..=2).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The citations of a file and their lines. What follows `#[cfg(test)]` is test code, too.
pub(super) fn citations(text: &str, is_test: bool) -> Vec<(usize, Cited)> {
    let tests = text.lines().position(|line| line.trim() == "#[cfg(test)]");
    let tests = if is_test { 0 } else { tests.map_or(usize::MAX, |line| line + 1) };
    let mut found = Vec::new();
    // The words of a comment, over its lines.
    let mut comment: Vec<(usize, &str)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let is_test = number > tests;
        let rule = |id| (number, Cited::Rule { id, is_test });
        found.extend(switches(line).map(rule));
        found.extend(named(line).filter(|_| is_test).map(rule));
        match line.trim_start().strip_prefix("//") {
            Some(words) => {
                let words = words.trim_start_matches(['/', '!']).split_whitespace();
                comment.extend(words.map(|word| (number, word)));
            }
            None => {
                found.extend(in_comment(&comment, tests));
                comment.clear();
            }
        }
    }
    found.extend(in_comment(&comment, tests));
    found
}

/// The ids of `Rule::P8` and `Rule::U7Flight`.
fn switches(line: &str) -> impl Iterator<Item = String> {
    let ids = line.split("Rule::").skip(1).map(|rest| {
        let end = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        rest.get(..=end).unwrap_or_default()
    });
    ids.filter(|id| is_id(id)).map(str::to_owned)
}

/// The id of a function such as `p7_an_edit_…`. S3 in a name is the storage.
fn named(line: &str) -> Option<String> {
    let (_, name) = line.split_once("fn ")?;
    let id = name.split_once('_')?.0.to_ascii_uppercase();
    (is_id(&id) && id != "S3").then_some(id)
}

/// The citations among the words of one comment; `tests` is the line after which all is test code.
fn in_comment(words: &[(usize, &str)], tests: usize) -> Vec<(usize, Cited)> {
    let begins =
        |(_, word): &(usize, &str)| matches!(bare(word), "rule" | "rules" | "Rule" | "Rules");
    let starts = words.iter().enumerate().filter(|(_, word)| begins(word));
    starts.flat_map(|(i, _)| after(&words[i + 1..], tests)).collect()
}

/// The ids that follow the word `rules`, up to the first other word.
fn after(words: &[(usize, &str)], tests: usize) -> Vec<(usize, Cited)> {
    let mut found = Vec::new();
    let mut last = None;
    for (i, (number, word)) in words.iter().enumerate() {
        let next = words.get(i + 1).map(|(_, next)| bare(next)).filter(|next| is_id(next));
        match (bare(word), last, next) {
            (id, ..) if is_id(id) => {
                let (id, is_test) = (id.to_owned(), *number > tests);
                found.push((*number, Cited::Rule { id, is_test }));
                last = Some(bare(word));
            }
            (range, ..) if is_range(range) => {
                found.push((*number, Cited::Range(range.to_owned())));
            }
            ("to" | "through" | "until" | "", Some(from), Some(until)) => {
                found.push((*number, Cited::Range(format!("{from} {word} {until}"))));
                break;
            }
            ("and" | "or", ..) => {}
            _ => break,
        }
        if word.ends_with(['.', ':', ';', ')']) {
            break;
        }
    }
    found
}

/// A word without its punctuation and its genitive.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.strip_suffix("'s").unwrap_or(word)
}

/// Two ids with a dash between.
fn is_range(word: &str) -> bool {
    word.split_once(['-', '–', '—']).is_some_and(|(from, to)| is_id(from) && is_id(to))
}
