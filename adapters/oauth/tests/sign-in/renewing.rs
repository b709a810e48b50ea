//! How an adapter gets tokens that are good.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Environment, ErrorKind};
use db_to_cloud_oauth::{MemoryStore, Refreshing, TokenProvider, TokenStore};
use futures::future::join_all;

use crate::browser::sign_in;
use crate::clock::Clock;
use crate::double::Double;

/// Somebody who signed in, and a clock that was right then.
pub(crate) struct User {
    pub(crate) double: Double,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) tokens: Refreshing,
}

impl User {
    /// Whose access token has expired.
    pub(crate) async fn at(double: Double) -> Self {
        let clock = Clock::new();
        let signed_in = sign_in(&double).await;
        // The machine's clock is not the test's.
        while signed_in.expires().is_some_and(|end| end > clock.now()) {
            clock.forward(24 * 3600);
        }
        let store = Arc::new(MemoryStore::new(signed_in));
        let tokens = Refreshing::new(double.provider(), store.clone()).unwrap();
        let tokens = tokens.with_environment(Arc::new(clock.clone())).with_advice("sign in anew");
        Self { double, clock, store, tokens }
    }

    pub(crate) async fn token(&self) -> String {
        self.tokens.token().await.unwrap().secret().to_owned()
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.double.requests("refresh")
    }

    /// Waits until the double has so many requests for a renewal.
    pub(crate) async fn until_asked(&self, times: usize) {
        while self.refreshes() < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    for (double, lifetime) in [(Double::dropbox().await, 14400), (Double::google().await, 3599)] {
        let user = User::at(double).await;
        let first = user.token().await;
        assert_eq!((user.token().await, user.refreshes()), (first.clone(), 1));
        user.clock.forward(lifetime - 121);
        assert_eq!((user.token().await, user.refreshes()), (first.clone(), 1));
        user.clock.forward(1);
        assert_ne!(user.token().await, first);
        assert_eq!(user.refreshes(), 2);
    }
}

#[tokio::test]
async fn a_hundred_callers_are_one_request() {
    let user = User::at(Double::dropbox().await).await;
    user.double.close();
    let callers = join_all((0..100).map(|_| user.tokens.token()));
    let open = async {
        user.until_asked(1).await;
        user.double.open();
    };
    let (tokens, ()) = tokio::join!(callers, open);
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
    assert_eq!(user.refreshes(), 1);
}

#[tokio::test]
async fn a_hundred_callers_share_a_failure_and_the_next_tries_again() {
    let user = User::at(Double::dropbox().await).await;
    user.double.close();
    user.double.instead(503, "text/plain", "busy");
    let callers = join_all((0..100).map(|_| user.tokens.token()));
    let open = async {
        user.until_asked(1).await;
        user.double.open();
    };
    let (tokens, ()) = tokio::join!(callers, open);
    assert!(tokens.iter().all(|token| token.as_ref().unwrap_err().is_transient()));
    assert_eq!(user.refreshes(), 1);
    user.token().await;
    assert_eq!(user.refreshes(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_whatever_the_clock_says() {
    let user = User::at(Double::google().await).await;
    let first = user.tokens.token().await.unwrap();
    user.clock.back(20 * 365 * 24 * 3600);
    assert_eq!(user.tokens.token().await.unwrap(), first, "the clock says it is fresh");
    for _ in 0..10 {
        user.tokens.refused(&first).await;
    }
    let second = user.tokens.token().await.unwrap();
    assert_ne!(second, first);
    // A request that was under way tells it late.
    user.tokens.refused(&first).await;
    assert_eq!(user.tokens.token().await.unwrap(), second);
    assert_eq!(user.refreshes(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_costs_one_renewal() {
    let user = User::at(Double::dropbox().await).await;
    let first = user.token().await;
    user.clock.forward(10 * 365 * 24 * 3600);
    let second = user.token().await;
    assert_ne!(second, first);
    assert_eq!((user.token().await, user.refreshes()), (second, 2));
}

#[tokio::test]
async fn a_short_life_is_not_renewed_with_each_call() {
    let user = User::at(Double::dropbox().await).await;
    let body = r#"{"access_token": "sl.short", "token_type": "bearer", "expires_in": 60}"#;
    user.double.instead(200, "application/json", body);
    assert_eq!(user.token().await, "sl.short");
    user.clock.forward(29);
    assert_eq!((user.token().await.as_str(), user.refreshes()), ("sl.short", 1));
    user.clock.forward(1);
    assert_ne!(user.token().await, "sl.short");
}

#[tokio::test]
async fn a_refresh_token_that_was_exchanged_is_kept_though_nobody_waits() {
    let user = User::at(Double::dropbox().await).await;
    user.double.memory().rotates = true;
    let before = user.store.load().await.unwrap().unwrap();
    user.double.close();
    {
        let waits = user.tokens.token();
        tokio::select! {
            _ = waits => panic!("the service does not answer yet"),
            () = user.until_asked(1) => {}
        }
    }
    user.double.open();
    while user.store.load().await.unwrap().unwrap() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Only the new one is good, and it is the one that is used.
    assert_eq!(user.double.memory().refresh_tokens.len(), 1);
    let first = user.tokens.token().await.unwrap();
    assert_eq!(user.refreshes(), 1);
    user.tokens.refused(&first).await;
    assert_ne!(user.tokens.token().await.unwrap(), first);
    assert_eq!(user.refreshes(), 2);
}

#[tokio::test]
async fn without_a_sign_in_the_user_is_told_to_sign_in() {
    let user = User::at(Double::dropbox().await).await;
    let other = user.store.load().await.unwrap().unwrap();
    user.store.clear().await.unwrap();
    let error = user.tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("nobody is signed in"), "{error}");
    assert!(error.to_string().ends_with("sign in anew"), "{error}");
    // And when the user has, it goes on.
    user.store.save(&other).await.unwrap();
    user.token().await;
    let google = Double::google().await;
    let google = Refreshing::new(google.provider(), user.store.clone()).unwrap();
    let error = google.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("a sign-in at dropbox"), "{error}");
}
