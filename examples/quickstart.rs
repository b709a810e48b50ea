//! Two devices, one cloud folder: an edit on each, a conflict, a delete.
//!
//! ```sh
//! cargo run --example quickstart
//! ```
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::{BoxError, Client, Conflict, KeepBoth};
use db_to_cloud_folder::{FolderDatabase, conflict_copy_id};
use db_to_cloud_fs::FsAdapter;
use db_to_cloud_sqlite::SqliteState;

/// A device whose documents are the files of a folder.
struct Device {
    name: &'static str,
    folder: PathBuf,
}

impl Device {
    fn new(name: &'static str, parent: &Path) -> Result<Self, BoxError> {
        let folder = parent.join(name);
        fs::create_dir(&folder)?;
        Ok(Self { name, folder })
    }

    fn write(&self, file: &str, text: &str) -> Result<(), BoxError> {
        println!("{:>8} writes {file}: {text:?}", self.name);
        Ok(fs::write(self.folder.join(file), text)?)
    }

    fn delete(&self, file: &str) -> Result<(), BoxError> {
        println!("{:>8} deletes {file}", self.name);
        Ok(fs::remove_file(self.folder.join(file))?)
    }

    /// The whole of what an application does to sync. One that runs for long keeps the client.
    async fn sync(&self, cloud: &Path) -> Result<(), BoxError> {
        let documents = FolderDatabase::open(&self.folder)?;
        let state = SqliteState::open(documents.state_dir().join("state.sqlite"), "cloud")?;
        let (name, files) = (self.name, FolderDatabase::open(&self.folder)?);
        let copy = move |conflict: &Conflict| {
            let time = files.modified(&conflict.id).unwrap_or_default();
            conflict_copy_id(&conflict.id, name, time)
        };
        let resolver = Arc::new(KeepBoth::new(copy));
        let storage = Arc::new(FsAdapter::open(cloud)?);
        let client = Client::builder(storage, Arc::new(documents), Arc::new(state), resolver)
            .with_device(self.name)
            .build();
        let report = client.sync().await?;
        println!(
            "{name:>8} syncs: {} pulled, {} pushed, {} deleted, {} conflicts, {} requests",
            report.pulled,
            report.pushed,
            report.deleted,
            report.conflicts,
            report.requests.total(),
        );
        Ok(())
    }

    /// The documents, in the order of their names.
    fn files(&self) -> Result<Vec<(String, String)>, BoxError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.is_file() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path)?));
            }
        }
        files.sort();
        Ok(files)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let scratch = tempfile::tempdir()?;
    let (laptop, phone) = story(scratch.path()).await?;
    println!("\nIn the end both devices have:");
    for (name, text) in laptop.files()? {
        println!("    {name}: {text:?}");
    }
    if laptop.files()? != phone.files()? {
        return Err("the devices differ: this must not happen".into());
    }
    Ok(())
}

async fn story(folder: &Path) -> Result<(Device, Device), BoxError> {
    let cloud = folder.join("cloud");
    let laptop = Device::new("laptop", folder)?;
    let phone = Device::new("phone", folder)?;

    println!("An edit on each device:");
    laptop.write("shopping.txt", "bread")?;
    laptop.write("todo.txt", "call Ada")?;
    phone.write("ideas.txt", "a sync without a server")?;
    laptop.sync(&cloud).await?;
    phone.sync(&cloud).await?;
    laptop.sync(&cloud).await?;

    println!("\nBoth edit one document, neither knowing of the other: a conflict, both are kept.");
    laptop.write("shopping.txt", "bread, milk")?;
    phone.write("shopping.txt", "bread, apples")?;
    laptop.sync(&cloud).await?;
    phone.sync(&cloud).await?;
    laptop.sync(&cloud).await?;

    println!("\nA delete:");
    phone.delete("todo.txt")?;
    phone.sync(&cloud).await?;
    laptop.sync(&cloud).await?;

    println!("\nNothing to do costs two small reads:");
    laptop.sync(&cloud).await?;
    Ok((laptop, phone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_devices_end_with_the_same_four_documents() {
        let scratch = tempfile::tempdir().unwrap();
        let (laptop, phone) = story(scratch.path()).await.unwrap();
        let files = laptop.files().unwrap();
        assert_eq!(files, phone.files().unwrap());
        let texts: Vec<_> = files.iter().map(|(_, text)| text.as_str()).collect();
        for text in ["bread, milk", "bread, apples", "a sync without a server"] {
            assert!(texts.contains(&text), "{text:?} is lost");
        }
        assert!(!texts.contains(&"call Ada"), "the delete was lost");
    }
}
