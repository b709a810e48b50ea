//! What can go wrong, what to do about it, and the exit codes.

mod json;

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use db_to_cloud::state::StateError;
use db_to_cloud::{Divergence, ErrorKind};
use db_to_cloud_folder::FolderError;
use db_to_cloud_sqlite::SqliteError;

pub(crate) use json::Script;

use crate::output;

/// The exit code of a command that waits for a decision; nothing was changed.
pub(crate) const ASKS: u8 = 4;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Sync(#[from] db_to_cloud::Error),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("open the state of this device in {path:?}")]
    State { path: PathBuf, source: StateError },
    #[error("{what}")]
    Io { what: String, source: io::Error },
    #[error("the database folder {0:?} does not exist")]
    NoDatabase(PathBuf),
    #[error("the database file {0:?} does not exist")]
    NoFile(PathBuf),
    #[error("{0:?} is not a folder")]
    NotAFolder(PathBuf),
    #[error("{0:?} is not a folder and not a SQLite database")]
    NotADatabase(PathBuf),
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    #[error("{0:?} was detached, removed or replaced while it was watched")]
    Lost(PathBuf),
    #[error("no table in {0:?} can be synced")]
    NoTables(PathBuf),
    #[error("nothing was done, as detaching forgets edits that were not synced yet: {0}")]
    Unsynced(u64),
    #[error("the remote {0:?} is a link to a folder that does not exist")]
    BrokenLink(PathBuf),
    #[error("the remote folder {0:?} does not exist, and neither does the folder it would be in")]
    NoParent(PathBuf),
    #[error("the remote {0:?} does not exist, but this database was synced with it before")]
    RemoteGone(String),
    #[error("there is no storage in {0:?}")]
    NoStorage(String),
    #[error("a device of the old application holds the lock of the old storage, {0}")]
    OldInUse(String),
    #[error("the remote folder {0:?} holds other files and no storage")]
    NotFree(PathBuf),
    #[error("no password for the user {0:?}")]
    NoPassword(String),
    #[error("others may read the password in {0:?}")]
    NotPrivate(PathBuf),
    #[error("{0:?} is not a password: it is empty or has several lines")]
    NotAPassword(PathBuf),
    #[error(transparent)]
    SignIn(db_to_cloud::Error),
    #[error("nobody is signed in at {title}: there is no {place}")]
    NotSignedIn { title: &'static str, place: String, login: String },
    #[error("the sign-in at {title} in {place} does not allow this kind of folder")]
    NotAllowed { title: &'static str, place: String, login: String },
    #[error("no {what} is given: this program has none of its own")]
    NoApplication { what: &'static str, name: &'static str },
    #[error("nothing was pasted that could be used: nobody was signed in")]
    NothingPasted,
    #[error("interrupted: nothing is lost, sync again to go on")]
    Interrupted,
}

impl Failure {
    /// Turns an error of the operating system into one that says what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Tells it on standard error, and on standard output if a script reads that; gives the exit code.
    pub(crate) fn report(&self, script: Option<Script>) -> ExitCode {
        if let Some(script) = script {
            self.print(script);
        }
        if matches!(self, Self::Interrupted) {
            output::note(self);
            return ExitCode::from(self.exit_code());
        }
        let chain = self.chain();
        let (error, causes) = chain.split_first().map_or(("", &[][..]), |(e, rest)| (e, rest));
        output::note(format_args!("error: {error}"));
        causes.iter().for_each(|cause| output::note(format_args!("  caused by: {cause}")));
        if let Some(hint) = self.hint() {
            output::note(format_args!("hint: {hint}"));
        }
        ExitCode::from(self.exit_code())
    }

    /// The error and what caused it. What the user typed may be in it, with a password.
    fn chain(&self) -> Vec<String> {
        let mut chain = vec![output::without_passwords(&self.to_string())];
        let mut source = self.source();
        while let Some(cause) = source {
            chain.push(output::without_passwords(&cause.to_string()));
            source = cause.source();
        }
        chain
    }

    fn exit_code(&self) -> u8 {
        let asks = [ErrorKind::Diverged, ErrorKind::Foreign, ErrorKind::Unrelated];
        match self {
            Self::Usage(_) => 2,
            Self::Sync(error) if asks.contains(&error.kind()) => ASKS,
            Self::NotFree(_) => ASKS,
            Self::Interrupted => 130,
            _ => 1,
        }
    }

    /// What to do, where the error itself does not say it.
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Usage(_) => "see `db-to-cloud help`",
            Self::Sync(error) | Self::SignIn(error) if is_of_kept_sign_in(error) => {
                "check permissions and free space there, or name another file with --tokens"
            }
            Self::Sync(error) if error.divergence().is_some() => {
                return error.divergence().map(|divergence| ways_on(divergence).to_owned());
            }
            Self::Sync(error) => return hint(error.kind()).map(str::to_owned),
            Self::SignIn(error) if error.is_transient() => "try again later",
            Self::SignIn(_) => return None,
            Self::NoApplication { what, name } => {
                return Some(format!(
                    "register an app (adapters/oauth/README.md tells how) and give its {what} with \
                     --client-id or in {name}"
                ));
            }
            Self::NotSignedIn { login, .. } => return Some(format!("sign in with `{login}`")),
            Self::NotAllowed { login, .. } => {
                return Some(format!(
                    "sign in with `{login} --access visible` for gdrive:/, with hidden for \
                     gdrive-appdata:/, or with both"
                ));
            }
            Self::NothingPasted => "start again: each address is good for one sign-in",
            Self::Sqlite(SqliteError::Table { .. }) => TABLES_FIRST,
            Self::NoFile(_) => {
                "is its drive mounted? on a new device first make an empty database with the same \
                 tables, such as by starting the application once"
            }
            Self::NoTables(_) => TABLES_FIRST,
            Self::Lost(_) => "start the watch again if it is to be synced",
            Self::Unsynced(_) => "sync first, or add --yes",
            Self::NotADatabase(_) => "give a folder, or a SQLite database that has its tables",
            Self::Sqlite(_) | Self::Folder(_) | Self::Io { .. } | Self::Interrupted => return None,
            Self::State { source: StateError::Busy, .. } => {
                return hint(ErrorKind::Busy).map(str::to_owned);
            }
            Self::State { .. } => return hint(ErrorKind::State).map(str::to_owned),
            Self::NoDatabase(_) => {
                "is its drive mounted? to start with an empty database, make the folder first"
            }
            Self::NotAFolder(_) => "give a folder",
            Self::BrokenLink(_) => "is its drive mounted? mend the link or make the folder",
            Self::NoParent(_) => {
                "is its drive mounted? only the last part of the path is made, so make the rest first"
            }
            Self::RemoteGone(_) => {
                "is its drive mounted? to start anew with an empty storage there, make the folder \
                 and sync with --yes"
            }
            Self::OldInUse(_) => {
                "end the old application on all devices, or wait until its sync has ended, then import \
                 again; if no device is running it, add --ignore-lock"
            }
            Self::NoStorage(_) => "is its drive mounted? is it the right folder?",
            Self::NoPassword(_) => {
                "set WEBDAV_PASSWORD, or name a private file with --password-file or \
                 WEBDAV_PASSWORD_FILE, or run this on a terminal; for a token set WEBDAV_TOKEN and \
                 name no user"
            }
            Self::NotPrivate(_) => "let nobody else read it: chmod 600",
            Self::NotAPassword(_) => "write nothing but the password into it",
            Self::NotFree(_) => {
                "give a folder of its own, which is made if it does not exist; to have the storage \
                 among these files, use --yes"
            }
        };
        Some(hint.to_owned())
    }
}

