//! What lies in the storage or in one of its folders, whoever made it.

use std::collections::BTreeSet;

use db_to_cloud::Folder;
use serde::Deserialize;

use crate::drive::{Drive, FOLDER, Listed};
use crate::error::Failure;
use crate::genesis::{self, Genesis};
use crate::storage::{Storage, folder_id};

/// The most files of one page.
const PAGE: usize = 1000;

/// A file or a folder, by its name.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Named {
    id: String,
    name: String,
    mime_type: String,
}

impl Storage {
    /// One request where the storage is known. Else its folder is looked for along its path first, one level
    /// after the other: somebody else may have files there.
    pub(crate) async fn names(
        &self,
        folder: Option<Folder>,
        at_most: usize,
    ) -> Result<Vec<String>, Failure> {
        let genesis = self.genesis().await?;
        let parents = match (&genesis, folder) {
            (Some(genesis), None) => vec![genesis.content.folder.clone()],
            (Some(genesis), Some(folder)) => {
                folder_id(genesis, folder.name()).map(str::to_owned).into_iter().collect()
            }
            (None, folder) => self.strange_folders(folder).await?,
        };
        let mut names = BTreeSet::new();
        for parent in parents {
            let own = |file: &Named| folder.is_none() && is_own(file, genesis.as_deref());
            let mut page = None;
            while names.len() < at_most {
                // Two more, for the own ones.
                let size = (at_most - names.len()).saturating_add(2);
                let listed = self.drive.names(&parent, size, page.as_deref()).await?;
                let others = listed.files.iter().filter(|file| !own(file));
                names.extend(others.map(Named::shown));
                page = listed.next_page_token;
                if page.is_none() {
                    break;
                }
            }
        }
        Ok(names.into_iter().take(at_most).collect())
    }

    /// The folder where a storage would be made, or those in it with the name of one of ours.
    async fn strange_folders(&self, folder: Option<Folder>) -> Result<Vec<String>, Failure> {
        let around = genesis::folder(&self.drive, &self.place).await?;
        let (Some(around), Some(folder)) = (&around, folder) else {
            return Ok(around.into_iter().collect());
        };
        let only = format!(" and mimeType = '{FOLDER}' and trashed = false");
        let listed = self.drive.list_all(around, &only).await?.files.into_iter();
        Ok(listed.filter(|file| file.name == folder.name()).map(|file| file.id).collect())
    }
}

/// Whether this adapter made it for its own use: the file by which it finds the others, or the folder with the
/// locks.
fn is_own(file: &Named, genesis: Option<&Genesis>) -> bool {
    file.name == genesis::NAME && file.mime_type != FOLDER
        || genesis.is_some_and(|genesis| genesis.content.locks == file.id)
}

impl Named {
    fn shown(&self) -> String {
        let slash = if self.mime_type == FOLDER { "/" } else { "" };
        format!("{}{slash}", self.name)
    }
}

impl Drive {
    /// One page of the names in a folder, without what is in the bin.
    async fn names(
        &self,
        parent: &str,
        size: usize,
        page: Option<&str>,
    ) -> Result<Listed<Named>, Failure> {
        let q = format!("'{parent}' in parents and trashed = false");
        let size = size.min(PAGE).to_string();
        self.page(&q, "id,name,mimeType", &[("pageSize", &size)], page).await
    }
}
