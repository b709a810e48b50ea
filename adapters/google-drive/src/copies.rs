//! Copies of document versions, made by Drive (`files.copy`).
//!
//! A copy gets the id that was reserved for its key, as a new file does: a repetition makes no second
//! one, and the next slot tells others where it is. Whether `files.copy` takes a reserved id in the
//! hidden folder is not documented; any refusal has the caller upload the bytes.

use std::sync::atomic::Ordering::Relaxed;

use db_to_cloud::{Copied, Folder, Key};
use futures::future::join_all;

use crate::drive::{File, Made, New};
use crate::error::Failure;
use crate::names::token;
use crate::objects::all_failed;
use crate::storage::{Storage, whereabouts};

impl Storage {
    /// Copies objects; the answers are in the order of the pairs.
    pub(crate) async fn copy_objects(&self, pairs: &[(Key, Key)]) -> Vec<Result<Copied, Failure>> {
        if let Err(failure) = self.find_originals(pairs).await {
            return all_failed(failure, pairs.len());
        }
        join_all(pairs.iter().map(|(from, to)| self.copy_object(from, to))).await
    }

    /// Lists the folder of documents once, if there is an original whose id nobody told. One that is too
    /// young for the list is named by a commit that is.
    async fn find_originals(&self, pairs: &[(Key, Key)]) -> Result<(), Failure> {
        let unknown = || pairs.iter().find(|(from, _)| self.names.get(from).is_none());
        if self.copyless.load(Relaxed) {
            return Ok(());
        }
        let Some((from, _)) = unknown() else { return Ok(()) };
        self.look_for(from).await?;
        if unknown().is_some() { self.read_newest().await } else { Ok(()) }
    }

    async fn copy_object(&self, from: &Key, to: &Key) -> Result<Copied, Failure> {
        // Two keys of one version would be one file to this adapter.
        if self.copyless.load(Relaxed) || !are_documents(from, to) || token(from) == token(to) {
            return Ok(Copied::Unsupported);
        }
        let Some(original) = self.original(from).await? else { return Ok(Copied::Missing) };
        if original.trashed || original.size.is_none() || original.md5_checksum.is_none() {
            // Nothing could be proven.
            return Ok(Copied::Unsupported);
        }
        let genesis = self.genesis_to_write().await?;
        let name = self.name_to_write(to).await?;
        let Some(id) = name.ids.first() else { return Ok(Copied::Unsupported) };
        if !name.is_made {
            let (parent, name) = whereabouts(&genesis, to)?;
            let new = New { id, name, parent, races: false };
            match self.drive.copy(&original, new).await {
                Ok(Made::New) => {
                    self.names.made(to);
                    return Ok(Copied::Done);
                }
                Ok(Made::NoFolder) => return Ok(Copied::Unsupported),
                Err(failure) if failure.is_for_good() => {
                    tracing::debug!(?failure, "files are not copied here");
                    self.copyless.store(true, Relaxed);
                    return Ok(Copied::Unsupported);
                }
                Ok(Made::InUse) => {}
                Err(failure) => return Err(failure),
            }
        }
        // An earlier attempt was answered late or never, or somebody made it otherwise.
        let there = self.drive.metadata(id).await.map_err(Failure::after_sending)?;
        if !there.is_some_and(|there| !there.trashed && original.is_same_content(&there)) {
            return Ok(Copied::Unsupported);
        }
        self.names.made(to);
        Ok(Copied::Done)
    }

    /// The oldest file of an object that is there.
    async fn original(&self, key: &Key) -> Result<Option<File>, Failure> {
        for id in self.names.get(key).map(|name| name.ids).unwrap_or_default() {
            if let Some(file) = self.drive.metadata(&id).await? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

fn are_documents(from: &Key, to: &Key) -> bool {
    let is_document =
        |key: &Key| key.split().is_some_and(|(folder, _)| folder == Folder::Documents.name());
    is_document(from) && is_document(to)
}
