//! The private file.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use db_to_cloud::{Error, ErrorKind};
use db_to_cloud_oauth::{FileStore, TokenStore, Tokens};
use tempfile::TempDir;

use crate::browser::sign_in;
use crate::double::Double;

struct Place {
    folder: TempDir,
    store: FileStore,
    tokens: Tokens,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("db-to-cloud/dropbox.json"));
        Self { folder, store, tokens: sign_in(&Double::dropbox().await).await }
    }

    async fn refused(&self, kind: ErrorKind, why: &str) -> Error {
        let error = self.store.load().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        error
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_reads_what_is_kept() {
    let Place { folder, store, tokens } = &Place::new().await;
    assert_eq!(store.load().await.unwrap(), None);
    store.save(tokens).await.unwrap();
    assert_eq!(store.load().await.unwrap().as_ref(), Some(tokens));
    assert_eq!((mode(store.path()), mode(&folder.path().join("db-to-cloud"))), (0o600, 0o700));
    drop(store.lock().await);
    assert_eq!(mode(&folder.path().join("db-to-cloud/dropbox.json.lock")), 0o600);
}

#[tokio::test]
async fn a_file_that_others_may_read_is_refused() {
    let place = Place::new().await;
    place.store.save(&place.tokens).await.unwrap();
    for open in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(place.store.path(), Permissions::from_mode(open)).unwrap();
        place.refused(ErrorKind::Unauthorized, "chmod 600").await;
    }
    // A new sign-in mends it.
    place.store.save(&place.tokens).await.unwrap();
    assert_eq!(place.store.load().await.unwrap(), Some(place.tokens));
}

#[tokio::test]
async fn what_is_no_sign_in_is_refused_and_not_replaced() {
    let place = Place::new().await;
    place.store.save(&place.tokens).await.unwrap();
    for text in ["password: hunter2", "{}", r#"{"refresh_token": "hunter2"}"#, "[\"hunter2\"]"] {
        fs::write(place.store.path(), text).unwrap();
        let error = place.refused(ErrorKind::Unauthorized, "holds no sign-in").await;
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let error = place.store.save(&place.tokens).await.unwrap_err();
        assert!(error.to_string().contains("name another file"), "{error}");
        assert!(place.store.clear().await.is_err());
        assert_eq!(fs::read_to_string(place.store.path()).unwrap(), text);
    }
    // What a crash of the file system leaves is no one's.
    fs::write(place.store.path(), "").unwrap();
    place.refused(ErrorKind::Unauthorized, "holds no sign-in").await;
    place.store.save(&place.tokens).await.unwrap();
    assert_eq!(place.store.load().await.unwrap(), Some(place.tokens));
}

#[tokio::test]
async fn an_error_is_no_absence() {
    let place = Place::new().await;
    fs::create_dir_all(place.store.path()).unwrap();
    place.refused(ErrorKind::State, "dropbox.json").await;
    assert_eq!(place.store.save(&place.tokens).await.unwrap_err().kind(), ErrorKind::State);
}

#[tokio::test]
async fn clearing_leaves_no_secret_behind() {
    let place = Place::new().await;
    place.store.clear().await.unwrap();
    place.store.save(&place.tokens).await.unwrap();
    let folder = place.folder.path().join("db-to-cloud");
    // A write that was killed.
    fs::write(folder.join(".dropbox.json.new-x1y2"), "half a secret").unwrap();
    fs::write(folder.join("google-drive.json"), "another's").unwrap();
    place.store.clear().await.unwrap();
    let left = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["google-drive.json"]);
    assert_eq!(place.store.load().await.unwrap(), None);
}

#[tokio::test]
async fn a_link_stays_a_link() {
    let place = Place::new().await;
    let real = place.folder.path().join("real.json");
    FileStore::new(&real).save(&place.tokens).await.unwrap();
    let link = FileStore::new(place.folder.path().join("link.json"));
    std::os::unix::fs::symlink(&real, link.path()).unwrap();
    let tokens = place.tokens.without_access_token();
    link.save(&tokens).await.unwrap();
    assert!(link.path().is_symlink());
    assert_eq!(FileStore::new(real).load().await.unwrap(), Some(tokens));
}
