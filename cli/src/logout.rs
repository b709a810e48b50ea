//! `db-to-cloud logout`: the sign-in ends.

use std::process::ExitCode;

use db_to_cloud_oauth::{SignedOut, TokenStore, sign_out};

use crate::args::Logout;
use crate::failure::Failure;
use crate::output::result;
use crate::tokens;

pub(crate) async fn run(options: Logout) -> Result<ExitCode, Failure> {
    let provider = options.service.provider()?;
    let store = tokens::store(options.service, options.kept.tokens.as_deref())?;
    let (title, place) = (provider.title(), store.place());
    if options.local {
        store.clear().await.map_err(Failure::SignIn)?;
        result(format_args!("{place} is gone; {title} was not told"))?;
        return Ok(ExitCode::SUCCESS);
    }
    match sign_out(&provider, &store).await.map_err(Failure::SignIn)? {
        SignedOut::Revoked => {
            result(format_args!("signed out: {title} took the sign-in back, and {place} is gone"))
        }
        SignedOut::HadEnded => {
            result(format_args!("the sign-in at {title} had ended before; {place} is gone"))
        }
        SignedOut::Forgotten => result(format_args!(
            "{place} is gone. {title} was not told, for it deletes the hidden folder, with the \
             documents of all devices, when the app is disconnected: that is done in the settings of \
             Google Drive, under \"Manage apps\""
        )),
        SignedOut::Nobody => result(format_args!("nobody is signed in: there is no {place}")),
    }?;
    Ok(ExitCode::SUCCESS)
}
