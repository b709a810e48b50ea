//! Access tokens end, are taken back, are wrong, or allow too little.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Adapter, Error, ErrorKind, Folder, Key};
use db_to_cloud_oauth::{AccessToken, Endpoints, MemoryStore, Provider, Refreshing, TokenProvider};
use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_doubles::dropbox::APP_KEY;
use db_to_cloud_test_servers::Device;

use crate::support::{config, fixed, open};

const SCOPES: [&str; 3] = ["files.content.write", "files.content.read", "files.metadata.read"];

/// Gives one token until it is refused, then the next.
#[derive(Debug)]
struct Renewing {
    tokens: Vec<String>,
    refused: AtomicUsize,
}

impl Renewing {
    fn new(tokens: impl IntoIterator<Item = String>) -> Arc<Self> {
        Arc::new(Self { tokens: tokens.into_iter().collect(), refused: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl TokenProvider for Renewing {
    async fn token(&self) -> Result<AccessToken, Error> {
        let token = self.tokens.get(self.refused.load(SeqCst)).or(self.tokens.last());
        Ok(AccessToken::new(token.cloned().unwrap_or_default()))
    }

    async fn refused(&self, token: &AccessToken) {
        let next = self.tokens.iter().position(|other| other == token.secret());
        self.refused.fetch_max(next.map_or(0, |i| i + 1), SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_is_renewed_and_nobody_hears_of_it() {
    let dropbox = Dropbox::start().await;
    let old = dropbox.token();
    dropbox.expire_tokens();
    let tokens = Renewing::new([old, dropbox.token_for(&SCOPES)]);
    let storage = config(&dropbox).with_tokens(tokens.clone()).build().unwrap();
    let items: Vec<_> = (1..9).map(|n| (Key::change(n), "x".into())).collect();
    let creates = items.iter().map(|(key, _)| storage.create(key, "x".into()));
    let created = futures::future::join_all(creates).await;
    assert!(created.iter().all(Result::is_ok), "{created:?}");
    assert!(storage.put_many(items).await.iter().all(Result::is_ok));
    assert_eq!(storage.list(Folder::Changes, None).await.unwrap().keys.len(), 8);
    assert_eq!(tokens.refused.load(SeqCst), 1);
    assert!(dropbox.requests().total() <= 2 * 8 + 4, "each asks again once");
}

async fn all_fail(storage: &dyn Adapter, kind: ErrorKind, advice: &str) {
    let key = Key::change(1);
    let items = (1..5).map(|n| (Key::change(n), "x".into())).collect();
    let mut errors = vec![
        storage.get(&key).await.unwrap_err(),
        storage.put(&key, "x".into()).await.unwrap_err(),
        storage.create(&key, "x".into()).await.unwrap_err(),
        storage.delete(&key).await.unwrap_err(),
        storage.list(Folder::Changes, None).await.unwrap_err(),
        storage.wait_for_change(Duration::from_secs(1)).await.unwrap_err(),
    ];
    errors.extend(storage.put_many(items).await.into_iter().map(Result::unwrap_err));
    for error in errors {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!format!("{error:?} {storage:?}").contains("sl."), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_asks_to_sign_in_again() {
    let dropbox = Dropbox::start().await;
    dropbox.expire_tokens();
    all_fail(&open(&config(&dropbox)), ErrorKind::Unauthorized, "sign in to Dropbox again").await;
    // Each was sent once: the same token is not tried again.
    assert_eq!(dropbox.requests().of("files/download"), 1);
}

#[tokio::test]
async fn wrong_and_revoked_tokens_ask_to_sign_in_again() {
    let dropbox = Dropbox::start().await;
    for token in ["nonsense", "sl.unknown", ""] {
        let storage = config(&dropbox).with_tokens(fixed(token)).build().unwrap();
        all_fail(&storage, ErrorKind::Unauthorized, "sign in to Dropbox again").await;
    }
    let storage = config(&dropbox).with_tokens(fixed("line\nbreak")).build().unwrap();
    all_fail(&storage, ErrorKind::Unauthorized, "malformed").await;
    let storage = open(&config(&dropbox));
    dropbox.revoke_all();
    all_fail(&storage, ErrorKind::Unauthorized, "sign in to Dropbox again").await;
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let dropbox = Dropbox::start().await;
    let token = dropbox.token_for(&["files.content.read"]);
    let storage = config(&dropbox).with_tokens(fixed(&token)).build().unwrap();
    assert_eq!(storage.get(&Key::metadata()).await.unwrap(), None);
    let error = storage.put(&Key::metadata(), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("it needs files.content.write"), "{error}");
    let error = storage.list(Folder::Changes, None).await.unwrap_err();
    assert!(error.to_string().contains("it needs files.metadata.read"), "{error}");
}

/// A sign-in as an application keeps it.
fn signed_in(dropbox: &Dropbox) -> Arc<Refreshing> {
    let tokens = serde_json::json!({
        "provider": "dropbox",
        "client_id": APP_KEY,
        "scope": SCOPES.join(" "),
        "refresh_token": dropbox.refresh_token(),
    });
    let store = MemoryStore::new(serde_json::from_value(tokens).unwrap());
    let url = dropbox.url();
    let endpoints = Endpoints {
        authorize: format!("{url}/oauth2/authorize"),
        token: format!("{url}/oauth2/token"),
        revoke: format!("{url}/2/auth/token/revoke"),
    };
    let provider = Provider::dropbox().with_endpoints(endpoints);
    Arc::new(Refreshing::new(provider, Arc::new(store)).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_go_on_while_tokens_end_again_and_again() {
    let dropbox = Dropbox::start().await;
    let tokens = [signed_in(&dropbox), signed_in(&dropbox)];
    let storage = |tokens: &Arc<Refreshing>| {
        Arc::new(config(&dropbox).with_tokens(tokens.clone()).build().unwrap())
    };
    let [alice, bob] = [("alice", &tokens[0]), ("bob", &tokens[1])]
        .map(|(name, tokens)| Device::new(name, storage(tokens)));
    for round in 0..10 {
        // With new tokens: else a request could meet the end of two, which is a sign-in that ended.
        alice.sync().await;
        bob.sync().await;
        for i in 0..20 {
            alice.edit(&format!("{round} {i}"), "text").await;
        }
        // Once in each round, later and later.
        let begun = dropbox.requests().total();
        let ending = async {
            while dropbox.requests().total() < begun + round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            dropbox.expire_tokens();
            std::future::pending::<()>().await;
        };
        let syncing = async {
            alice.sync().await;
            bob.sync().await;
        };
        tokio::select! { () = ending => {}, () = syncing => {} }
    }
    assert_eq!((bob.all().len(), bob.all()), (200, alice.all()));
    assert!(dropbox.requests().of("oauth2/token") > 2, "{:?}", dropbox.requests().by_route());
}

#[tokio::test]
async fn a_sign_in_that_was_taken_back_asks_to_sign_in_again() {
    let dropbox = Dropbox::start().await;
    let storage = config(&dropbox).with_tokens(signed_in(&dropbox)).build().unwrap();
    storage.put(&Key::metadata(), "x".into()).await.unwrap();
    dropbox.revoke_all();
    all_fail(&storage, ErrorKind::Unauthorized, "").await;
}

/// A provider that could not ask.
#[derive(Debug)]
struct Away;

#[async_trait]
impl TokenProvider for Away {
    async fn token(&self) -> Result<AccessToken, Error> {
        Err(Error::new(ErrorKind::Unavailable, "renew a token").with_message("no network"))
    }

    async fn refused(&self, _: &AccessToken) {}
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let dropbox = Dropbox::start().await;
    let storage = config(&dropbox).with_tokens(Arc::new(Away)).build().unwrap();
    all_fail(&storage, ErrorKind::Unavailable, "no token").await;
    let error = storage.create(&Key::change(1), "x".into()).await.unwrap_err();
    assert_eq!(error.effect(), db_to_cloud::Effect::None);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("no network"), "{source}");
    assert_eq!(dropbox.requests().total(), 0);
}
