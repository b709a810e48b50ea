//! The methods of Drive v3 that are used.

use bytes::Bytes;
use db_to_cloud_http::Answer;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::client::Client;
use crate::config::Space;
use crate::error::Failure;

/// Drive, in one of its spaces.
#[derive(Debug)]
pub(crate) struct Drive {
    pub(crate) client: Client,
    pub(crate) space: Space,
}

/// What Drive tells of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// RFC 3339, by Google's clock.
    #[serde(default)]
    pub(crate) created_time: String,
    /// RFC 3339, by Google's clock.
    #[serde(default)]
    pub(crate) modified_time: String,
    #[serde(default)]
    pub(crate) trashed: bool,
    /// A number, as text.
    pub(crate) size: Option<String>,
    pub(crate) md5_checksum: Option<String>,
}

impl File {
    /// Whether both certainly have the same bytes.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        let known = self.size.is_some() && self.md5_checksum.is_some();
        known && self.size == other.size && self.md5_checksum == other.md5_checksum
    }
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "F: DeserializeOwned"))]
pub(crate) struct Listed<F = File> {
    #[serde(default)]
    pub(crate) files: Vec<F>,
    pub(crate) next_page_token: Option<String>,
    #[serde(default)]
    incomplete_search: bool,
    /// The clock of the answer, in milliseconds since 1970.
    #[serde(skip)]
    pub(crate) date: Option<u64>,
}

/// A file that is to be made. The id was reserved, so that a repetition makes no second file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct New<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) parent: &'a str,
    /// One of several creators of the same id.
    pub(crate) races: bool,
}

/// What became of the making of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is new.
    New,
    /// There is, or was, a file with this id.
    InUse,
    /// The folder for it is not there.
    NoFolder,
}

pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";
pub(crate) const FILES: &str = "/drive/v3/files";

impl Drive {
    /// Reserves ids: nobody else gets them.
    pub(crate) async fn generate_ids(&self, count: usize) -> Result<Vec<String>, Failure> {
        #[derive(Deserialize)]
        struct Generated {
            ids: Vec<String>,
        }
        let count = count.to_string();
        let query = [("count", &*count), ("space", self.space.name()), ("type", "files")];
        let path = format!("{FILES}/generateIds");
        let request = self.client.request(Method::GET, &path, &query);
        let generated: Generated = json(&self.client.send(request).await?)?;
        Ok(generated.ids)
    }

    /// The content of a file; `None` if there is no file with this id. This read is by id: it sees every
    /// write that was answered.
    pub(crate) async fn media(&self, id: &str) -> Result<Option<Bytes>, Failure> {
        let path = format!("{FILES}/{id}");
        let request = self.client.request(Method::GET, &path, &[("alt", "media")]);
        let answer = self.client.send(request).await?;
        match answer.status {
            200 if answer.is_page() => Err(Failure::not_drive("a page for people")),
            200 => Ok(Some(answer.body)),
            _ if is_absence(&answer) => Ok(None),
            _ => Err(Failure::of(&answer)),
        }
    }

    /// What Drive knows of a file; `None` if there is no file with this id.
    pub(crate) async fn metadata(&self, id: &str) -> Result<Option<File>, Failure> {
        let fields = "id,name,createdTime,trashed,size,md5Checksum";
        let path = format!("{FILES}/{id}");
        let request = self.client.request(Method::GET, &path, &[("fields", fields)]);
        let answer = self.client.send(request).await?;
        match is_absence(&answer) {
            true => Ok(None),
            false => json(&answer).map(Some),
        }
    }

    /// Makes a folder.
    pub(crate) async fn create_folder(&self, new: New<'_>) -> Result<Made, Failure> {
        let metadata = json!({"id": new.id, "name": new.name, "parents": [new.parent],
            "mimeType": FOLDER});
        let mut request = self.client.request(Method::POST, FILES, &[("fields", "id")]);
        request.headers.push(("content-type", "application/json; charset=UTF-8".to_owned()));
        request.body = metadata.to_string().into();
        let answer = self.client.send(request).await?;
        made(&answer, |file| (file.id == new.id).then_some(()))
    }

