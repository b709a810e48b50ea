//! JSON as Dropbox writes it: keys in the order of its code, `.tag` first, `", "` and `": "` between, and
//! ASCII only.

use std::fmt::{self, Write};

/// A value whose keys keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// A union's member without a value.
    pub(crate) fn tag(tag: &'static str) -> Self {
        Self::Object(vec![(".tag", Self::Text(tag.to_owned()))])
    }

    /// A union's member whose value is a union or a primitive: it stands under the tag's name.
    pub(crate) fn nested(tag: &'static str, value: Self) -> Self {
        Self::tag(tag).with(tag, value)
    }

    /// A union's member whose value is a struct: its fields stand beside the tag.
    pub(crate) fn flat(tag: &'static str, fields: Self) -> Self {
        match (Self::tag(tag), fields) {
            (Self::Object(mut all), Self::Object(fields)) => {
                all.extend(fields);
                Self::Object(all)
            }
            (tag, _) => tag,
        }
    }

    /// An object without fields.
    pub(crate) fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// One more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Self>) -> Self {
        if let Self::Object(fields) = &mut self {
            fields.push((name, value.into()));
        }
        self
    }

    /// The tags from the outside in: `path/conflict/file`.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let Self::Object(fields) = self else { return Vec::new() };
        let mut tags = Vec::new();
        for (name, value) in fields {
            match value {
                Self::Text(tag) if *name == ".tag" => tags.push(tag.as_str()),
                Self::Object(_) => {
                    tags.extend(value.tags());
                    break;
                }
                _ => {}
            }
        }
        tags
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write_text(f, text),
            Self::List(values) => {
                f.write_char('[')?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Self::Object(fields) => {
                f.write_char('{')?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}\"{name}\": {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_char('}')
            }
        }
    }
}

/// What is not printable ASCII becomes `\uXXXX`, in two of them if it must.
fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => f.write_str("\\\"")?,
            Ok(b'\\') => f.write_str("\\\\")?,
            Ok(byte @ b' '..=b'~') => f.write_char(byte.into())?,
            _ => write!(f, "\\u{unit:04x}")?,
        }
    }
    f.write_char('"')
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Self>> for Json {
    fn from(values: Vec<Self>) -> Self {
        Self::List(values)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn a_conflict_is_written_as_the_service_writes_it() {
        let conflict = Json::nested("conflict", Json::tag("file"));
        let fields = Json::object().with("reason", conflict).with("upload_session_id", "pid");
        let error = Json::flat("path", fields);
        assert_eq!(
            error.to_string(),
            r#"{".tag": "path", "reason": {".tag": "conflict", "conflict": {".tag": "file"}}, "upload_session_id": "pid"}"#
        );
        assert_eq!(error.tags(), ["path", "conflict", "file"]);
    }

    #[test]
    fn text_is_ascii() {
        assert_eq!(
            Json::from("é\n\u{7f}😀\"").to_string(),
            r#""\u00e9\u000a\u007f\ud83d\ude00\"""#
        );
    }
}
