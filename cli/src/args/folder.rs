//! What a person may decide about a folder on this device.

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
}

impl FolderOptions {
    /// Whether anything was decided.
    pub(crate) fn is_any(&self) -> bool {
        self.accept_ignore || self.open_guard || self.close_guard || !self.forget_drive.is_empty()
    }
}
