//! How a sign-in ends.

use db_to_cloud::Error;
use reqwest::Url;

use crate::error::{Failure, Place};
use crate::provider::Service;
use crate::wire::Wire;
use crate::{DRIVE_APPDATA, Provider, TokenStore, Tokens};

/// What a sign-out did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// The service has taken the sign-in back; what was kept of it is gone.
    Revoked,
    /// The sign-in had ended before; what was kept of it is gone.
    HadEnded,
    /// What was kept of the sign-in is gone, and the service was not told: see [`sign_out`].
    Forgotten,
    /// Nobody was signed in.
    Nobody,
}

/// Has the service take back the sign-in that is kept there, and then keeps it no more. At Google this
/// ends all sign-ins of the user to the application, on all devices; at Dropbox only this one.
///
/// A sign-in to the hidden folder at Google ([`DRIVE_APPDATA`]) is only forgotten: Google deletes that
/// folder, and what all devices keep there, when the application is disconnected. The user may do that
/// on Google's own pages.
///
/// # Errors
/// Those of the line: then the sign-in is still kept, for another try;
/// [`ErrorKind::State`](db_to_cloud::ErrorKind::State) if it could not be cleared.
/// [`TokenStore::clear`] alone forgets a sign-in without telling the service.
pub async fn sign_out(provider: &Provider, store: &dyn TokenStore) -> Result<SignedOut, Error> {
    let signed_out = async {
        let lock = store.lock().await;
        let Some(tokens) = store.load().await? else { return Ok(SignedOut::Nobody) };
        if tokens.provider() != provider.name() {
            let (place, other) = (store.place(), tokens.provider().to_owned());
            return Err(Failure::OtherProvider { place, other });
        }
        let wire = Wire::new(provider)?;
        let outcome = match provider.service {
            Service::Dropbox => dropbox(&wire, provider, &tokens).await?,
            Service::Google if tokens.allows(DRIVE_APPDATA) => SignedOut::Forgotten,
            Service::Google => google(&wire, provider, &tokens).await?,
        };
        store.clear().await?;
        drop(lock);
        Ok(outcome)
    };
    let (service, title) = (provider.service, provider.title());
    let advice = "sign out of the other service first";
    let place = Place { operation: "sign out", service, title, advice };
    signed_out.await.map_err(|failure| failure.at(place))
}

/// `/2/auth/token/revoke` wants an access token, and ends its refresh token, too.
async fn dropbox(wire: &Wire, provider: &Provider, tokens: &Tokens) -> Result<SignedOut, Failure> {
    if let Some(token) = tokens.access_token() {
        match revoke_at_dropbox(wire, provider, token.secret()).await? {
            200 => return Ok(SignedOut::Revoked),
            // It has expired, or ended otherwise.
            400 | 401 => {}
            status => return Err(Failure::NotAnAnswer(status)),
        }
    }
    let granted = match wire.refresh(&tokens.application(), tokens.refresh_token()).await {
        Err(failure) if failure.has_ended() => return Ok(SignedOut::HadEnded),
        granted => granted?,
    };
    match revoke_at_dropbox(wire, provider, &granted.access_token).await? {
        200 => Ok(SignedOut::Revoked),
        status => Err(Failure::NotAnAnswer(status)),
    }
}

async fn revoke_at_dropbox(wire: &Wire, provider: &Provider, token: &str) -> Result<u16, Failure> {
    let url = &provider.endpoints.revoke;
    let answer = wire.post(url, "application/json", "null", Some(token)).await?;
    Ok(answer.status().as_u16())
}

/// RFC 7009, but Google answers 400 `invalid_token` to a token that is none any more.
async fn google(wire: &Wire, provider: &Provider, tokens: &Tokens) -> Result<SignedOut, Failure> {
    let mut form = Url::parse("form:/").map_err(|_| Failure::Broken("no form"))?;
    form.query_pairs_mut().append_pair("token", tokens.refresh_token());
    let body = form.query().unwrap_or_default().to_owned();
    let url = &provider.endpoints.revoke;
    let answer = wire.post(url, "application/x-www-form-urlencoded", body, None).await?;
    let json: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match (answer.status().as_u16(), json["error"].as_str()) {
        (200, _) => Ok(SignedOut::Revoked),
        (400, Some("invalid_token")) => Ok(SignedOut::HadEnded),
        (status, _) => Err(Failure::NotAnAnswer(status)),
    }
}
