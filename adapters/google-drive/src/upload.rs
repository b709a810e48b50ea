//! Contents: in one request up to 5 MB, in chunks beyond.

use bytes::{Bytes, BytesMut};
use db_to_cloud_http::Answer;
use md5::{Digest, Md5};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::client::Request;
use crate::drive::{Drive, File, Made, New, made};
use crate::error::Failure;

/// Google advises to send more than this in chunks.
const SMALL: usize = 5 * 1000 * 1000;
/// A multiple of 256 KiB, as Drive wants it.
const CHUNK: usize = 8 * 1024 * 1024;
/// So many chunks may be lost on one way: then the caller begins anew.
const LOST_CHUNKS: usize = 3;
const FIELDS: (&str, &str) = ("fields", "id,size,md5Checksum");
const UPLOAD: &str = "/upload/drive/v3/files";

impl Drive {
    /// Makes a file with this content, if there was never one with its id.
    pub(crate) async fn create(&self, new: New<'_>, bytes: &Bytes) -> Result<Made, Failure> {
        let metadata = json!({"id": new.id, "name": new.name, "parents": [new.parent]});
        let answer = match bytes.len() > SMALL {
            false => {
                let mut request = self.multipart(Method::POST, UPLOAD, &metadata, bytes);
                request.races = new.races;
                self.client.send(request).await?
            }
            true => self.in_chunks(Method::POST, UPLOAD, &metadata, bytes).await?,
        };
        made(&answer, |file| is_stored(&file, new.id, bytes).then_some(()))
    }

    /// Gives a file another content; false if there is no file with this id.
    pub(crate) async fn replace(&self, id: &str, bytes: &Bytes) -> Result<bool, Failure> {
        let path = format!("{UPLOAD}/{id}");
        let answer = match bytes.len() > SMALL {
            false => {
                let request = self.multipart(Method::PATCH, &path, &json!({}), bytes);
                self.client.send(request).await?
            }
            true => self.in_chunks(Method::PATCH, &path, &json!({}), bytes).await?,
        };
        match made(&answer, |file| is_stored(&file, id, bytes).then_some(()))? {
            Made::New => Ok(true),
            Made::NoFolder => Ok(false),
            Made::InUse => Err(Failure::of(&answer)),
        }
    }

    /// Whether a file has this content.
    pub(crate) async fn holds(&self, id: &str, bytes: &Bytes) -> Result<bool, Failure> {
        let file = self.metadata(id).await?;
        Ok(file.is_some_and(|file| is_stored(&file, id, bytes)))
    }

    fn multipart(&self, method: Method, path: &str, metadata: &Value, bytes: &Bytes) -> Request {
        // Contents that hold the boundary would need it by chance in 128 bits.
        let boundary = format!("{:032x}", fastrand::u128(..));
        let mut body = BytesMut::with_capacity(bytes.len() + 512);
        let json = "content-type: application/json; charset=UTF-8";
        let binary = "content-type: application/octet-stream";
        body.extend(format!("--{boundary}\r\n{json}\r\n\r\n{metadata}\r\n").bytes());
        body.extend(format!("--{boundary}\r\n{binary}\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(format!("\r\n--{boundary}--\r\n").bytes());
        let mut request = self.client.request(method, path, &[("uploadType", "multipart"), FIELDS]);
        let kind = format!("multipart/related; boundary={boundary}");
        request.headers.push(("content-type", kind));
        request.body = body.freeze();
        request
    }

    /// The answer to the last chunk, or the refusal of the upload.
    async fn in_chunks(
        &self,
        method: Method,
        path: &str,
        metadata: &Value,
        bytes: &Bytes,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, path, &[("uploadType", "resumable"), FIELDS]);
        request.headers.push(("content-type", "application/json; charset=UTF-8".to_owned()));
        request.headers.push(("x-upload-content-type", "application/octet-stream".to_owned()));
        request.headers.push(("x-upload-content-length", bytes.len().to_string()));
        request.body = metadata.to_string().into();
        let opened = self.client.send(request).await?;
        if opened.status != 200 {
            return Ok(opened);
        }
        let place = opened.header("location").and_then(|place| Url::parse(place).ok());
        // Contents and the token go to nobody else.
        let place = place.filter(|place| self.client.is_ours(place));
        let place = place.ok_or_else(|| Failure::not_drive("an upload without an address"))?;
        let (mut start, mut lost) = (0, 0);
        loop {
            let answer = match self.chunk(&place, bytes, start).await {
                Ok(answer) if answer.status < 500 => answer,
                _ if lost < LOST_CHUNKS => {
                    lost += 1;
                    // What came of it? This, too, answers for the last chunk.
                    self.chunk(&place, bytes, bytes.len()).await?
                }
                other => other?,
            };
            if answer.status != 308 {
                return Ok(answer);
            }
            start =
                received(&answer).filter(|received| *received < bytes.len()).ok_or_else(|| {
                    Failure::not_drive("more was received than was sent").after_sending()
                })?;
        }
    }

    /// Sends the bytes from here on; from the end, it asks how many have come.
    async fn chunk(&self, place: &Url, bytes: &Bytes, start: usize) -> Result<Answer, Failure> {
        let (end, total) = (bytes.len().min(start + CHUNK), bytes.len());
        let mut request = self.client.request(Method::PUT, "", &[]);
        request.url = place.clone();
        let range = match start < end {
            true => format!("bytes {start}-{}/{total}", end - 1),
            false => format!("bytes */{total}"),
        };
        request.headers.push(("content-range", range));
        request.body = bytes.slice(start..end);
        let answer = self.client.send(request).await.map_err(Failure::after_sending)?;
        match answer.status {
            // The upload is gone, not a folder; perhaps because all of it had come.
            404 | 410 => Err(Failure::of(&answer).after_sending()),
            _ => Ok(answer),
        }
    }
}

/// How many bytes an upload has.
fn received(answer: &Answer) -> Option<usize> {
    let Some(range) = answer.header("range") else { return Some(0) };
    let (_, last) = range.split_once('-')?;
    last.trim().parse::<usize>().ok().map(|last| last + 1)
}

/// Whether Drive has what was sent. A checksum that it does not give is not compared; the length is.
fn is_stored(file: &File, id: &str, bytes: &Bytes) -> bool {
    let length = file.size.as_ref().is_some_and(|size| *size == bytes.len().to_string());
    let sum = || hex::encode(Md5::digest(bytes));
    let content = file.md5_checksum.as_ref().is_none_or(|md5| md5.eq_ignore_ascii_case(&sum()));
    file.id == id && length && content
}
