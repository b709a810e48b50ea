//! What only the text of a `CREATE INDEX` says: its expressions, and the rows that it is on.

/// The parts of the statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexSql {
    /// What is between the parentheses, one an indexed column; order and collation are left out.
    pub terms: Vec<String>,
    /// What follows `WHERE`.
    pub condition: Option<String>,
}

/// Reads the statement as SQLite keeps it; `None` if it is not understood.
pub(crate) fn parse(sql: &str) -> Option<IndexSql> {
    let (mut depth, mut start, mut terms, mut end) = (0, 0, Vec::new(), None);
    let mut condition = None;
    for (at, token) in tokens(sql) {
        match token {
            "(" if end.is_none() && depth == 0 => (depth, start) = (1, at + 1),
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth == 0 && end.is_none() {
                    terms.push(&sql[start..at]);
                    end = Some(at);
                }
            }
            "," if depth == 1 && end.is_none() => {
                terms.push(&sql[start..at]);
                start = at + 1;
            }
            word if depth == 0 && end.is_some() && word.eq_ignore_ascii_case("where") => {
                condition.get_or_insert_with(|| sql[at + word.len()..].trim().to_owned());
            }
            _ => {}
        }
    }
    end?;
    Some(IndexSql { terms: terms.into_iter().map(bare).collect(), condition })
}

/// A term without `COLLATE name`, `ASC` and `DESC` at its end.
fn bare(term: &str) -> String {
    let mut words: Vec<_> = tokens(term).collect();
    let is = |word: Option<&(usize, &str)>, text: &str| {
        word.is_some_and(|(_, word)| word.eq_ignore_ascii_case(text))
    };
    if is(words.last(), "asc") || is(words.last(), "desc") {
        words.pop();
    }
    if words.len() > 2 && is(words.get(words.len() - 2), "collate") {
        words.truncate(words.len() - 2);
    }
    let end = words.last().map_or(0, |(at, word)| at + word.len());
    term[..end].trim().to_owned()
}

/// The words of a statement, without comments.
pub(crate) fn words(sql: &str) -> impl Iterator<Item = &str> {
    tokens(sql).map(|(_, token)| token)
}

/// Words, quoted texts and single signs, each with its place. Comments and spaces are left out.
fn tokens(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &sql[at..];
            let first = rest.chars().next()?;
            let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let (length, counts) = match first {
                c if c.is_whitespace() => (c.len_utf8(), false),
                '\'' | '"' | '`' => (quoted(rest, first), true),
                '[' => (rest.find(']').map_or(rest.len(), |end| end + 1), true),
                _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), false),
                _ if rest.starts_with("/*") => {
                    (rest.find("*/").map_or(rest.len(), |end| end + 2), false)
                }
                c if is_word(c) => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true),
                c => (c.len_utf8(), true),
            };
            let token = (at, &rest[..length]);
            at += length;
            if counts {
                return Some(token);
            }
        }
    })
}

/// How long a quoted text is; a doubled quote is a part of it.
fn quoted(text: &str, quote: char) -> usize {
    let mut end = 1;
    while let Some(next) = text[end..].find(quote) {
        end += next + 1;
        if !text[end..].starts_with(quote) {
            return end;
        }
        end += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(sql: &str) -> (Vec<String>, Option<String>) {
        let IndexSql { terms, condition } = parse(sql).unwrap();
        (terms, condition)
    }

    #[test]
    fn terms_and_condition_are_found_whatever_is_quoted_or_commented() {
        let sql = "CREATE UNIQUE INDEX \"where (\" ON [t(] (lower(a, ',') COLLATE NOCASE DESC,
            /* , */ \"b)\" ASC, c || ')' -- the end )\n) WHERE deleted = 0 AND x IN (SELECT 'where')";
        let (terms, condition) = parsed(sql);
        assert_eq!(terms, ["lower(a, ',')", "/* , */ \"b)\"", "c || ')'"]);
        assert_eq!(condition.as_deref(), Some("deleted = 0 AND x IN (SELECT 'where')"));
    }

    #[test]
    fn an_index_on_everything_has_no_condition() {
        assert_eq!(parsed("CREATE INDEX i ON t(a)"), (vec!["a".to_owned()], None));
        assert_eq!(parse("CREATE INDEX i ON t"), None);
    }
}
