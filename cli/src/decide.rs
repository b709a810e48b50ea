//! Carries out what a person decided about the folder on this device.

use db_to_cloud_folder::{FolderDatabase, Selection};

use crate::args::FolderOptions;
use crate::failure::Failure;
use crate::output::note;
use crate::side::Side;

/// Remembers the decisions, before the sync that they are for.
pub(crate) fn decide(options: &FolderOptions, side: &Side) -> Result<(), Failure> {
    match side {
        Side::Folder(folder) => decide_about(options, folder),
        Side::Tables(..) => no_folder(options),
    }
}

/// The files that a dry run is about: what was chosen counts for it, and is not remembered.
pub(crate) fn try_out(options: &FolderOptions, side: &Side) -> Result<(), Failure> {
    let Side::Folder(folder) = side else { return no_folder(options) };
    let chosen = options.selection()?;
    let selection = match &chosen {
        Some(selection) => selection.clone(),
        None => folder.selection()?,
    };
    say(&selection);
    chosen.into_iter().for_each(|selection| folder.try_selection(selection));
    Ok(())
}

fn no_folder(options: &FolderOptions) -> Result<(), Failure> {
    match options.is_any() {
        true => Err(Failure::Usage(
            "--accept-ignore, --open-guard, --close-guard, --forget-drive, --only, --exclude and \
             --everything are about files: leave them out for tables"
                .into(),
        )),
        false => Ok(()),
    }
}

/// Says what is synced, if that is not all.
fn say(selection: &Selection) {
    if !selection.is_everything() {
        note(format_args!("this device syncs a selection: {}", described(selection)));
    }
}

/// A selection that is not everything, for people.
pub(crate) fn described(selection: &Selection) -> String {
    let (only, exclude) = (selection.only().join(", "), selection.exclude().join(", "));
    match (only.is_empty(), exclude.is_empty()) {
        (_, true) => format!("only {only}"),
        (true, false) => format!("all but {exclude}"),
        (false, false) => format!("only {only}, but not {exclude}"),
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
    if let Some(selection) = options.selection()? {
        folder.set_selection(selection)?;
    }
    say(&folder.selection()?);
    Ok(())
}
