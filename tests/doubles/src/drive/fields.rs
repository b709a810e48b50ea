//! The parameter `fields`: which part of an answer is wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answers;
use crate::Answer;

/// `a,b(c,d/e)` as a tree; an empty one is all.
#[derive(Debug, Default)]
struct Selection(BTreeMap<String, Selection>);

const OF_A_FILE: &[&str] = &[
    "kind",
    "id",
    "name",
    "mimeType",
    "parents",
    "spaces",
    "version",
    "createdTime",
    "modifiedTime",
    "trashed",
    "appProperties",
    "size",
    "md5Checksum",
    "sha256Checksum",
    "headRevisionId",
];

/// What is told of a file if nobody asks for more.
pub(super) const DEFAULT_FILE: &str = "kind,id,name,mimeType";

/// The wanted part of a file.
pub(super) fn of_file(file: Value, fields: Option<&str>) -> Result<Value, Answer> {
    let selection = parse(fields.unwrap_or(DEFAULT_FILE))?;
    selection.check(OF_A_FILE)?;
    Ok(selection.apply(file))
}

/// The wanted part of a list, whose `items` hold what is at `inner` (or itself) a file.
pub(super) fn of_list(
    list: Value,
    fields: Option<&str>,
    default: &str,
    known: &[&str],
    path: &[&str],
) -> Result<Value, Answer> {
    let selection = parse(fields.unwrap_or(default))?;
    selection.check(known)?;
    let mut file = Some(&selection);
    for step in path {
        file = file.and_then(|selection| selection.0.get(*step));
    }
    if let Some(file) = file {
        file.check(OF_A_FILE)?;
    }
    Ok(selection.apply(list))
}

fn parse(text: &str) -> Result<Selection, Answer> {
    let mut rest = text;
    let selection = Selection::parse(&mut rest);
    selection.filter(|_| rest.is_empty()).ok_or_else(|| answers::bad_field(text))
}

impl Selection {
    fn parse(rest: &mut &str) -> Option<Self> {
        let mut selection = Self::default();
        loop {
            let end = rest.find([',', '(', ')', '/']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.trim().is_empty() {
                return None;
            }
            *rest = after;
            let inner = match rest.chars().next() {
                Some('(') => {
                    *rest = &rest[1..];
                    let inner = Self::parse(rest)?;
                    *rest = rest.strip_prefix(')')?;
                    inner
                }
                Some('/') => {
                    *rest = &rest[1..];
                    let end = rest.find([',', ')']).unwrap_or(rest.len());
                    let (name, after) = rest.split_at(end);
                    *rest = after;
                    Self(BTreeMap::from([(name.to_owned(), Self::default())]))
                }
                _ => Self::default(),
            };
            selection.0.entry(name.trim().to_owned()).or_default().0.extend(inner.0);
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(selection),
            }
        }
    }

    fn check(&self, known: &[&str]) -> Result<(), Answer> {
        let unknown = self.0.keys().find(|name| *name != "*" && !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(answers::bad_field(name)))
    }

    fn apply(&self, value: Value) -> Value {
        if self.0.is_empty() || self.0.contains_key("*") {
            return value;
        }
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(fields) => {
                let wanted = fields.into_iter().filter_map(|(name, value)| {
                    let inner = self.0.get(&name)?;
                    Some((name, inner.apply(value)))
                });
                Value::Object(wanted.collect())
            }
            other => other,
        }
    }
}
