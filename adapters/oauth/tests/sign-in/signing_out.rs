//! How a sign-in ends.

use db_to_cloud::ErrorKind;
use db_to_cloud_oauth::{DRIVE_APPDATA, MemoryStore, SignIn, SignedOut, TokenStore, sign_out};

use crate::browser::{sent_to, sign_in};
use crate::double::Double;

#[tokio::test]
async fn the_service_takes_the_sign_in_back() {
    for double in [Double::dropbox().await, Double::google().await] {
        let store = MemoryStore::new(sign_in(&double).await);
        let done = sign_out(&double.provider(), &store).await.unwrap();
        assert_eq!(done, SignedOut::Revoked);
        assert!(double.memory().refresh_tokens.is_empty());
        assert_eq!(store.load().await.unwrap(), None);
        assert_eq!(sign_out(&double.provider(), &store).await.unwrap(), SignedOut::Nobody);
    }
}

#[tokio::test]
async fn an_expired_access_token_is_renewed_to_revoke() {
    let double = Double::dropbox().await;
    let store = MemoryStore::new(sign_in(&double).await);
    double.memory().access_tokens.clear();
    assert_eq!(sign_out(&double.provider(), &store).await.unwrap(), SignedOut::Revoked);
    assert_eq!(double.memory().requests, ["exchange", "revoke", "refresh", "revoke"]);
}

#[tokio::test]
async fn what_had_ended_is_forgotten() {
    for double in [Double::dropbox().await, Double::google().await] {
        let store = MemoryStore::new(sign_in(&double).await);
        double.memory().refresh_tokens.clear();
        double.memory().access_tokens.clear();
        let done = sign_out(&double.provider(), &store).await.unwrap();
        assert_eq!((done, store.load().await.unwrap()), (SignedOut::HadEnded, None));
    }
}

#[tokio::test]
async fn what_could_not_be_revoked_is_kept_for_another_try() {
    for double in [Double::dropbox().await, Double::google().await] {
        let store = MemoryStore::new(sign_in(&double).await);
        for (status, body) in [(503, ""), (200 + 202, "{}")] {
            double.instead(status, "application/json", body);
            let error = sign_out(&double.provider(), &store).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(store.load().await.unwrap().is_some());
        }
        assert_eq!(sign_out(&double.provider(), &store).await.unwrap(), SignedOut::Revoked);
    }
}

#[tokio::test]
async fn a_hidden_folder_is_not_lost_by_signing_out() {
    let double = Double::google().await;
    double.memory().allows = Some(DRIVE_APPDATA);
    let provider = double.provider().with_scopes([DRIVE_APPDATA]);
    let attempt = SignIn::new(provider.clone(), double.application()).unwrap().by_hand().unwrap();
    let store = MemoryStore::new(attempt.finish(&sent_to(&attempt).await).await.unwrap());
    assert_eq!(sign_out(&provider, &store).await.unwrap(), SignedOut::Forgotten);
    assert_eq!((double.requests("revoke"), store.load().await.unwrap()), (0, None));
}
