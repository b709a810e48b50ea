//! The test plays the browser.

use std::time::Duration;

use reqwest::Response;
use reqwest::redirect::Policy;

use db_to_cloud_oauth::{Attempt, SignIn, Tokens};

use crate::double::Double;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Opens an address and goes nowhere from there.
pub(crate) async fn open(url: &str) -> Response {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    browser.get(url).send().await.unwrap()
}

/// Where the service sends the browser.
pub(crate) async fn sent_to(attempt: &Attempt) -> String {
    let page = open(attempt.url()).await;
    page.headers()["location"].to_str().unwrap().to_owned()
}

/// Signs in, with a browser that does all it is told.
pub(crate) async fn sign_in(double: &Double) -> Tokens {
    let sign_in = SignIn::new(double.provider(), double.application()).unwrap();
    let attempt = sign_in.by_browser().await.unwrap();
    let browse = async { open(&sent_to(&attempt).await).await };
    let (tokens, page) = tokio::join!(attempt.wait(LIMIT), browse);
    assert_eq!(page.status(), 200);
    tokens.unwrap()
}
