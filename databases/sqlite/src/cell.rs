//! One value of a row, exactly, and its form in a document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde_json::Value;

/// A value as SQLite stores it. In a document it is:
///
/// | SQLite | JSON |
/// |---|---|
/// | NULL | `null` |
/// | INTEGER | a number without fraction and exponent, beyond 2^53 too |
/// | REAL | a number with a fraction or an exponent, the shortest that is read as the same |
/// | REAL, infinite | `{"real": "inf"}`, `{"real": "-inf"}` |
/// | TEXT | a string |
/// | TEXT that is not UTF-8 | `{"text": "<base64>"}` |
/// | BLOB | `{"blob": "<base64>"}` |
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl PartialEq for Cell {
    /// The same type and the same bits: `-0.0` is not `0.0`, and `1` is not `1.0`.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) | (Self::Blob(a), Self::Blob(b)) => a == b,
            _ => false,
        }
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(i) => Self::Integer(i),
            ValueRef::Real(f) => Self::Real(f),
            ValueRef::Text(text) => Self::Text(text.to_vec()),
            ValueRef::Blob(blob) => Self::Blob(blob.to_vec()),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(i) => ValueRef::Integer(*i),
            Self::Real(f) => ValueRef::Real(*f),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}

impl Cell {
    /// Appends the JSON of the value.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Integer(i) => out.extend(i.to_string().as_bytes()),
            // Always with a fraction or an exponent, and the same for ever.
            Self::Real(f) if f.is_finite() => out.extend(format!("{f:?}").as_bytes()),
            Self::Real(f) => wrap(out, "real", if *f > 0.0 { "inf" } else { "-inf" }),
            Self::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => write_json(out, text),
                Err(_) => wrap(out, "text", &BASE64.encode(text)),
            },
            Self::Blob(blob) => wrap(out, "blob", &BASE64.encode(blob)),
        }
    }

    /// The JSON of the value.
    pub(crate) fn to_json(&self) -> Value {
        let mut out = Vec::new();
        self.write_json(&mut out);
        serde_json::from_slice(&out).unwrap_or_default()
    }

    /// The reverse; `None` if no value of SQLite is written like this.
    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        Some(match json {
            Value::Null => Self::Null,
            Value::Number(number) if number.is_f64() => Self::Real(number.as_f64()?),
            Value::Number(number) => Self::Integer(number.as_i64()?),
            Value::String(text) => Self::Text(text.clone().into_bytes()),
            Value::Object(object) if object.len() == 1 => {
                let (kind, value) = object.iter().next()?;
                let value = value.as_str()?;
                match (kind.as_str(), value) {
                    ("real", "inf") => Self::Real(f64::INFINITY),
                    ("real", "-inf") => Self::Real(f64::NEG_INFINITY),
                    ("text", _) => Self::Text(BASE64.decode(value).ok()?),
                    ("blob", _) => Self::Blob(BASE64.decode(value).ok()?),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

/// Appends the JSON of a value that always has one.
pub(crate) fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Neither a string nor what was read from JSON can fail, nor can a Vec.
    let _ = serde_json::to_writer(out, value);
}

fn wrap(out: &mut Vec<u8>, kind: &str, text: &str) {
    out.extend(format!("{{\"{kind}\":\"{text}\"}}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(cell: &Cell) -> String {
        let mut out = Vec::new();
        cell.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_value_has_the_documented_form_and_comes_back_from_it() {
        let cells = [
            (Cell::Null, "null"),
            (Cell::Integer(i64::MAX), "9223372036854775807"),
            (Cell::Integer(i64::MIN), "-9223372036854775808"),
            (Cell::Real(5.0), "5.0"),
            (Cell::Real(-0.0), "-0.0"),
            (Cell::Real(1e300), "1e300"),
            (Cell::Real(1e16), "1e16"),
            (Cell::Real(5e-324), "5e-324"),
            (Cell::Real(f64::MAX), "1.7976931348623157e308"),
            (Cell::Real(0.1), "0.1"),
            (Cell::Real(9_007_199_254_740_993.0), "9007199254740992.0"),
            (Cell::Real(f64::INFINITY), r#"{"real":"inf"}"#),
            (Cell::Real(f64::NEG_INFINITY), r#"{"real":"-inf"}"#),
            (Cell::Text(b"a\"\0".to_vec()), "\"a\\\"\\u0000\""),
            (Cell::Text(vec![0xff]), r#"{"text":"/w=="}"#),
            (Cell::Blob(vec![0, 1]), r#"{"blob":"AAE="}"#),
        ];
        for (cell, text) in cells {
            assert_eq!(json(&cell), text);
            let read = Cell::from_json(&serde_json::from_str(text).unwrap());
            assert_eq!(read, Some(cell), "{text}");
        }
    }

    #[test]
    fn other_json_is_no_value() {
        for text in ["true", "[]", "{}", "18446744073709551615", r#"{"blob":"-"}"#, r#"{"x":"y"}"#]
        {
            assert_eq!(Cell::from_json(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