/// For a device that has no tables yet.
const TABLES_FIRST: &str = "a table must have a primary key, and be there before its rows can come: make \
                            it as on the other devices, such as by starting the application once";

/// What to do about an error that passes by itself.
pub(crate) fn advice(error: &db_to_cloud::Error) -> &'static str {
    match error.kind() {
        ErrorKind::Busy => "another sync of this database with this remote is running",
        ErrorKind::Locked => "see with `db-to-cloud unlock <REMOTE>` who holds the lock",
        _ => "nothing is lost",
    }
}

/// Whether the file with the sign-in could not be read or written, not the state of a database.
fn is_of_kept_sign_in(error: &db_to_cloud::Error) -> bool {
    error.kind() == ErrorKind::State && error.operation().ends_with("the sign-in")
}

/// The ways on of a storage that is not as this device left it.
fn ways_on(divergence: Divergence) -> &'static str {
    match divergence {
        Divergence::Emptied | Divergence::LogLost => {
            "is its drive mounted, is it the right place? if it is, put the documents of this device \
             back with --put-back; to leave it as it is, do nothing"
        }
        Divergence::RolledBack { .. } => {
            "if this is the storage you mean, put back what it lost with --put-back; to compare all \
             documents anew, use --start-over; to leave it as it is, do nothing"
        }
        Divergence::Forked { .. } | Divergence::Continued => {
            "if this is the storage you mean, join both sides with --rejoin: what changed on both is a \
             conflict, see --on-conflict; to compare all documents anew, use --start-over; to leave it \
             as it is, do nothing"
        }
        Divergence::Mixed => {
            "join both with --rejoin, for all devices: what changed on both is a conflict, see \
             --on-conflict; if another program copies the folder, let it finish first"
        }
        _ => {
            "give the storage that belongs to this database; to sync with this one all the same, use \
             --accept-remote: documents that differ become conflicts, see --on-conflict"
        }
    }
}

fn hint(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Diverged => {
            "if this is the storage you mean (it was emptied, restored or replaced), sync with \
             --yes: documents that differ become conflicts, see --on-conflict"
        }
        ErrorKind::Foreign => {
            "give a place of its own, which is made if it does not exist; among other files a storage \
             is begun with --yes, over objects of another program never"
        }
        ErrorKind::Unrelated => {
            "if they belong together, sync with --join; else give another storage"
        }
        ErrorKind::TooManyDeletes => {
            "look with --dry-run what would be changed; if it is right, sync with --accept-deletes"
        }
        ErrorKind::Busy => {
            "another sync of this database with this remote is running: wait until it ends"
        }
        ErrorKind::Locked => {
            "see with `db-to-cloud unlock <REMOTE>` who holds the lock; if that device is gone, \
             break it with --force"
        }
        ErrorKind::Unavailable | ErrorKind::Throttled | ErrorKind::TimedOut => {
            "nothing is lost: sync again later to go on"
        }
        ErrorKind::Unauthorized => "sign in anew, or mend the credentials",
        ErrorKind::Forbidden => "mend the permissions of the storage",
        ErrorKind::Full => "make room in the storage, then sync again",
        ErrorKind::Corrupt => {
            "see with `db-to-cloud repair <DATABASE> <REMOTE>` what can be done, or restore the damaged \
             object from a backup of the storage; nothing was changed here"
        }
        ErrorKind::WeakStorage => {
            "choose a storage with atomic create, or leave out --require-strong: it is then used \
             under a lock"
        }
        ErrorKind::NewerFormat => "update db-to-cloud on this device",
        ErrorKind::State => {
            "check permissions and free space of the folder .db-to-cloud in the database, or of the \
             SQLite file"
        }
        ErrorKind::Database => "check that the database can be read and written",
        _ => return None,
    })
}
