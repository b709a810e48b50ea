//! Document bytes inside JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A copy of a small document inside an entry or a snapshot: a JSON string if the bytes are UTF-8,
/// else `{"base64": "…"}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub Bytes);

/// Shows the length, never the content.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Json<'a> {
    Text(std::borrow::Cow<'a, str>),
    Binary { base64: String },
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Json::Text(text.into()),
            Err(_) => Json::Binary { base64: BASE64.encode(&self.0) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Text(text) => Ok(Self(Bytes::from(text.into_owned()))),
            Json::Binary { base64 } => match BASE64.decode(base64) {
                Ok(bytes) => Ok(Self(bytes.into())),
                Err(_) => Err(serde::de::Error::custom("a body is not base64")),
            },
        }
    }
}
