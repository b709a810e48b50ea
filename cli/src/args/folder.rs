//! What a person may decide about a folder on this device.

use db_to_cloud_folder::{FolderError, Selection};

/// Decisions about the folder, which are remembered here and never reach another device.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "This device's folder")]
pub(crate) struct FolderOptions {
    /// Let ignore files decide that came from another device. Until then those from before decide what this device
    /// uploads.
    #[arg(long, conflicts_with = "dry_run")]
    pub accept_ignore: bool,
    /// Take files from other devices that programs obey without asking, such as .git, .ssh and start files of
    /// shells, from now on.
    #[arg(long, conflicts_with_all = ["dry_run", "close_guard"])]
    pub open_guard: bool,
    /// Refuse such files again, as at first.
    #[arg(long, conflicts_with = "dry_run")]
    pub close_guard: bool,
    /// The drive that was mounted on this folder inside is gone for good: its documents that are missing count as
    /// deleted, on all devices.
    #[arg(long, value_name = "FOLDER", conflicts_with = "dry_run")]
    pub forget_drive: Vec<String>,
    /// Sync only what this pattern matches, and what lies below; may be given several times. A pattern has the syntax
    /// of .gitignore and is relative to the folder, such as /docs or '*.md'. It is remembered: syncs without
    /// --only and --exclude keep it. What is left out stays where it is, and is deleted nowhere.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub only: Vec<String>,
    /// Do not sync what this pattern matches, and what lies below, in the same way.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub exclude: Vec<String>,
    /// Sync all files again.
    #[arg(long, conflicts_with_all = ["only", "exclude"])]
    pub everything: bool,
}

/// One that cannot be understood is refused before anything is opened.
fn pattern(text: &str) -> Result<String, FolderError> {
    Selection::new([text.to_owned()], []).map(|_| text.to_owned())
}

impl FolderOptions {
    /// Whether anything was decided.
    pub(crate) fn is_any(&self) -> bool {
        let is_decided = self.accept_ignore || self.open_guard || self.close_guard;
        is_decided || !self.forget_drive.is_empty() || self.selects()
    }

    /// Whether the files to be synced are chosen.
    fn selects(&self) -> bool {
        self.everything || !self.only.is_empty() || !self.exclude.is_empty()
    }

    /// Which files are to be synced from now on, if that was said.
    pub(crate) fn selection(&self) -> Result<Option<Selection>, FolderError> {
        let selection = Selection::new(self.only.clone(), self.exclude.clone())?;
        Ok(Some(selection).filter(|_| self.selects()))
    }
}
