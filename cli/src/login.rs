//! `db-to-cloud login`: the user signs in to a service.

use std::process::ExitCode;
use std::time::Duration;

use db_to_cloud_oauth::{SignIn, TokenStore, Tokens};

use crate::args::Login;
use crate::failure::Failure;
use crate::output::{note, result};
use crate::{ask, tokens};

/// How long the browser may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How often something may be pasted.
const PASTES: usize = 3;

pub(crate) async fn run(options: Login) -> Result<ExitCode, Failure> {
    let service = options.service;
    let mut provider = service.provider()?;
    if let Some(scopes) = service.scopes(options.access)? {
        provider = provider.with_scopes(scopes);
    }
    let title = provider.title();
    let store = tokens::store(service, options.kept.tokens.as_deref())?;
    // A file that cannot be used is told before the user goes through the sign-in.
    let last = store.load().await.map_err(Failure::SignIn)?;
    let last = last.filter(|last| last.provider() == provider.name());
    let last = last.map(|last| last.application());
    let application = service.application(options.client_id.as_deref(), last)?;
    let sign_in = SignIn::new(provider, application).map_err(Failure::SignIn)?;
    let signed_in = match !options.no_browser && has_browser() {
        true => with_browser(&sign_in, title).await?,
        false => None,
    };
    let signed_in = match signed_in {
        Some(signed_in) => signed_in,
        None => by_hand(&sign_in).await?,
    };
    let lock = store.lock().await;
    store.save(&signed_in).await.map_err(Failure::SignIn)?;
    drop(lock);
    result(format_args!("signed in at {title}; kept in {}", store.place()))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a browser may be seen. Mac and Windows always have one.
fn has_browser() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"].into_iter().any(is_set)
}

/// Opens a browser and waits for it; `None` if none could be opened.
async fn with_browser(sign_in: &SignIn, title: &str) -> Result<Option<Tokens>, Failure> {
    let attempt = sign_in.by_browser().await.map_err(Failure::SignIn)?;
    let url = attempt.url().to_owned();
    let opened = tokio::task::spawn_blocking(move || open::that_detached(url)).await;
    if !matches!(opened, Ok(Ok(()))) {
        note("no browser could be opened here");
        return Ok(None);
    }
    note(format_args!("sign in at {title} in the browser that opens, or open this address:"));
    note(attempt.url());
    note("waiting for the browser; if it is on another machine, stop this and use --no-browser");
    attempt.wait(LIMIT).await.map(Some).map_err(Failure::SignIn)
}

/// Shows an address for any browser and takes what it ends at.
async fn by_hand(sign_in: &SignIn) -> Result<Tokens, Failure> {
    let attempt = sign_in.by_hand().map_err(Failure::SignIn)?;
    note("open this address in a browser, on any machine:");
    note(attempt.url());
    let question = match attempt.shows_code() {
        true => "paste the code that is shown at the end: ",
        false => {
            note(
                "the browser ends at an address that begins with http://127.0.0.1 and cannot be \
                 reached: copy it whole from the address bar",
            );
            "paste that address: "
        }
    };
    for _ in 0..PASTES {
        let Some(pasted) = ask::line(question.to_owned()).await else { break };
        match attempt.check(&pasted) {
            Ok(()) => return attempt.finish(&pasted).await.map_err(Failure::SignIn),
            Err(error) => note(error),
        }
    }
    Err(Failure::NothingPasted)
}
