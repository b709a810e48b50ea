//! The header `Authorization`: Basic, Digest (RFC 7616) or a bearer token.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Url};

use crate::Credentials;

/// Signs requests with what the server asked for.
#[derive(Debug)]
pub(crate) struct SignIn {
    credentials: Credentials,
    way: Mutex<Way>,
}

/// How a password is proved.
enum Way {
    /// The server was not heard yet, and over `http` a password is not shouted.
    Unknown,
    Basic,
    /// With a count of the requests that this nonce was used for.
    Digest(WwwAuthenticateHeader),
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Basic => "Basic",
            Self::Digest(_) => "Digest",
        })
    }
}

impl SignIn {
    pub(crate) fn new(credentials: &Credentials, base: &Url) -> Self {
        let way = if base.scheme() == "https" { Way::Basic } else { Way::Unknown };
        Self { credentials: credentials.clone(), way: Mutex::new(way) }
    }

    /// The header for this request, marked as a secret; `None` while there is none to send.
    pub(crate) fn header(&self, method: &Method, url: &Url) -> Option<HeaderValue> {
        let text = match &self.credentials {
            Credentials::Anonymous => return None,
            Credentials::Bearer(token) => format!("Bearer {token}"),
            Credentials::Password { user, password } => match &mut *self.way() {
                Way::Unknown => return None,
                Way::Basic => basic(user, password),
                Way::Digest(prompt) => {
                    let (body, method) = (None::<&[u8]>, HttpMethod::from(method.as_str()));
                    let context =
                        AuthContext::new_with_method(user, password, url.path(), body, method);
                    prompt.respond(&context).ok()?.to_string()
                }
            },
        };
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Takes note of what a 401 asks for; answers whether the same request is worth another try.
    pub(crate) fn challenged(&self, headers: &HeaderMap) -> bool {
        if !matches!(self.credentials, Credentials::Password { .. }) {
            return false;
        }
        let challenges: Vec<&str> =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|h| h.to_str().ok()).collect();
        let mut way = self.way();
        if let Some(prompt) = challenges.iter().find_map(|challenge| digest(challenge)) {
            // A fresh nonce: the old one has expired, or this is the first. The same again after a
            // refusal means a wrong password.
            let again = match &*way {
                Way::Digest(old) => old.nonce != prompt.nonce,
                _ => true,
            };
            *way = Way::Digest(prompt);
            return again;
        }
        let offers_basic = challenges.iter().any(|c| has_scheme(c, "basic"));
        if offers_basic && matches!(*way, Way::Unknown) {
            *way = Way::Basic;
            return true;
        }
        false
    }

    fn way(&self) -> std::sync::MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// The challenge of Digest, which may stand behind others in one header.
fn digest(challenge: &str) -> Option<WwwAuthenticateHeader> {
    let at = challenge.to_ascii_lowercase().find("digest ")?;
    digest_auth::parse(&challenge[at..]).ok()
}

fn has_scheme(challenge: &str, scheme: &str) -> bool {
    let words = challenge.split([' ', ',']);
    words.into_iter().any(|word| word.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(url: &str) -> (SignIn, Url) {
        let url = Url::parse(url).unwrap();
        (SignIn::new(&Credentials::password("Mufasa", "Circle of Life"), &url), url)
    }

    fn header(sign_in: &SignIn, url: &Url) -> Option<String> {
        let header = sign_in.header(&Method::PUT, url)?;
        assert!(header.is_sensitive());
        header.to_str().ok().map(str::to_owned)
    }

    fn challenge(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(text))])
    }

    #[test]
    fn basic_goes_out_at_once_only_where_nobody_listens() {
        let (secure, url) = sign_in("https://h/a");
        assert!(header(&secure, &url).unwrap().starts_with("Basic "));
        let (open, url) = sign_in("http://h/a");
        assert_eq!(header(&open, &url), None);
        assert!(open.challenged(&challenge("Basic realm=\"dav\"")));
        assert_eq!(header(&open, &url).unwrap(), "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl");
        assert!(!open.challenged(&challenge("Basic realm=\"dav\"")), "the password is wrong");
    }

    #[test]
    fn digest_is_preferred_and_goes_on_with_a_new_nonce() {
        let (open, url) = sign_in("http://h/dir/x.json");
        let both = "Basic realm=\"dav\", Digest realm=\"dav\", qop=\"auth\", nonce=\"n1\"";
        assert!(open.challenged(&challenge(both)));
        let first = header(&open, &url).unwrap();
        assert!(first.starts_with("Digest ") && first.contains("uri=\"/dir/x.json\""), "{first}");
        assert!(first.contains("nc=00000001"), "{first}");
        assert!(header(&open, &url).unwrap().contains("nc=00000002"));
        assert!(!open.challenged(&challenge(both)), "refused with this very nonce");
        assert!(open.challenged(&challenge("Digest realm=\"dav\", qop=\"auth\", nonce=\"n2\"")));
    }

    #[test]
    fn a_token_is_not_tried_twice() {
        let url = Url::parse("http://h/").unwrap();
        let token = SignIn::new(&Credentials::bearer("t"), &url);
        assert_eq!(header(&token, &url).unwrap(), "Bearer t");
        assert!(!token.challenged(&challenge("Basic realm=\"dav\"")));
    }
}
