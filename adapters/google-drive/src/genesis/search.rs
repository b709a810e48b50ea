//! Where genesis files are, and how old.

use std::time::Duration;

use super::{Genesis, NAME, Place};
use crate::drive::{Drive, FOLDER, File};
use crate::error::Failure;

/// What a look found.
pub(super) struct Found {
    /// Oldest first.
    pub(super) genesis: Vec<(String, File)>,
    /// The oldest folder at the end of the path, if it is there.
    pub(super) folder: Option<String>,
    /// The last folder that is there, and which of the path are missing.
    pub(super) last: (String, usize),
    pub(super) date: u64,
}

/// Looks along the path, by lists of folders.
pub(super) async fn look(drive: &Drive, place: &Place) -> Result<Found, Failure> {
    let mut level = vec![drive.space.top().to_owned()];
    // The earliest of these lists is the one whose time counts.
    let mut date: Option<u64> = None;
    let mut note = |of: Option<u64>| date = Some(of.unwrap_or(0).min(date.unwrap_or(u64::MAX)));
    let mut last = (drive.space.top().to_owned(), 0);
    for (depth, name) in place.segments.iter().enumerate() {
        let mut twins = Vec::new();
        for parent in &level {
            let only = format!(" and mimeType = '{FOLDER}'");
            let listed = drive.list_all(parent, &only).await?;
            note(listed.date);
            twins.extend(listed.files.into_iter().filter(|file| file.name == *name));
        }
        sort(&mut twins, |file| file);
        level = twins.into_iter().map(|file| file.id).collect();
        match level.first() {
            Some(oldest) => last = (oldest.clone(), depth + 1),
            None => break,
        }
    }
    let folder = (last.1 == place.segments.len()).then(|| last.0.clone());
    let mut genesis = Vec::new();
    for parent in &level {
        let listed = drive.list_all(parent, &format!(" and mimeType != '{FOLDER}'")).await?;
        note(listed.date);
        let named = listed.files.into_iter().filter(|file| file.name == NAME);
        genesis.extend(named.map(|file| (parent.clone(), file)));
    }
    sort(&mut genesis, |(_, file)| file);
    Ok(Found { genesis, folder, last, date: date.unwrap_or_default() })
}

/// Oldest first. Times of RFC 3339 in UTC with the same precision are in the order of their text.
fn sort<T>(files: &mut [T], file: impl Fn(&T) -> &File) {
    files.sort_by(|a, b| {
        let (a, b) = (file(a), file(b));
        (&a.created_time, &a.id).cmp(&(&b.created_time, &b.id))
    });
}

/// What this device knows by id is there, whatever the list shows.
pub(super) async fn add_known(
    drive: &Drive,
    found: &mut Found,
    known: Option<&Genesis>,
) -> Result<(), Failure> {
    let Some(known) = known else { return Ok(()) };
    if found.genesis.iter().any(|(_, file)| file.id == known.id) {
        return Ok(());
    }
    if let Some(file) = drive.metadata(&known.id).await? {
        found.genesis.push((known.content.folder.clone(), file));
        sort(&mut found.genesis, |(_, file)| file);
    }
    Ok(())
}

/// How old a file is by Google's clock.
pub(super) fn age(file: &File, now: u64) -> Result<Duration, Failure> {
    let created = humantime::parse_rfc3339_weak(&file.created_time).ok();
    let created = created.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let created = created.filter(|_| now > 0);
    let created =
        created.ok_or_else(|| Failure::not_drive("a file or an answer without a time"))?;
    Ok(Duration::from_millis(now).saturating_sub(created))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, created: &str) -> File {
        let (name, size, md5_checksum) = Default::default();
        let (id, created_time) = (id.to_owned(), created.to_owned());
        let modified_time = String::new();
        File { id, name, created_time, modified_time, trashed: false, size, md5_checksum }
    }

    #[test]
    fn the_oldest_is_first_and_of_twins_the_smaller_id() {
        let (early, late) = ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:01.000Z");
        let mut files = [file("c", late), file("b", early), file("a", late), file("a", early)];
        sort(&mut files, |file| file);
        let order: Vec<_> = files.iter().map(|f| (&*f.id, &*f.created_time)).collect();
        assert_eq!(order, [("a", early), ("b", early), ("a", late), ("c", late)]);
    }

    #[test]
    fn the_age_is_by_googles_clock_alone() {
        let made = file("a", "1970-01-01T00:00:10.500Z");
        assert_eq!(age(&made, 12_000).unwrap(), Duration::from_millis(1500));
        assert_eq!(age(&made, 10_000).unwrap(), Duration::ZERO, "the date has whole seconds");
        assert!(age(&made, 0).is_err() && age(&file("a", ""), 12_000).is_err());
    }
}
