//! What can be said to import.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::Kept;
use crate::failure::Failure;
use crate::remote::{Remote, RemoteUrl};

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The storage of the JavaScript db-to-cloud: a folder (./old), WebDAV (webdavs://user@host/path),
    /// dropbox:/ (the app's folder) or gdrive-appdata:/ (the app's hidden folder). It is only read.
    #[arg(value_name = "FROM", value_parser = OsStringValueParser::new().try_map(RemoteUrl::parse))]
    pub from: RemoteUrl,
    /// The storage that gets the documents, as for `sync`: a new one, or one that an import which was
    /// interrupted began.
    #[arg(value_name = "TO", value_parser = OsStringValueParser::new().try_map(RemoteUrl::parse))]
    pub to: RemoteUrl,
    /// A private file with the password for FROM, if it is WebDAV [default: as --password-file].
    #[arg(long, value_name = "FILE")]
    pub from_password_file: Option<PathBuf>,
    /// A private file with the password for TO, if it is WebDAV [default: WEBDAV_PASSWORD, then the file
    /// that WEBDAV_PASSWORD_FILE names, then the terminal].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The file that keeps the sign-in for FROM, made by `login --tokens FILE` with the app key or client
    /// id of the old application [default: as --tokens].
    #[arg(long, value_name = "FILE")]
    pub from_tokens: Option<PathBuf>,
    #[command(flatten)]
    pub kept: Kept,
    /// Read FROM although its lock says that a device of the old application is syncing now.
    #[arg(long)]
    pub ignore_lock: bool,
    /// Print the report as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

impl Import {
    /// Looks up which storages they are.
    pub(crate) fn resolve(&self) -> Result<(Remote, Remote), Failure> {
        let password = self.from_password_file.as_deref().or(self.password_file.as_deref());
        let tokens = self.kept.tokens.as_deref();
        let from = self.from.resolve(password, self.from_tokens.as_deref().or(tokens))?;
        Ok((from, self.to.resolve(self.password_file.as_deref(), tokens)?))
    }
}
