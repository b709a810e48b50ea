//! OAuth 2 as an authorization server knows it: codes with PKCE, refresh tokens, access tokens that expire.
//! The services differ only in how they say it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a user allowed an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// A code on its way from the browser to the application.
#[derive(Debug)]
struct Code {
    grant: Grant,
    /// S256 of the verifier.
    challenge: String,
    redirect: Option<String>,
}

#[derive(Debug)]
struct Access {
    grant: Grant,
    refresh: String,
    ends: Instant,
}

/// All tokens of a double.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Well-formed access tokens begin so.
    prefix: &'static str,
    /// How long an access token lives.
    pub(crate) life: Duration,
    codes: BTreeMap<String, Code>,
    refresh: BTreeMap<String, Grant>,
    access: BTreeMap<String, Access>,
}

/// Why a request with an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    Unknown,
    Expired,
}

/// What came of a code.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) grant: Grant,
}

impl Tokens {
    pub(crate) fn new(prefix: &'static str, life: Duration) -> Self {
        let (codes, refresh, access) = <_>::default();
        Self { prefix, life, codes, refresh, access }
    }

    /// The user said yes in the browser. The code works once.
    pub(crate) fn allow(
        &mut self,
        grant: Grant,
        challenge: &str,
        redirect: Option<&str>,
    ) -> String {
        let code = random("");
        let (challenge, redirect) = (challenge.to_owned(), redirect.map(str::to_owned));
        self.codes.insert(code.clone(), Code { grant, challenge, redirect });
        code
    }

    /// Tokens for a code, if client, verifier and redirect fit. A code is used up by the attempt.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        client: &str,
        verifier: &str,
        redirect: Option<&str>,
    ) -> Option<Granted> {
        let code = self.codes.remove(code)?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let fits = code.grant.client == client
            && code.challenge == challenge
            && code.redirect.as_deref() == redirect;
        fits.then(|| self.grant(code.grant))
    }

    /// A refresh token and a first access token.
    pub(crate) fn grant(&mut self, grant: Grant) -> Granted {
        let refresh = random("");
        self.refresh.insert(refresh.clone(), grant.clone());
        let access = self.issue(&refresh, grant.clone());
        Granted { access, refresh, grant }
    }

    /// What a refresh token stands for, if it is valid.
    pub(crate) fn refresh_grant(&self, refresh: &str) -> Option<&Grant> {
        self.refresh.get(refresh)
    }

    /// A new access token.
    pub(crate) fn issue(&mut self, refresh: &str, grant: Grant) -> String {
        let access = random(self.prefix);
        let ends = Instant::now() + self.life;
        self.access.insert(access.clone(), Access { grant, refresh: refresh.to_owned(), ends });
        access
    }

    /// What an access token allows.
    pub(crate) fn check(&self, access: &str) -> Result<&Grant, Refused> {
        if !access.starts_with(self.prefix) {
            return Err(Refused::Malformed);
        }
        let access = self.access.get(access).ok_or(Refused::Unknown)?;
        let is_alive = access.ends > Instant::now();
        is_alive.then_some(&access.grant).ok_or(Refused::Expired)
    }

    /// Ends all access tokens at once; refresh tokens live on.
    pub(crate) fn expire(&mut self) {
        let now = Instant::now();
        self.access.values_mut().for_each(|access| access.ends = now);
    }

    /// Ends the refresh token behind an access token, and all access tokens of it.
    pub(crate) fn revoke(&mut self, access: &str) {
        let Some(refresh) = self.access.get(access).map(|access| access.refresh.clone()) else {
            return;
        };
        self.refresh.remove(&refresh);
        self.access.retain(|_, access| access.refresh != refresh);
    }

    /// Ends all: the user took back what was allowed.
    pub(crate) fn revoke_all(&mut self) {
        self.refresh.clear();
        self.access.clear();
    }
}

/// Nobody guesses it; for tests.
pub(crate) fn random(prefix: &str) -> String {
    let bytes: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
