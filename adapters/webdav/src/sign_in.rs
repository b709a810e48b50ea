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
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    way: Way,
    /// Counts the challenges that changed the way: a request that was signed before the last of them
    /// is worth another try.
    era: u64,
}

/// A header for one request, and when it was made.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) header: Option<HeaderValue>,
    era: u64,
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
        let state = Mutex::new(State { way, era: 0 });
        Self { credentials: credentials.clone(), state }
    }

    /// What proves this request: a header, marked as a secret, or none while there is none to send.
    pub(crate) fn sign(&self, method: &Method, url: &Url) -> Signature {
        let mut state = self.state();
        let header = self.header(&mut state.way, method, url);
        Signature { header, era: state.era }
    }

    fn header(&self, way: &mut Way, method: &Method, url: &Url) -> Option<HeaderValue> {
        let text = match &self.credentials {
            Credentials::Anonymous => return None,
            Credentials::Bearer(token) => format!("Bearer {token}"),
            Credentials::Password { user, password } => match way {
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

    /// Takes note of what a 401 to a request with this signature asks for; answers whether the same
    /// request is worth another try.
    pub(crate) fn challenged(&self, signature: &Signature, headers: &HeaderMap) -> bool {
        if !matches!(self.credentials, Credentials::Password { .. }) {
            return false;
        }
        let mut state = self.state();
        if signature.era != state.era {
            // Another request, under way at the same time, has heard it before.
            return true;
        }
        let challenges: Vec<&str> =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|h| h.to_str().ok()).collect();
        let asks_digest = challenges.iter().find_map(|challenge| digest(challenge));
        let way = match (asks_digest, &state.way) {
            // A nonce that we have used, and not an expired one: the password is wrong.
            (Some(new), Way::Digest(old)) if old.nonce == new.nonce => return false,
            (Some(new), _) => Way::Digest(new),
            (None, Way::Unknown) if challenges.iter().any(|c| has_scheme(c, "basic")) => Way::Basic,
            (None, _) => return false,
        };
        (state.way, state.era) = (way, state.era + 1);
        true
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let header = sign_in.sign(&Method::PUT, url).header?;
        assert!(header.is_sensitive());
        header.to_str().ok().map(str::to_owned)
    }

    /// Whether a request that is signed now and refused with this challenge is worth another try.
    fn again(sign_in: &SignIn, url: &Url, challenge: &'static str) -> bool {
        let headers =
            HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))]);
        sign_in.challenged(&sign_in.sign(&Method::PUT, url), &headers)
    }

    #[test]
    fn basic_goes_out_at_once_only_where_nobody_listens() {
        let (secure, url) = sign_in("https://h/a");
        assert!(header(&secure, &url).unwrap().starts_with("Basic "));
        let (open, url) = sign_in("http://h/a");
        assert_eq!(header(&open, &url), None);
        assert!(again(&open, &url, "Basic realm=\"dav\""));
        assert_eq!(header(&open, &url).unwrap(), "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl");
        assert!(!again(&open, &url, "Basic realm=\"dav\""), "the password is wrong");
    }

    #[test]
    fn digest_is_preferred_and_goes_on_with_a_new_nonce() {
        let (open, url) = sign_in("http://h/dir/x.json");
        let both = "Basic realm=\"dav\", Digest realm=\"dav\", qop=\"auth\", nonce=\"n1\"";
        assert!(again(&open, &url, both));
        let first = header(&open, &url).unwrap();
        assert!(first.starts_with("Digest ") && first.contains("uri=\"/dir/x.json\""), "{first}");
        assert!(first.contains("nc=00000001"), "{first}");
        assert!(header(&open, &url).unwrap().contains("nc=00000002"));
        assert!(!again(&open, &url, both), "refused with this very nonce");
        assert!(again(&open, &url, "Digest realm=\"dav\", qop=\"auth\", nonce=\"n2\""));
    }

    #[test]
    fn who_was_under_way_when_the_server_first_asked_tries_again() {
        let (open, url) = sign_in("http://h/a");
        let early = open.sign(&Method::PUT, &url);
        assert!(again(&open, &url, "Basic realm=\"dav\""));
        assert!(open.challenged(&early, &HeaderMap::new()));
        assert!(!open.challenged(&open.sign(&Method::PUT, &url), &HeaderMap::new()));
    }

    #[test]
    fn a_token_is_not_tried_twice() {
        let url = Url::parse("http://h/").unwrap();
        let token = SignIn::new(&Credentials::bearer("t"), &url);
        assert_eq!(header(&token, &url).unwrap(), "Bearer t");
        assert!(!again(&token, &url, "Basic realm=\"dav\""));
    }
}
