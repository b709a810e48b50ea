//! What can be said to sign in and out.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;

use crate::service::Service;

#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    #[arg(value_enum)]
    pub service: Service,
    /// The app key of Dropbox or the client id of Google [default: DROPBOX_APP_KEY or
    /// GOOGLE_CLIENT_ID, else that of the last sign-in]. Google's client secret comes from
    /// GOOGLE_CLIENT_SECRET.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: Option<String>,
    /// Open no browser here: show an address for a browser anywhere, and ask for what it ends at.
    #[arg(long)]
    pub no_browser: bool,
    /// What to ask Google for.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Access::Visible)]
    pub access: Access,
    #[command(flatten)]
    pub kept: Kept,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    #[arg(value_enum)]
    pub service: Service,
    /// Only remove the file, without telling the service: the sign-in can still be used by whoever
    /// has a copy.
    #[arg(long)]
    pub local: bool,
    #[command(flatten)]
    pub kept: Kept,
}

/// Where the sign-in is kept.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Kept {
    /// The file that keeps the sign-in [default: DB_TO_CLOUD_TOKENS, then dropbox.json or
    /// google-drive.json in $XDG_CONFIG_HOME/db-to-cloud or ~/.config/db-to-cloud].
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
}

/// What a sign-in at Google allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Access {
    /// A folder that you see, and in it what this application made.
    Visible,
    /// A hidden folder, which Google deletes when you disconnect the application.
    Hidden,
    /// Both.
    Both,
}
