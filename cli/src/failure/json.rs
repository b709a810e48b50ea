//! A failure for scripts: one JSON object on standard output.

use db_to_cloud::{Divergence, ErrorKind, Timestamp};
use serde::Serialize;

use super::Failure;
use crate::output;

/// What is printed of a failure. Its keys and the codes are a promise.
#[derive(Debug, Serialize)]
struct Json {
    /// With `--watch` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    code: &'static str,
    message: String,
    exit: u8,
    /// What may be added to the command line, or another command.
    ways: &'static [&'static str],
}

/// What scripts read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// One object.
    Object,
    /// One a line, each with its time.
    Lines,
}

impl Failure {
    /// Prints it for scripts.
    pub(super) fn print(&self, script: Script) {
        let lines = script == Script::Lines;
        let now = || Timestamp::from(std::time::SystemTime::now()).to_string();
        let json = Json {
            time: lines.then(now),
            event: lines.then_some("failed"),
            code: self.code(),
            message: self.chain().join(": "),
            exit: self.exit_code(),
            ways: self.ways(),
        };
        if let Err(failure) = output::json(&json) {
            output::note(format_args!("error: {failure}"));
        }
    }

    /// The word for what happened.
    fn code(&self) -> &'static str {
        match self {
            Self::Sync(error) | Self::SignIn(error) => match error.divergence() {
                Some(divergence) => divergence.code(),
                None => error.kind().code(),
            },
            Self::Usage(_) => "usage",
            Self::Folder(_) | Self::Sqlite(_) | Self::NoTables(_) | Self::Lost(_) => {
                ErrorKind::Database.code()
            }
            Self::NoDatabase(_) | Self::NoFile(_) | Self::NotAFolder(_) | Self::NotADatabase(_) => {
                "no-database"
            }
            Self::State { .. } => ErrorKind::State.code(),
            Self::Io { .. } => "io",
            Self::Unsynced(_) => "unsynced",
            Self::BrokenLink(_) | Self::NoParent(_) | Self::NoStorage(_) | Self::RemoteGone(_) => {
                "no-storage"
            }
            Self::OldInUse(_) => ErrorKind::Locked.code(),
            Self::NotFree(_) => ErrorKind::Foreign.code(),
            Self::NoPassword(_) | Self::NotPrivate(_) | Self::NotAPassword(_) => "no-password",
            Self::NotSignedIn { .. } | Self::NoApplication { .. } | Self::NothingPasted => {
                ErrorKind::Unauthorized.code()
            }
            Self::NotAllowed { .. } => ErrorKind::Forbidden.code(),
            Self::Interrupted => "interrupted",
        }
    }

    /// The ways on that the hint names.
    fn ways(&self) -> &'static [&'static str] {
        match self {
            Self::Sync(error) => match error.divergence() {
                Some(divergence) => ways_of(divergence),
                None => ways(error.kind()),
            },
            Self::NotFree(_) | Self::Unsynced(_) => &["--yes"],
            Self::OldInUse(_) => &["--ignore-lock"],
            _ => &[],
        }
    }
}

fn ways_of(divergence: Divergence) -> &'static [&'static str] {
    match divergence {
        Divergence::Emptied | Divergence::LogLost => &["--put-back"],
        Divergence::RolledBack { .. } => &["--put-back", "--start-over"],
        Divergence::Forked { .. } | Divergence::Continued => &["--rejoin", "--start-over"],
        Divergence::Mixed => &["--rejoin"],
        Divergence::Exchanged => &["--accept-remote"],
        _ => &[],
    }
}

fn ways(kind: ErrorKind) -> &'static [&'static str] {
    match kind {
        ErrorKind::Unrelated => &["--join"],
        ErrorKind::TooManyDeletes => &["--accept-deletes"],
        ErrorKind::Corrupt => &["repair"],
        ErrorKind::Locked => &["unlock"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_offered_each_way_that_a_script_is() {
        let found = [
            Divergence::Emptied,
            Divergence::LogLost,
            Divergence::RolledBack { since: 1 },
            Divergence::Forked { since: 1 },
            Divergence::Mixed,
            Divergence::Continued,
            Divergence::Exchanged,
        ];
        for divergence in found {
            let hint = super::super::ways_on(divergence);
            let named = hint.matches("--").count() - hint.matches("--on-conflict").count();
            assert_eq!(named, ways_of(divergence).len(), "{divergence:?}: {hint}");
            assert!(ways_of(divergence).iter().all(|way| hint.contains(way)), "{divergence:?}");
        }
        for kind in
            [ErrorKind::Unrelated, ErrorKind::TooManyDeletes, ErrorKind::Corrupt, ErrorKind::Locked]
        {
            let hint = super::super::hint(kind).unwrap();
            assert!(ways(kind).iter().all(|way| hint.contains(way)), "{kind:?}: {hint}");
        }
    }
}
