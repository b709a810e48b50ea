//! Carries out what a person decided about the folder on this device.

use db_to_cloud_folder::FolderDatabase;

use crate::args::FolderOptions;
use crate::failure::Failure;
use crate::output::note;
use crate::side::Side;

/// Remembers the decisions, before the sync that they are for.
pub(crate) fn decide(options: &FolderOptions, side: &Side) -> Result<(), Failure> {
    match side {
        Side::Folder(folder) => decide_about(options, folder),
        Side::Tables(..) if options.is_any() => Err(Failure::Usage(
            "--accept-ignore, --open-guard, --close-guard and --forget-drive are about files: leave them \
             out for tables"
                .into(),
        )),
        Side::Tables(..) => Ok(()),
    }
}

fn decide_about(options: &FolderOptions, folder: &FolderDatabase) -> Result<(), Failure> {
    for drive in &options.forget_drive {
        let path = drive.trim_end_matches('/');
        if !folder.forget_mount(path)? {
            let known = folder.mounts();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::Usage(format!(
                "no drive was mounted on {drive:?}: give one of these, relative to the folder: {known}"
            )));
        }
    }
    if options.accept_ignore {
        for path in folder.accept_patterns()? {
            note(format_args!("its patterns count from now on: {path}"));
        }
    }
    if options.open_guard || options.close_guard {
        folder.open_guard(options.open_guard)?;
    }
    Ok(())
}
