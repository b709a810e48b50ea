//! The record of the place in the log, which says in which format all records of the state are (rule C1).

use serde::{Deserialize, Serialize};

use super::state::Table;
use super::sync_state::parse;
use crate::model::{Error, ErrorKind, LogPosition};

/// The format of the records that this program reads and writes.
const FORMAT: u64 = 1;

/// The version of this program.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// The characters of a version that an error shows.
const SHOWN: usize = 40;

#[derive(Serialize)]
pub(super) struct Written<'a> {
    format: u64,
    written_by: &'static str,
    #[serde(flatten)]
    position: &'a LogPosition,
}

/// What any program reads of a state, whatever its format. Without a format it is 1.
#[derive(Deserialize)]
struct Header {
    format: Option<u64>,
    written_by: Option<String>,
}

/// The record of a position.
pub(super) fn written(position: &LogPosition) -> Written<'_> {
    Written { format: FORMAT, written_by: PROGRAM, position }
}

/// Reads the record of a position.
pub(super) fn read(value: &[u8]) -> Result<LogPosition, Error> {
    let header: Header = parse(Table::Metadata, value)?;
    match header.format {
        None | Some(FORMAT) => parse(Table::Metadata, value),
        Some(format) => Err(newer(format, header.written_by.as_deref())),
    }
}

fn newer(format: u64, by: Option<&str>) -> Error {
    let version = match by {
        Some(by) => format!("version {} or newer", by.chars().take(SHOWN).collect::<String>()),
        None => "a newer version".to_owned(),
    };
    Error::new(ErrorKind::NewerFormat, "read client state").with_message(format!(
        "it has format {format}, this program reads format {FORMAT}: install {version} on this device"
    ))
}
