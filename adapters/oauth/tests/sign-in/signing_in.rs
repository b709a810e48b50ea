//! How a user signs in.

use std::time::Duration;

use db_to_cloud::ErrorKind;
use db_to_cloud_oauth::{Application, DRIVE_APPDATA, DRIVE_FILE, Endpoints, Provider, SignIn};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::browser::{LIMIT, open, sent_to, sign_in};
use crate::double::{APP, Double, SECRET};

#[tokio::test]
async fn a_browser_comes_back_with_the_code() {
    for double in [Double::dropbox().await, Double::google().await] {
        let tokens = sign_in(&double).await;
        assert_eq!(tokens.provider(), double.provider().name());
        assert_eq!(tokens.application(), double.application());
        let access = tokens.access_token().unwrap();
        assert!(double.memory().access_tokens.contains(access.secret()));
        assert_eq!(double.memory().requests, ["exchange"]);
    }
}

#[tokio::test]
async fn the_address_is_what_the_services_ask_for() {
    let dropbox = SignIn::new(Provider::dropbox(), Application::new(APP)).unwrap();
    let by_hand = dropbox.by_hand().unwrap();
    let url = by_hand.url();
    assert!(
        url.starts_with("https://www.dropbox.com/oauth2/authorize?response_type=code"),
        "{url}"
    );
    let scopes = "scope=files.content.write+files.content.read+files.metadata.read";
    assert!(url.contains(scopes) && url.contains("token_access_type=offline"), "{url}");
    assert!(by_hand.shows_code() && !url.contains("redirect_uri"), "{url}");

    let google = Provider::google_drive().with_scopes([DRIVE_FILE, DRIVE_APPDATA]);
    let google = SignIn::new(google, Application::new(APP).with_secret(SECRET)).unwrap();
    let attempt = google.by_browser().await.unwrap();
    let url = attempt.url();
    assert!(url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"), "{url}");
    for part in ["access_type=offline", "prompt=consent", "redirect_uri=http%3A%2F%2F127.0.0.1%3A"]
    {
        assert!(url.contains(part), "{part} is not in {url}");
    }
    assert!(url.contains("drive.file+https") && !url.contains(SECRET), "{url}");
}

#[tokio::test]
async fn dropbox_comes_back_to_a_registered_port_that_is_free() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = (taken.local_addr().unwrap().port(), taken);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let double = Double::dropbox().await;
    let on = |ports: &[u16]| {
        let provider = double.provider().with_ports(ports.to_vec());
        SignIn::new(provider, double.application()).unwrap()
    };
    let attempt = on(&[taken.0, free]).by_browser().await.unwrap();
    assert!(attempt.url().contains(&format!("redirect_uri=http%3A%2F%2Flocalhost%3A{free}%2F&")));
    let error = on(&[taken.0]).by_browser().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&format!("[{}]", taken.0)), "{error}");
}

#[tokio::test]
async fn what_is_not_the_answer_does_not_end_the_wait() {
    let double = Double::google().await;
    let sign_in = SignIn::new(double.provider(), double.application()).unwrap();
    let attempt = sign_in.by_browser().await.unwrap();
    let browse = async {
        let place = sent_to(&attempt).await;
        let (here, query) = place.split_once('?').unwrap();
        // Connections that browsers open and do not use.
        let connect = || TcpStream::connect(here.replace("http://", ""));
        let unused = [connect().await, connect().await, connect().await];
        assert_eq!(open(&format!("{here}/favicon.ico")).await.status(), 404);
        assert_eq!(open(here).await.status(), 400);
        assert_eq!(open(&format!("{here}/?code=stolen&state=guessed")).await.status(), 400);
        assert_eq!(open(&format!("{here}/?error=access_denied&state=guessed")).await.status(), 400);
        let long = format!("{here}/?{query}&more={}", "x".repeat(40_000));
        assert_eq!(open(&long).await.status(), 431);
        let page = open(&place).await;
        assert_eq!(
            (page.status().as_u16(), &page.headers()["cache-control"]),
            (200, &"no-store".parse().unwrap())
        );
        (page.text().await.unwrap(), unused)
    };
    let (tokens, (page, mut unused)) = tokio::join!(attempt.wait(LIMIT), browse);
    assert!(tokens.unwrap().allows(DRIVE_FILE));
    assert!(page.contains("Go back to the application") && !page.contains("4/0A"), "{page}");
    assert_eq!(double.requests("exchange"), 1);
    for unused in &mut unused {
        let left = unused.as_mut().unwrap().read(&mut [0]).await;
        assert_eq!(left.unwrap_or(0), 0, "nothing is left open");
    }
}