    /// Makes a file with the content of another one, if there was never one with its id.
    pub(crate) async fn copy(&self, original: &File, new: New<'_>) -> Result<Made, Failure> {
        let metadata = json!({"id": new.id, "name": new.name, "parents": [new.parent]});
        let path = format!("{FILES}/{}/copy", original.id);
        let fields = [("fields", "id,size,md5Checksum")];
        let mut request = self.client.request(Method::POST, &path, &fields);
        request.headers.push(("content-type", "application/json; charset=UTF-8".to_owned()));
        request.body = metadata.to_string().into();
        let answer = self.client.send(request).await?;
        made(&answer, |copy| (copy.id == new.id && original.is_same_content(&copy)).then_some(()))
    }

    /// Deletes a file for good. One that is not there is already deleted.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), Failure> {
        let request = self.client.request(Method::DELETE, &format!("{FILES}/{id}"), &[]);
        let answer = self.client.send(request).await?;
        match answer.status {
            204 => Ok(()),
            _ if is_absence(&answer) => Ok(()),
            _ => Err(Failure::of(&answer)),
        }
    }

    /// One page of what is in a folder, by name; also what is in the bin. Never asked for by name: names
    /// are found late.
    pub(crate) async fn list(
        &self,
        parent: &str,
        (what, page): (&str, Option<&str>),
    ) -> Result<Listed, Failure> {
        let q = format!("'{parent}' in parents{what}");
        let fields = "id,name,createdTime,modifiedTime,trashed";
        self.page(&q, fields, &[("orderBy", "name"), ("pageSize", "1000")], page).await
    }

    /// One page of the files for which `q` is true, with these fields.
    pub(crate) async fn page<F: DeserializeOwned>(
        &self,
        q: &str,
        fields: &str,
        more: &[(&str, &str)],
        page: Option<&str>,
    ) -> Result<Listed<F>, Failure> {
        let fields = format!("nextPageToken,incompleteSearch,files({fields})");
        let mut query = vec![("q", q), ("spaces", self.space.name()), ("fields", &fields)];
        query.extend(more);
        query.extend(page.map(|page| ("pageToken", page)));
        let answer = self.client.send(self.client.request(Method::GET, FILES, &query)).await?;
        if is_absence(&answer) {
            // The folder is made with the first object in it.
            return Ok(Listed {
                files: Vec::new(),
                next_page_token: None,
                incomplete_search: false,
                date: date(&answer),
            });
        }
        let listed: Listed<F> = json(&answer)?;
        if listed.incomplete_search {
            return Err(Failure::not_drive("a list that is not complete"));
        }
        Ok(Listed { date: date(&answer), ..listed })
    }

    /// All pages.
    pub(crate) async fn list_all(&self, parent: &str, what: &str) -> Result<Listed, Failure> {
        let mut all = self.list(parent, (what, None)).await?;
        while let Some(page) = all.next_page_token.take() {
            let more = self.list(parent, (what, Some(&page))).await?;
            all.files.extend(more.files);
            all.next_page_token = more.next_page_token;
        }
        Ok(all)
    }
}

/// The body of a success; anything else is a failure.
pub(crate) fn json<T: for<'a> Deserialize<'a>>(answer: &Answer) -> Result<T, Failure> {
    let body =
        matches!(answer.status, 200 | 201).then(|| serde_json::from_slice(&answer.body).ok());
    body.flatten().ok_or_else(|| Failure::of(answer))
}

/// Whether Drive itself says that there is no such file: a 404 of somebody on the way does not.
pub(crate) fn is_absence(answer: &Answer) -> bool {
    answer.status == 404 && crate::error::Refusal::of(answer).reason == "notFound"
}

/// What the answer to the making of a file means; `check` looks at what was stored.
pub(crate) fn made(
    answer: &Answer,
    check: impl FnOnce(File) -> Option<()>,
) -> Result<Made, Failure> {
    match answer.status {
        // 201 at the end of an upload in chunks.
        200 | 201 => {
            let stored = check(json(answer)?);
            let other = || Failure::not_drive("something else was stored than was sent");
            stored.map(|()| Made::New).ok_or_else(other)
        }
        409 if Failure::of(answer).is_id_in_use() => Ok(Made::InUse),
        _ if is_absence(answer) => Ok(Made::NoFolder),
        _ => Err(Failure::of(answer)),
    }
}

fn date(answer: &Answer) -> Option<u64> {
    let date = httpdate::parse_http_date(answer.header("date")?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}
