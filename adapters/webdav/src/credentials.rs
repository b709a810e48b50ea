//! Who we are.

use std::fmt;

/// How requests are signed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// Not at all.
    Anonymous,
    /// A user and a password, by Digest where the server offers it, else by Basic. Over `https` Basic
    /// is sent at once; over `http` a password goes into the line only when the server has asked for
    /// Basic and offers nothing better.
    Password {
        /// The user.
        user: String,
        /// The password; at Nextcloud better one of the application's own.
        password: String,
    },
    /// A token of OAuth 2 or OpenID Connect, sent with each request.
    Bearer(String),
}

impl Credentials {
    /// A user and a password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { user: user.into(), password: password.into() }
    }

    /// A bearer token.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(token.into())
    }

    /// The user, if there is one.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Password { user, .. } => Some(user),
            _ => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
            Self::Bearer(_) => f.write_str("Bearer(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        for secret in [Credentials::password("ada", "hunter2"), Credentials::bearer("hunter2")] {
            let shown = format!("{secret:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
