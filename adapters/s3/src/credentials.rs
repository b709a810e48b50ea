//! Who we are.

use std::env;
use std::fmt;

use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::config::{self as sdk};
use db_to_cloud::Error;

use crate::error::invalid;

/// Where the credentials come from. `Debug` never shows them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for those that end, `AWS_SESSION_TOKEN`.
    /// With the feature `profile`, if they are not set, the profile of `AWS_PROFILE` or `default`.
    Environment,
    /// Given by the application.
    Explicit {
        /// The access key id.
        key_id: String,
        /// The secret access key.
        secret: String,
        /// The session token of credentials that end.
        token: Option<String>,
    },
    /// A profile of the AWS command line (`~/.aws`), with its single sign-on, roles and processes;
    /// without a name `AWS_PROFILE`, else `default`. The region is the profile's, unless it is named
    /// or, at AWS, the environment has another.
    #[cfg(feature = "profile")]
    Profile(Option<String>),
}

impl Credentials {
    /// An access key and its secret.
    pub fn explicit(key_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::Explicit { key_id: key_id.into(), secret: secret.into(), token: None }
    }

    /// Where the environment says that they are.
    #[cfg_attr(not(feature = "profile"), expect(unused_variables, reason = "for profiles only"))]
    pub(crate) fn resolved(self, variable: impl Fn(&'static str) -> Option<String>) -> Self {
        #[cfg(feature = "profile")]
        if self == Self::Environment
            && variable("AWS_ACCESS_KEY_ID").is_none()
            && crate::profile::is_set_up(variable)
        {
            return Self::Profile(None);
        }
        self
    }

    /// The region that was set up with them.
    pub(crate) fn region(&self) -> Option<String> {
        match self {
            Self::Environment | Self::Explicit { .. } => None,
            #[cfg(feature = "profile")]
            Self::Profile(name) => crate::profile::region(name.as_deref()),
        }
    }

    /// What the SDK asks before each request to this region.
    #[cfg_attr(not(feature = "profile"), expect(unused_variables, reason = "for roles only"))]
    pub(crate) fn provider(
        &self,
        region: Option<&str>,
    ) -> Result<SharedCredentialsProvider, Error> {
        match self {
            Self::Environment => from_environment(set),
            Self::Explicit { key_id, secret, token } => Ok(fixed(key_id, secret, token.clone())),
            #[cfg(feature = "profile")]
            Self::Profile(name) => Ok(crate::profile::credentials(name.as_deref(), region)),
        }
    }
}

/// A variable of the environment, if it says something.
pub(crate) fn set(name: &'static str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::Explicit { .. } => f.write_str("Explicit(…)"),
            #[cfg(feature = "profile")]
            Self::Profile(name) => f.debug_tuple("Profile").field(name).finish(),
        }
    }
}

fn from_environment(
    set: impl Fn(&'static str) -> Option<String>,
) -> Result<SharedCredentialsProvider, Error> {
    let need = |name| {
        let why = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give credentials";
        set(name).ok_or_else(|| invalid(name, why))
    };
    let (key_id, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
    Ok(fixed(&key_id, &secret, set("AWS_SESSION_TOKEN")))
}

fn fixed(key_id: &str, secret: &str, token: Option<String>) -> SharedCredentialsProvider {
    let credentials = sdk::Credentials::new(key_id, secret, token, None, "db-to-cloud");
    SharedCredentialsProvider::new(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Credentials::explicit("AKIA", "hunter2"));
        assert!(!shown.contains("AKIA") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let only = |have: &'static str| {
            move |name: &'static str| (name == have).then(|| "value".to_owned())
        };
        let missing = |have| from_environment(only(have)).unwrap_err().key().map(str::to_owned);
        assert_eq!(missing("AWS_SESSION_TOKEN").as_deref(), Some("AWS_ACCESS_KEY_ID"));
        assert_eq!(missing("AWS_ACCESS_KEY_ID").as_deref(), Some("AWS_SECRET_ACCESS_KEY"));
        assert!(from_environment(|_| Some("value".to_owned())).is_ok());
    }
}
