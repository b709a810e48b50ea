//! What can be said on the command line.

mod folder;
mod import;
mod sign_in;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use db_to_cloud::SyncOptions;

pub(crate) use folder::FolderOptions;
pub(crate) use import::Import;
pub(crate) use sign_in::{Access, Kept, Login, Logout};

use crate::failure::{Failure, Script};
use crate::remote::{Remote, RemoteUrl};
use crate::sys;

/// Sync the files of a folder, or the tables of a SQLite database, between devices, through storage you own.
#[derive(Debug, Parser)]
#[command(name = "db-to-cloud", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// Tell more: -v each document and what is skipped, -vv each step.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 synced, 1 error, 2 wrong usage, 3 synced but copies of conflicts, documents that \
could not be synced or files that cannot be documents need a look, 4 the storage is not as this device left it, or not for these \
documents: nothing was changed, and the ways on are named, 130 interrupted. `sync --watch` ends with 0 when it is stopped \
between two syncs. Interrupting is always safe: sync again to go on.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a folder, or tables of a SQLite database, and a storage together.
    Sync(Sync),
    /// Show where a folder or tables and a storage stand; changes nothing.
    Status(Status),
    /// Take over the documents of a storage that the JavaScript db-to-cloud (npm, 0.8.1) wrote.
    Import(Import),
    /// Drop the triggers and all that is kept in a SQLite database; its rows stay.
    Detach(Detach),
    /// Show who holds the lock of a storage; with --force, break it.
    Unlock(Unlock),
    /// Show what can be done about a damaged storage that no device can read on, and do it.
    Repair(Repair),
    /// Sign in to Dropbox or Google Drive; the sign-in is kept in a private file.
    Login(Login),
    /// Sign out: the service takes the sign-in back, and the file is removed.
    Logout(Logout),
}

impl Command {
    /// Whether its output is for scripts.
    pub(crate) fn script(&self) -> Option<Script> {
        let (json, lines) = match self {
            Self::Sync(options) => (options.json, options.watch),
            Self::Status(options) => (options.json, false),
            Self::Import(options) => (options.json, false),
            Self::Repair(options) => (options.json, false),
            Self::Detach(_) | Self::Unlock(_) | Self::Login(_) | Self::Logout(_) => (false, false),
        };
        json.then_some(if lines { Script::Lines } else { Script::Object })
    }
}

/// The two sides.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sides {
    /// The folder whose files are synced, or the SQLite database whose tables are.
    pub database: PathBuf,
    #[command(flatten)]
    pub tables: Tables,
    #[command(flatten)]
    pub storage: Storage,
}

/// Which tables of a SQLite database are synced.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Tables {
    /// Sync this table of the SQLite database; may be given several times. It must exist on each
    /// device: rows of one that does not are held until it does.
    #[arg(long = "table", value_name = "TABLE", value_parser = NonEmptyStringValueParser::new())]
    pub tables: Vec<String>,
    /// Sync all tables of the SQLite database that can be; it tells which cannot and why.
    #[arg(long, conflicts_with = "tables")]
    pub all_tables: bool,
}

impl Tables {
    /// Whether the user named any.
    pub(crate) fn is_any(&self) -> bool {
        self.all_tables || !self.tables.is_empty()
    }
}

