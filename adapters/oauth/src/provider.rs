//! What is peculiar to a service.

/// Files of a visible folder, and of them those that this application made.
pub const DRIVE_FILE: &str = "https://www.googleapis.com/auth/drive.file";
/// The hidden folder of this application. Google deletes it when the user disconnects the application.
pub const DRIVE_APPDATA: &str = "https://www.googleapis.com/auth/drive.appdata";

/// A service to sign in at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Provider {
    pub(crate) service: Service,
    pub(crate) endpoints: Endpoints,
    pub(crate) scopes: Vec<String>,
    pub(crate) ports: Vec<u16>,
}

/// Addresses of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The page on which the user says yes or no.
    pub authorize: String,
    /// Where tokens are given.
    pub token: String,
    /// Where tokens are taken back.
    pub revoke: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Dropbox,
    Google,
}

impl Provider {
    /// Dropbox, for an application with a folder of its own. It has no secret. The redirect URIs
    /// `http://localhost:53682/`, `http://localhost:53683/` and `http://localhost:53684/` must be
    /// registered, and the scopes ticked.
    pub fn dropbox() -> Self {
        let endpoints = Endpoints {
            authorize: "https://www.dropbox.com/oauth2/authorize".into(),
            token: "https://api.dropboxapi.com/oauth2/token".into(),
            revoke: "https://api.dropboxapi.com/2/auth/token/revoke".into(),
        };
        let scopes = ["files.content.write", "files.content.read", "files.metadata.read"];
        // Dropbox redirects only to what is registered, port and all.
        let ports = vec![53682, 53683, 53684];
        Self { service: Service::Dropbox, endpoints, scopes: scopes.map(Into::into).into(), ports }
    }

    /// Google Drive, for an application of the type "Desktop app". It asks for [`DRIVE_FILE`].
    pub fn google_drive() -> Self {
        let endpoints = Endpoints {
            authorize: "https://accounts.google.com/o/oauth2/v2/auth".into(),
            token: "https://oauth2.googleapis.com/token".into(),
            revoke: "https://oauth2.googleapis.com/revoke".into(),
        };
        // Any free port will do.
        let ports = vec![0];
        Self { service: Service::Google, endpoints, scopes: vec![DRIVE_FILE.into()], ports }
    }

    /// Asks for these rights instead, such as [`DRIVE_APPDATA`].
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Another place that speaks as the service does, such as a double of it in a test. Addresses are
    /// `https`, or `http` on this machine.
    pub fn with_endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// Listens on the first of these ports that is free; 0 is any. With Dropbox
    /// `http://localhost:PORT/` must be registered for each.
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        self
    }

    /// The name that tokens carry: `dropbox` or `google-drive`.
    pub fn name(&self) -> &'static str {
        match self.service {
            Service::Dropbox => "dropbox",
            Service::Google => "google-drive",
        }
    }

    /// The name for people.
    pub fn title(&self) -> &'static str {
        match self.service {
            Service::Dropbox => "Dropbox",
            Service::Google => "Google Drive",
        }
    }
}

impl Service {
    /// What makes the service give a refresh token.
    pub(crate) fn parameters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Dropbox => &[("token_access_type", "offline")],
            // Without a new consent Google gives a refresh token only the first time.
            Self::Google => &[("access_type", "offline"), ("prompt", "consent")],
        }
    }

    /// Where the browser is sent, by a port of this machine.
    pub(crate) fn redirect(self, port: u16) -> String {
        match self {
            Self::Dropbox => format!("http://localhost:{port}/"),
            Self::Google => format!("http://127.0.0.1:{port}"),
        }
    }

    /// Where the browser is sent if nobody listens, so that the user copies the address it ends at;
    /// `None` if the service then shows a code to copy.
    pub(crate) fn redirect_by_hand(self) -> Option<String> {
        match self {
            Self::Dropbox => None,
            // Google no longer shows codes.
            Self::Google => Some(self.redirect(53682)),
        }
    }

    /// Why a refresh token is refused.
    pub(crate) fn why_it_ended(self) -> &'static str {
        match self {
            Self::Dropbox => "the app was disconnected at Dropbox, or the sign-in was revoked",
            Self::Google => {
                "the app's access was removed in the Google account, or the sign-in was not used for \
                 six months, or it is older than seven days and the app is still in testing: for \
                 sign-ins that last, publish the app in the Google Cloud console (OAuth consent \
                 screen, \"In production\")"
            }
        }
    }

    /// What is wrong if the service does not know the application.
    pub(crate) fn why_unknown(self) -> &'static str {
        match self {
            Self::Dropbox => "check the app key; an app of this kind has no secret",
            Self::Google => {
                "check the client id and the client secret: both are of a client of the type \
                 \"Desktop app\", and a client may have been deleted"
            }
        }
    }
}
