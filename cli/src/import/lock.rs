//! Whether a device of the old application is syncing now.

use db_to_cloud::Timestamp;
use serde::Deserialize;

use super::files::Patient;
use crate::failure::Failure;
use crate::output::note;

/// `lock.json`. At Google Drive the file stays, without a time.
#[derive(Deserialize)]
struct Lock {
    /// In milliseconds since 1970, by the clock of the device that made it.
    expire: Option<f64>,
}

/// Refuses a storage that is in use: its log would be read half-written. A lock whose time is over is that of
/// a device that was stopped.
pub(super) async fn check(files: &Patient, ignore: bool) -> Result<(), Failure> {
    let Some(bytes) = files.get("lock.json").await? else { return Ok(()) };
    let held = held(&bytes, now());
    match held {
        Held::No => {}
        Held::Over => note(
            "note: a device was stopped while it synced with the old storage: what it had not pushed is \
             only on that device",
        ),
        _ if ignore => note("note: the old storage is locked, and read all the same"),
        Held::Until(minutes) => {
            return Err(Failure::OldInUse(format!("for {minutes} minutes more at most")));
        }
        Held::Unknown => return Err(Failure::OldInUse("until when is not known".into())),
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Held {
    No,
    Over,
    /// Minutes from now.
    Until(u64),
    Unknown,
}

fn held(bytes: &[u8], now: f64) -> Held {
    match serde_json::from_slice(bytes) {
        Err(_) => Held::Unknown,
        Ok(Lock { expire: None }) => Held::No,
        Ok(Lock { expire: Some(expire) }) if expire <= now => Held::Over,
        Ok(Lock { expire: Some(expire) }) => Held::Until(((expire - now) / 60_000.0).ceil() as u64),
    }
}

fn now() -> f64 {
    Timestamp::from(std::time::SystemTime::now()).as_millis() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_counts_until_its_time_is_over() {
        let held = |text: &str| super::held(text.as_bytes(), 1_000_000.0);
        assert_eq!(held("{}"), Held::No);
        assert_eq!(held(r#"{"expire":1000000}"#), Held::Over);
        assert_eq!(held(r#"{"expire":1000001}"#), Held::Until(1));
        assert_eq!(held(r#"{"expire":4600000}"#), Held::Until(60));
        assert_eq!(held(r#"{"exp"#), Held::Unknown);
    }
}
