//! A service to sign in at.

use clap::ValueEnum;
use db_to_cloud_oauth::{Application, DRIVE_APPDATA, DRIVE_FILE, Endpoints, Provider};

use crate::args::Access;
use crate::failure::Failure;
use crate::remote::variable;

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Dropbox,
    GoogleDrive,
}

impl Service {
    /// Where and how to sign in.
    pub(crate) fn provider(self) -> Result<Provider, Failure> {
        let provider = match self {
            Self::Dropbox => Provider::dropbox(),
            Self::GoogleDrive => Provider::google_drive(),
        };
        let Some(host) = self.host()? else { return Ok(provider) };
        let at = |path| format!("{host}{path}");
        let [authorize, token, revoke] = match self {
            Self::Dropbox => ["/oauth2/authorize", "/oauth2/token", "/2/auth/token/revoke"],
            Self::GoogleDrive => ["/o/oauth2/v2/auth", "/token", "/revoke"],
        }
        .map(at);
        Ok(provider.with_endpoints(Endpoints { authorize, token, revoke }))
    }

    /// A host that stands for those of the service, for tests.
    pub(crate) fn host(self) -> Result<Option<String>, Failure> {
        let host = variable(match self {
            Self::Dropbox => "DB_TO_CLOUD_DROPBOX_URL",
            Self::GoogleDrive => "DB_TO_CLOUD_GOOGLE_URL",
        })?;
        Ok(host.map(|host| host.trim_end_matches('/').to_owned()))
    }

    /// What to ask for.
    pub(crate) fn scopes(self, access: Access) -> Result<Option<Vec<&'static str>>, Failure> {
        match (self, access) {
            (Self::Dropbox, Access::Visible) => Ok(None),
            (Self::Dropbox, _) => Err(Failure::Usage(
                "--access is for google-drive: at Dropbox the app says it".into(),
            )),
            (Self::GoogleDrive, Access::Visible) => Ok(Some(vec![DRIVE_FILE])),
            (Self::GoogleDrive, Access::Hidden) => Ok(Some(vec![DRIVE_APPDATA])),
            (Self::GoogleDrive, Access::Both) => Ok(Some(vec![DRIVE_FILE, DRIVE_APPDATA])),
        }
    }

    /// The application that the user signs in to: from the command line, else from the environment,
    /// else that of the last sign-in.
    pub(crate) fn application(
        self,
        id: Option<&str>,
        last: Option<Application>,
    ) -> Result<Application, Failure> {
        let (name, what) = match self {
            Self::Dropbox => ("DROPBOX_APP_KEY", "app key"),
            Self::GoogleDrive => ("GOOGLE_CLIENT_ID", "client id"),
        };
        let id = match id {
            Some(id) => Some(id.to_owned()),
            None => variable(name)?,
        };
        let secret = match self {
            Self::Dropbox => None,
            Self::GoogleDrive => variable("GOOGLE_CLIENT_SECRET")?,
        };
        match (id, secret, last) {
            (Some(id), Some(secret), _) => Ok(Application::new(id).with_secret(secret)),
            (Some(id), None, _) => Ok(Application::new(id)),
            (None, _, Some(last)) => Ok(last),
            (None, _, None) => Err(Failure::NoApplication { what, name }),
        }
    }

    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Dropbox => "dropbox",
            Self::GoogleDrive => "google-drive",
        }
    }
}
