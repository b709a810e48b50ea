//! Several who use one sign-in: processes, and a store that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use db_to_cloud::{Error, ErrorKind};
use db_to_cloud_oauth::{
    FileStore, MemoryStore, Refreshing, StoreLock, TokenProvider, TokenStore, Tokens,
};
use futures::future::join_all;

use crate::browser::sign_in;
use crate::clock::Clock;
use crate::double::Double;
use crate::renewing::User;

#[tokio::test]
async fn several_processes_share_one_renewal() {
    let double = Double::dropbox().await;
    double.memory().rotates = true;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dropbox.json");
    let tokens = sign_in(&double).await.without_access_token();
    FileStore::new(&file).save(&tokens).await.unwrap();
    // Each has its own handle of the file, as processes have.
    let process = || Refreshing::new(double.provider(), Arc::new(FileStore::new(&file))).unwrap();
    let processes: Vec<_> = (0..8).map(|_| process()).collect();
    let tokens = join_all(processes.iter().map(|process| process.token())).await;
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
    assert_eq!(double.requests("refresh"), 1);
    // One of them is refused: the others hear of the new one when they are, too.
    processes[0].refused(first).await;
    let second = processes[0].token().await.unwrap();
    processes[1].refused(first).await;
    assert_eq!(processes[1].token().await.unwrap(), second);
    assert_eq!(double.requests("refresh"), 2);
}

#[tokio::test]
async fn two_renewals_at_once_do_no_harm_where_nothing_is_exchanged() {
    let double = Double::google().await;
    let store = Arc::new(MemoryStore::new(sign_in(&double).await.without_access_token()));
    // This store holds nobody off.
    let one = Refreshing::new(double.provider(), store.clone()).unwrap();
    let other = Refreshing::new(double.provider(), store.clone()).unwrap();
    double.close();
    let open = async {
        while double.requests("refresh") < 2 {
            tokio::task::yield_now().await;
        }
        double.open();
    };
    let (one, other, ()) = tokio::join!(one.token(), other.token(), open);
    assert_ne!(one.unwrap(), other.unwrap());
    assert_eq!(double.memory().refresh_tokens.len(), 1);
    assert!(store.load().await.unwrap().unwrap().access_token().is_some());
}

#[tokio::test]
async fn who_signs_out_meanwhile_is_signed_out() {
    let user = User::at(Double::google().await).await;
    user.double.close();
    let sign_out = async {
        user.until_asked(1).await;
        user.store.clear().await.unwrap();
        user.double.open();
    };
    let (token, ()) = tokio::join!(user.tokens.token(), sign_out);
    token.unwrap();
    assert_eq!(user.store.load().await.unwrap(), None);
}

/// A store that fails while it is told to.
#[derive(Debug)]
struct Failing {
    kept: Arc<MemoryStore>,
    writes: AtomicBool,
    reads: AtomicBool,
}

#[async_trait]
impl TokenStore for Failing {
    async fn load(&self) -> Result<Option<Tokens>, Error> {
        match self.reads.load(SeqCst) {
            true => Err(Error::new(ErrorKind::State, "read the sign-in").with_key("a file")),
            false => self.kept.load().await,
        }
    }

    async fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        match self.writes.load(SeqCst) {
            true => Err(Error::new(ErrorKind::State, "keep the sign-in").with_key("a file")),
            false => self.kept.save(tokens).await,
        }
    }

    async fn clear(&self) -> Result<(), Error> {
        self.kept.clear().await
    }

    async fn lock(&self) -> StoreLock {
        StoreLock::nothing()
    }

    fn place(&self) -> String {
        "a file".to_owned()
    }
}

async fn with_full_disk(double: Double) -> (User, Arc<Failing>) {
    let mut user = User::at(double).await;
    let (kept, writes) = (user.store.clone(), AtomicBool::new(true));
    let store = Arc::new(Failing { kept, writes, reads: AtomicBool::new(false) });
    let tokens = Refreshing::new(user.double.provider(), store.clone()).unwrap();
    let clock: Clock = user.clock.clone();
    user.tokens = tokens.with_environment(Arc::new(clock));
    (user, store)
}

#[tokio::test]
async fn what_could_not_be_kept_is_kept_later() {
    let (user, store) = with_full_disk(Double::dropbox().await).await;
    user.double.memory().rotates = true;
    let first = user.tokens.token().await.unwrap();
    // Still full: the new refresh token is only in memory, and is used from there.
    user.tokens.refused(&first).await;
    let second = user.tokens.token().await.unwrap();
    assert_ne!(second, first);
    store.writes.store(false, SeqCst);
    assert_eq!(user.tokens.token().await.unwrap(), second);
    assert_eq!(user.refreshes(), 2);
    // Another process finds it.
    let another = Refreshing::new(user.double.provider(), user.store.clone()).unwrap();
    let another = another.with_environment(Arc::new(user.clock.clone()));
    assert_eq!(another.token().await.unwrap(), second);
    assert_eq!(user.refreshes(), 2);
}

#[tokio::test]
async fn a_new_sign_in_wins_over_what_could_not_be_kept() {
    let (user, store) = with_full_disk(Double::dropbox().await).await;
    user.double.memory().rotates = true;
    user.tokens.token().await.unwrap();
    let anew = sign_in(&user.double).await;
    user.store.save(&anew).await.unwrap();
    store.writes.store(false, SeqCst);
    let token = user.tokens.token().await.unwrap();
    let kept = user.store.load().await.unwrap().unwrap();
    assert_eq!(kept.access_token(), Some(token));
    // The new one was exchanged, not that which could not be kept.
    let secret = serde_json::to_value(&anew).unwrap()["refresh_token"].as_str().unwrap().to_owned();
    assert!(!user.double.memory().refresh_tokens.contains(&secret));
    assert_eq!(user.double.memory().refresh_tokens.len(), 2);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_no_store_without_a_sign_in() {
    let (user, store) = with_full_disk(Double::dropbox().await).await;
    store.reads.store(true, SeqCst);
    let error = user.tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    store.reads.store(false, SeqCst);
    user.tokens.token().await.unwrap();
}
