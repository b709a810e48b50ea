//! Looks that cost little: the first bytes of a file, and the names around.

use bytes::Bytes;
use db_to_cloud::{Folder, Key};
use db_to_cloud_http::length_of_start;

use crate::call::Call;
use crate::client::Client;
use crate::error::Failure;
use crate::files::{At, Entry, PAGE, Stored};
use crate::hash::content_hash;

/// Reads the first bytes of a file; `None` only by the tags `path/not_found`.
pub(crate) async fn start(
    client: &Client,
    key: &Key,
    at_most: usize,
) -> Result<Option<Bytes>, Failure> {
    let path = client.path(key);
    let call = Call::start("files/download", &At { path: &path }, at_most);
    let answer = match client.send(call).await {
        Err(failure) if failure.is_absence() => return Ok(None),
        // An empty file has no first byte.
        Err(Failure::Refused(refusal)) if refusal.status == 416 => return Ok(Some(Bytes::new())),
        answer => answer?,
    };
    let (stored, came) = (Stored::of(&answer)?, answer.body.len());
    let range = answer.header("content-range").filter(|_| answer.status == 206);
    let length = length_of_start(range, came, at_most).map_err(Failure::NotDropbox)?;
    // The checksum is that of the whole file.
    match usize::try_from(stored.size) {
        Ok(size) if size <= came => stored.check(came, &content_hash(&answer.body))?,
        _ if came < at_most => {
            return Err(Failure::NotDropbox("bytes were lost on the way"));
        }
        _ => {}
    }
    Ok(Some(answer.body.slice(..length)))
}

/// The names of what is in the storage or in one of its folders: one request, unless there are more than a
/// page of them or Dropbox sends less than a page.
pub(crate) async fn names(
    client: &Client,
    folder: Option<Folder>,
    at_most: usize,
) -> Result<Vec<String>, Failure> {
    let path = folder.map_or_else(|| client.root.clone(), |folder| client.path(folder.name()));
    // Dropbox refuses a page of nothing.
    let limit = u32::try_from(at_most).unwrap_or(PAGE).clamp(1, PAGE);
    let mut listed = match client.list_folder(&path, limit).await {
        // A folder that does not exist holds nothing.
        Err(failure) if failure.is_absence() => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut names: Vec<_> = listed.entries.iter().map(name).collect();
    while listed.has_more && names.len() < at_most {
        listed = client.list_on(&listed.cursor).await?;
        names.extend(listed.entries.iter().map(name));
    }
    names.truncate(at_most);
    Ok(names)
}

/// Dropbox keeps the case of names and ignores it: what we would read under a key has the name of the key.
fn name(entry: &Entry) -> String {
    let lower = entry.name.to_ascii_lowercase();
    let name = if Key::parse(&lower).is_ok() { &lower } else { &entry.name };
    let slash = if entry.tag == "folder" { "/" } else { "" };
    format!("{name}{slash}")
}

#[cfg(test)]
mod tests {
    use super::name as name_of;
    use super::*;

    #[test]
    fn a_name_that_we_would_read_is_that_of_a_key() {
        let name =
            |tag: &str, name: &str| name_of(&Entry { tag: tag.to_owned(), name: name.to_owned() });
        assert_eq!(name("file", "Meta.json"), "meta.json");
        assert_eq!(name("folder", "Docs"), "docs/");
        assert_eq!(name("file", "Letter to Ada.odt"), "Letter to Ada.odt");
        assert_eq!(name("folder", "My Photos"), "My Photos/");
    }
}