#[tokio::test]
async fn who_says_no_is_told_so() {
    let double = Double::dropbox().await;
    double.memory().denies = true;
    let sign_in = SignIn::new(double.provider(), double.application()).unwrap();
    let attempt = sign_in.by_browser().await.unwrap();
    let browse = async { open(&sent_to(&attempt).await).await.text().await.unwrap() };
    let (error, page) = tokio::join!(attempt.wait(LIMIT), browse);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("access was denied"), "{error}");
    assert!(page.contains("Nobody was signed in") && !page.contains("chose no"), "{page}");
    assert_eq!(double.memory().requests, [""; 0]);
}

#[tokio::test]
async fn what_was_unticked_is_missed() {
    let double = Double::google().await;
    double.memory().allows = Some("openid");
    let attempt = SignIn::new(double.provider(), double.application()).unwrap().by_hand().unwrap();
    let error = attempt.finish(&sent_to(&attempt).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("did not allow https://www.googleapis.com"), "{error}");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let double = Double::google().await;
    let sign_in = SignIn::new(double.provider(), double.application()).unwrap();
    let attempt = sign_in.by_browser().await.unwrap();
    let error = attempt.wait(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn the_user_brings_back_a_code_or_an_address() {
    let dropbox = Double::dropbox().await;
    let attempt =
        SignIn::new(dropbox.provider(), dropbox.application()).unwrap().by_hand().unwrap();
    let code = open(attempt.url()).await.text().await.unwrap();
    let tokens = attempt.finish(&format!(" {code}\n")).await.unwrap();
    assert_eq!(tokens.provider(), "dropbox");

    let google = Double::google().await;
    let sign_in = SignIn::new(google.provider(), google.application()).unwrap();
    let attempt = sign_in.by_hand().unwrap();
    assert!(!attempt.shows_code());
    let other = sign_in.by_hand().unwrap();
    let error = attempt.finish(&sent_to(&other).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("another sign-in"), "{error}");
    assert_eq!(google.requests("exchange"), 0);
    let tokens = attempt.finish(&sent_to(&attempt).await).await.unwrap();
    assert_eq!(tokens.provider(), "google-drive");
}

#[tokio::test]
async fn a_code_is_good_for_its_own_attempt_and_once() {
    let double = Double::dropbox().await;
    let sign_in = SignIn::new(double.provider(), double.application()).unwrap();
    let (one, other) = (sign_in.by_hand().unwrap(), sign_in.by_hand().unwrap());
    let code = open(one.url()).await.text().await.unwrap();
    for attempt in [other, one] {
        let error = attempt.finish(&code).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        let text = format!("{error} {error:?} {attempt:?}");
        assert!(text.contains("too old, or was used before: sign in again"), "{text}");
        assert!(!text.contains(&code) && !text.contains("verifier\":"), "{text}");
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let endpoints = |token: &str| Endpoints {
        authorize: "https://h/a".into(),
        token: token.into(),
        revoke: "https://h/r".into(),
    };
    for token in ["http://h/token", "h", "ftp://127.0.0.1/t"] {
        let provider = Provider::dropbox().with_endpoints(endpoints(token));
        let error = SignIn::new(provider, Application::new(APP)).unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidInput, Some("endpoint")));
    }
    let error = SignIn::new(Provider::dropbox(), Application::new(" ")).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidInput, Some("client id")));
}
