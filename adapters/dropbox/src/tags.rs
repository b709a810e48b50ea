//! What Dropbox says went wrong: the tags of nested unions.

use std::fmt;

use serde_json::Value;

/// Tags from the outside in, such as `path`, `conflict`, `file`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(Vec<String>);

/// Deeper than any union of the interface.
const DEEPEST: usize = 8;

impl Tags {
    /// Reads the tags of an `error` or of a `failure` in a batch. The dotted `error_summary` is for
    /// people: it ends with a random number of dots.
    pub(crate) fn of(error: &Value) -> Self {
        let mut tags = Vec::new();
        let mut union = error;
        while tags.len() < DEEPEST {
            let tag = match union {
                // A member without a value may be a bare string.
                Value::String(tag) => tag,
                Value::Object(fields) => match (fields.get(".tag"), fields.get("reason")) {
                    (Some(Value::String(tag)), _) => tag,
                    // A struct around the union: that of a 429.
                    (None, Some(reason)) => {
                        union = reason;
                        continue;
                    }
                    _ => break,
                },
                _ => break,
            };
            tags.push(tag.clone());
            // A union stands under its tag; the fields of a struct stand beside it.
            let Some(below) = union.get(tag).or_else(|| union.get("reason")) else { break };
            union = below;
        }
        Self(tags)
    }

    /// Whether these are the first tags.
    pub(crate) fn begin(&self, tags: &[&str]) -> bool {
        self.0.len() >= tags.len() && self.0.iter().zip(tags).all(|(tag, other)| tag == other)
    }

    /// Whether this is among the tags.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|other| other == tag)
    }

    /// The innermost tag: what really happened.
    pub(crate) fn last(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies from the wire and from the specification (`shared/facts`, 1.1, 2.1, 5.2).
    #[test]
    fn tags_are_found_at_any_depth() {
        let bodies = [
            (
                r#"{".tag": "path", "reason": {".tag": "conflict", "conflict": {".tag": "file"}},
                    "upload_session_id": "AAAA"}"#,
                "path/conflict/file",
            ),
            (
                r#"{".tag": "path", "path": {".tag": "conflict", "conflict": {".tag": "file"}}}"#,
                "path/conflict/file",
            ),
            (
                r#"{".tag": "path", "reason": {".tag": "insufficient_space"}}"#,
                "path/insufficient_space",
            ),
            (
                r#"{"reason": {".tag": "too_many_requests"}, "retry_after": 300}"#,
                "too_many_requests",
            ),
            (r#"{".tag": "incorrect_offset", "correct_offset": 123}"#, "incorrect_offset"),
            (
                r#"{".tag": "lookup_failed", "lookup_failed": {".tag": "incorrect_offset",
                    "correct_offset": 5}}"#,
                "lookup_failed/incorrect_offset",
            ),
            (
                r#"{".tag": "path_lookup", "path_lookup": {".tag": "not_found"}}"#,
                "path_lookup/not_found",
            ),
            (r#"{".tag": "path", "path": "not_found"}"#, "path/not_found"),
            (
                r#"{".tag": "path", "path": {".tag": "malformed_path", "malformed_path": "x"}}"#,
                "path/malformed_path/x",
            ),
            (r#"{"reason": {"reason": {}}}"#, ""),
            ("[]", ""),
        ];
        for (body, tags) in bodies {
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(Tags::of(&body).to_string(), tags, "{body}");
        }
    }

    #[test]
    fn a_loop_of_tags_ends() {
        let mut nested = serde_json::json!({".tag": "a"});
        for _ in 0..50 {
            nested = serde_json::json!({".tag": "a", "a": nested});
        }
        assert_eq!(Tags::of(&nested).0.len(), DEEPEST);
    }
}
