//! What Google answers when it does not do as asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Adapter, Effect, Error, ErrorKind, Key};
use db_to_cloud_oauth::{AccessToken, TokenProvider};
use db_to_cloud_test_doubles::drive::{self, Space};
use db_to_cloud_test_doubles::{Drive, Fault};

use crate::support::{at, config, open, token};

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let key = Key::parse("probe/a").unwrap();
    storage.put(&key, "x".into()).await.unwrap();
    let table = [
        (drive::invalid_credentials(), ErrorKind::Unauthorized, "sign in again"),
        (drive::quota_exceeded(), ErrorKind::Full, "make room"),
        (drive::app_not_authorized(), ErrorKind::Forbidden, "client id"),
        (drive::insufficient_file_permissions(), ErrorKind::Forbidden, "owner"),
        (drive::insufficient_scopes(), ErrorKind::Forbidden, "allow the application"),
    ];
    for (answer, kind, advice) in table {
        // A 401 is asked again once.
        for _ in 0..2 {
            double.faults().fail("files.replace", "", Fault::Answer(answer.clone()));
        }
        let error = storage.put(&key, "y".into()).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, Effect::None), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        double.faults().heal();
    }
    for answer in [drive::backend_error(), drive::unavailable(), drive::portal()] {
        double.faults().fail("files.replace", "", Fault::Answer(answer));
        let error = storage.put(&key, "y".into()).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    }
    assert_eq!(storage.get(&key).await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn a_full_drive_is_told_and_nothing_is_half_written() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let key = Key::parse("probe/a").unwrap();
    storage.put(&key, "x".into()).await.unwrap();
    double.set_quota(10_000);
    let error = storage.put(&key, "y".repeat(20_000).into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(storage.get(&key).await.unwrap().unwrap(), "x");
}

/// A 403 for the rate may have been done, so the effect is unknown; all requests pause.
#[tokio::test]
async fn throttling_is_known_by_its_reason_and_all_requests_pause() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let key = Key::parse("probe/a").unwrap();
    storage.put(&key, "x".into()).await.unwrap();
    for answer in [drive::user_rate_limit(), drive::rate_limit(), drive::too_many_requests()] {
        double.faults().fail("files.replace", "", Fault::AnswerAfter(answer));
        let error = storage.put(&key, "y".into()).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Throttled, Effect::Unknown));
        let asked = error.retry_after().unwrap();
        assert!(asked >= Duration::from_secs(1) && asked < Duration::from_secs(2), "{asked:?}");
        let began = std::time::Instant::now();
        assert_eq!(storage.get(&key).await.unwrap().unwrap(), "y");
        let waited = began.elapsed();
        assert!(waited > Duration::from_millis(900), "{waited:?}");
    }
}

#[tokio::test]
async fn refusals_in_a_row_pause_for_longer_and_longer() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let key = Key::parse("probe/a").unwrap();
    storage.put(&key, "x".into()).await.unwrap();
    double.faults().fail_every(1, "files.media", "", Fault::Answer(drive::rate_limit()));
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let error = storage.get(&key).await.unwrap_err();
        pauses.push(error.retry_after().unwrap().as_secs());
    }
    assert_eq!(pauses, [1, 2, 4]);
}

/// Gives a new token each time that one is refused.
#[derive(Debug)]
struct Renewing {
    tokens: Vec<String>,
    refused: AtomicUsize,
}

#[async_trait]
impl TokenProvider for Renewing {
    async fn token(&self) -> Result<AccessToken, Error> {
        let n = self.refused.load(Ordering::SeqCst).min(self.tokens.len() - 1);
        Ok(AccessToken::new(self.tokens[n].clone()))
    }

    async fn refused(&self, token: &AccessToken) {
        let now = self.refused.load(Ordering::SeqCst).min(self.tokens.len() - 1);
        if self.tokens[now] == token.secret() {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_renewed_and_the_request_sent_once_more() {
    let double = Drive::start().await;
    let old = double.token();
    double.expire_tokens();
    let tokens = Renewing { tokens: vec![old, double.token()], refused: AtomicUsize::new(0) };
    let storage =
        open(&at(&double.url(), db_to_cloud_google_drive::Space::Visible, Arc::new(tokens)));
    storage.create(&Key::change(1), "x".into()).await.unwrap();

    let unknown =
        open(&at(&double.url(), db_to_cloud_google_drive::Space::Visible, token("ya29.x")));
    let error = unknown.get(&Key::change(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error} {error:?} {unknown:?}").contains("ya29"), "{error:?}");
}

#[tokio::test]
async fn a_token_for_the_other_space_is_refused() {
    let double = Drive::start().await;
    let other = token(&double.token_for(&[Space::AppData]));
    let storage = open(&at(&double.url(), db_to_cloud_google_drive::Space::Visible, other));
    let error = storage.get(&Key::change(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
}

/// The hidden folder and the visible one are two storages.
#[tokio::test]
async fn spaces_do_not_mix() {
    let double = Drive::start().await;
    let (seen, hidden) = (open(&config(&double)), open(&crate::support::hidden(&double)));
    seen.create(&Key::change(1), "seen".into()).await.unwrap();
    assert_eq!(hidden.get(&Key::change(1)).await.unwrap(), None);
    hidden.create(&Key::change(1), "hidden".into()).await.unwrap();
    assert_eq!(seen.get(&Key::change(1)).await.unwrap().unwrap(), "seen");
    assert!(double.stored(Space::AppData).iter().all(|file| file.content != "seen"));
}

/// Part of a batch is refused: its answer says so, and the others are done.
#[tokio::test]
async fn a_batch_is_answered_part_by_part() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let keys: Vec<_> =
        (0..250).map(|i| Key::parse(&format!("docs/{i}.{i:032x}")).unwrap()).collect();
    let items = keys.iter().map(|key| (key.clone(), "x".into())).collect();
    assert!(storage.put_many(items).await.iter().all(Result::is_ok));
    double.delete(&double.stored(Space::Drive).last().unwrap().id);
    double.requests().forget();
    double.faults().fail("batch", "", Fault::DropAfter);
    let first = storage.delete_many(&keys).await;
    let failed = first.iter().filter(|answer| answer.is_err()).count();
    assert!(failed == 100 || failed == 50, "one of three batches: {failed}");
    assert!(first.iter().flat_map(Result::as_ref).count() == 250 - failed);
    assert!(storage.delete_many(&keys).await.iter().all(Result::is_ok));
    for key in [&keys[0], &keys[249]] {
        assert_eq!(storage.get(key).await.unwrap(), None);
    }
    assert_eq!(double.requests().of("files.delete"), 0);
}
