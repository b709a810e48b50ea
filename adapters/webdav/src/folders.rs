//! Collections that are made when a write finds them missing.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::Mutex;

use crate::client::Client;
use crate::error::Failure;

/// How often each collection was made, so that of many writes that fail at once one makes it.
#[derive(Debug, Default)]
pub(crate) struct Folders(std::sync::Mutex<HashMap<String, u64>>, Mutex<()>);

impl Folders {
    fn made(&self, path: &str) -> u64 {
        self.counts().get(path).copied().unwrap_or(0)
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Client {
    /// Writes a file; the collections around it are made if they are missing.
    pub(crate) async fn write(&self, path: &str, bytes: Bytes) -> Result<(), Failure> {
        let before = self.folders.made(parent(path));
        match self.put(path, bytes.clone()).await {
            Err(failure) if failure.may_lack_collection() => {
                self.make_once(parent(path), before).await?;
                self.put(path, bytes).await
            }
            answer => answer,
        }
    }

    /// Makes a collection and those around it; answers whether it was not there before.
    pub(crate) async fn make(&self, path: &str) -> Result<bool, Failure> {
        let before = self.folders.made(parent(path));
        match self.mkcol(path).await {
            Err(failure) if failure.may_lack_collection() => {
                self.make_once(parent(path), before).await?;
                self.mkcol(path).await
            }
            answer => answer,
        }
    }

    async fn make_once(&self, path: &str, before: u64) -> Result<(), Failure> {
        let _making = self.folders.1.lock().await;
        if self.folders.made(path) == before {
            make(self, path).await?;
            *self.folders.counts().entry(path.to_owned()).or_default() += 1;
        }
        Ok(())
    }
}

/// Makes a collection, and those around it as far as they are missing.
async fn make(client: &Client, path: &str) -> Result<(), Failure> {
    let (mut url, mut missing) = (client.url(path), Vec::new());
    loop {
        match client.mkcol_at(&url).await {
            Ok(_) => break,
            Err(failure) if failure.may_lack_collection() && missing.len() < DEEPEST => {
                let around = url.join("..").ok().filter(|around| *around != url);
                missing.push(std::mem::replace(&mut url, around.ok_or(failure)?));
            }
            Err(failure) => return Err(failure),
        }
    }
    for url in missing.iter().rev() {
        if let Err(failure) = client.mkcol_at(url).await {
            // Apache tells one of two that make it at once that it is forbidden: now it is there.
            client.mkcol_at(url).await.map_err(|_| failure)?;
        }
    }
    Ok(())
}

/// No address has more segments that are missing.
const DEEPEST: usize = 64;

/// The collection that an object is in; that of the storage itself is the empty path.
fn parent(path: &str) -> &str {
    let slash = path.trim_end_matches('/').rfind('/');
    slash.map_or("", |slash| &path[..=slash])
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn the_collection_around_an_object() {
        assert_eq!(parent("docs/a.1"), "docs/");
        assert_eq!(parent("changes/7.json/"), "changes/");
        assert_eq!(parent("changes/7.json/entry.json"), "changes/7.json/");
        assert_eq!(parent("meta.json"), "");
    }
}
