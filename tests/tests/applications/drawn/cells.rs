//! Values: those that are drawn, and how they are written in documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use fastrand::Rng;
use rusqlite::types::ValueRef;
use serde_json::{Value, json as object};

use crate::drawn::shape::Kind;

/// As the documentation of the library says.
pub(super) fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) if number.is_finite() => number.into(),
        ValueRef::Real(number) => object!({ "real": if number > 0.0 { "inf" } else { "-inf" } }),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(_) => object!({ "text": BASE64.encode(text) }),
        },
        ValueRef::Blob(blob) => object!({ "blob": BASE64.encode(blob) }),
    }
}

/// The value in SQL.
pub(super) fn literal(value: &Value) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bytes =
        |value: &Value| BASE64.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
    match value {
        Value::Null => "NULL".into(),
        Value::String(text) => format!("CAST(x'{}' AS TEXT)", hex(text.as_bytes())),
        Value::Object(object) => match object.iter().next() {
            Some((kind, value)) if kind == "blob" => format!("x'{}'", hex(&bytes(value))),
            Some((kind, value)) if kind == "text" => {
                format!("CAST(x'{}' AS TEXT)", hex(&bytes(value)))
            }
            Some((_, value)) if value == "-inf" => "-9e999".into(),
            _ => "9e999".into(),
        },
        number => number.to_string(),
    }
}

const TEXTS: &[&str] = &[
    "'007'",
    "'1e3'",
    "''",
    "'1'",
    "'1.0'",
    "' 1'",
    "'a' || char(0) || 'b'",
    "'Straße'",
    "'it''s'",
    "CAST(x'41ff' AS TEXT)",
    "'{\"a\": 1}'",
];
const INTEGERS: &[&str] =
    &["0", "1", "-1", "7", "9007199254740993", "9223372036854775807", "(-9223372036854775807 - 1)"];
const REALS: &[&str] =
    &["0.5", "-0.0", "1.0", "1e300", "9e999", "-9e999", "5e-324", "9007199254740992.0"];
const BLOBS: &[&str] = &["x''", "x'00'", "x'31'", "x'41ff00'"];

/// A value that a column of this kind may have; in SQL.
pub(super) fn any(kind: Kind, strict: bool, dice: &mut Rng) -> String {
    // SQLite converts what is of another type, or keeps it.
    let kind = match dice.u8(..4) {
        0 if !strict => [Kind::Text, Kind::Integer, Kind::Real, Kind::Blob][dice.usize(..4)],
        _ => kind,
    };
    let pools: &[&[&str]] = match kind {
        Kind::Text => &[TEXTS],
        Kind::Integer => &[INTEGERS],
        Kind::Real => &[REALS],
        Kind::Blob => &[BLOBS],
        Kind::Numeric | Kind::Any => &[TEXTS, INTEGERS, REALS, BLOBS],
    };
    let pool = pools[dice.usize(..pools.len())];
    pool[dice.usize(..pool.len())].to_owned()
}