/// Where the devices meet.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Storage {
    /// The storage: a folder (./cloud, file:///mnt/usb/notes; if another program carries its files
    /// between the devices, file:///home/ada/carried?synced-by=other-program), a bucket
    /// (s3://bucket/prefix?region=…, ?endpoint=http://127.0.0.1:9000&path-style=true; credentials from
    /// the usual AWS variables), a collection of WebDAV (webdavs://user@host/path; password from
    /// WEBDAV_PASSWORD, a private file or the terminal), or, after `login`, a folder of Dropbox
    /// (dropbox:/notes) or of Google Drive (gdrive:/notes; gdrive-appdata:/ is the app's hidden
    /// folder).
    #[arg(value_parser = OsStringValueParser::new().try_map(RemoteUrl::parse))]
    pub remote: RemoteUrl,
    /// A file with the password for WebDAV, which only you may read [default: WEBDAV_PASSWORD, then
    /// the file that WEBDAV_PASSWORD_FILE names, then the terminal].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub kept: Kept,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub sides: Sides,
    /// What to do with a file or row that was changed on two devices [default: keep-both for
    /// files, later for rows].
    #[arg(long, value_enum, value_name = "HOW")]
    pub on_conflict: Option<OnConflict>,
    /// The name of this device, for people to read [default: the host name].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub device: Option<String>,
    /// Accept what --go-on and --give-up-missing accept, and the deletion of more than half of the documents.
    #[arg(short, long)]
    pub yes: bool,
    /// Go on although the storage is not as this device left it, if it is the same one: put back what it
    /// lost (it was emptied, or restored from a backup), or join two branches of it. What changed on both
    /// sides is a conflict.
    #[arg(long, visible_aliases = ["put-back", "rejoin"])]
    pub go_on: bool,
    /// Accept whatever storage is there, also another one, or a place with other files: all documents that
    /// differ are conflicts.
    #[arg(long, visible_alias = "start-over")]
    pub accept_remote: bool,
    /// Join the documents of this device with those of a storage that has few in common with it.
    #[arg(long)]
    pub join: bool,
    /// Accept a sync that deletes more than half of the documents, or replaces them by older ones.
    #[arg(long)]
    pub accept_deletes: bool,
    /// Try again what this device could not take, also if nothing has changed here since.
    #[arg(long)]
    pub retry_refused: bool,
    /// Look whether the storage still has all documents that this device has synced, and put those again
    /// that it lost.
    #[arg(long)]
    pub verify: bool,
    /// Put what this device has in the place of documents that are missing in the storage, for all devices.
    /// First sync the device that wrote them with --verify.
    #[arg(long)]
    pub give_up_missing: bool,
    /// Refuse a storage without atomic create, instead of working under a lock there.
    #[arg(long)]
    pub require_strong: bool,
    /// Show what would be pulled, pushed and deleted, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Stay, and sync whenever a file changes here or another device commits something. Ctrl-C ends
    /// it. What --yes and the like accept, they accept for the first sync only.
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Print the report as one JSON object on standard output; with --watch one a line.
    #[arg(long)]
    pub json: bool,
    /// Give up after so many seconds; the next sync goes on.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
    #[command(flatten)]
    pub folder: FolderOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub sides: Sides,
    /// List what is left out of a folder, and which pattern does that. The storage is not asked.
    #[arg(long)]
    pub ignored: bool,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Detach {
    /// The SQLite database.
    pub database: PathBuf,
    /// Do it even if edits were not synced yet: a later sync takes each row that differs for a
    /// conflict, and rows deleted since the last sync come back.
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Unlock {
    #[command(flatten)]
    pub storage: Storage,
    /// Break the lock: only if the device that holds it is gone.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub sides: Sides,
    /// Do it. Without this a person at a terminal is asked, and else nothing is changed.
    #[arg(short, long)]
    pub yes: bool,
    /// Print the steps as one JSON object on standard output, and ask nobody.
    #[arg(long)]
    pub json: bool,
}

/// Who wins when two devices changed one file or row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// Keep both: the version of the storage keeps the name, this device's version becomes a copy
    /// beside it, named with device and time. An edit wins over a delete. Not for rows: a copy needs a key of
    /// its own.
    KeepBoth,
    /// This device's version wins, its deletes too.
    Local,
    /// The version of the storage wins, its deletes too.
    Remote,
    /// The later one wins: this file's modification time against the other device's time of
    /// syncing. It trusts the clocks of both devices. An edit wins over a delete; if the times are
    /// equal or unknown both are kept. Not for rows, which have no time.
    Newest,
    /// Ask on the terminal.
    Ask,
    /// Decide later: this device and the storage each keep their version, and all others are synced.
    Later,
}

impl Storage {
    /// Looks up which storage it is.
    pub(crate) fn resolve(&self) -> Result<Remote, Failure> {
        self.remote.resolve(self.password_file.as_deref(), self.kept.tokens.as_deref())
    }
}

impl Sync {
    /// What the user decided beforehand.
    pub(crate) fn options(&self) -> SyncOptions {
        SyncOptions {
            go_on: self.yes || self.go_on,
            accept_remote: self.accept_remote,
            join: self.join,
            accept_deletes: self.yes || self.accept_deletes,
            retry_refused: self.retry_refused,
            verify: self.verify,
            give_up_missing: self.yes || self.give_up_missing,
        }
    }

    /// The name of this device.
    pub(crate) fn device(&self) -> String {
        device_name(self.device.clone())
    }

    /// The limit for the whole sync.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }
}

/// The name that was given, or else that of the host.
pub(crate) fn device_name(given: Option<String>) -> String {
    let name = given.unwrap_or_else(sys::host_name);
    if name.trim().is_empty() { "unnamed device".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn yes_accepts_what_loses_nothing_and_the_finer_ones_accept_one_each() {
        let sync = |more: &[&str]| {
            let line = ["db-to-cloud", "sync", "a", "b"].iter().chain(more);
            match Args::try_parse_from(line).unwrap().command {
                Command::Sync(sync) => {
                    let options = sync.options();
                    (options.go_on, options.accept_remote, options.accept_deletes)
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(sync(&[]), (false, false, false));
        assert_eq!(sync(&["--yes"]), (true, false, true));
        assert_eq!(sync(&["--put-back"]), (true, false, false));
        assert_eq!(sync(&["--accept-remote"]), (false, true, false));
        assert_eq!(sync(&["--accept-deletes"]), (false, false, true));
    }
}
