//! What the services say.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Double;

impl Double {
    fn scopes(&self) -> &'static str {
        let given = self.memory().allows;
        given.unwrap_or(match self.google {
            true => "https://www.googleapis.com/auth/drive.file",
            false => "files.content.write files.content.read files.metadata.read",
        })
    }

    /// The error of a refresh token that is none, as the service says it.
    pub(super) fn ended(&self, token: &str) -> Response {
        let text = match self.google {
            true => {
                r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#
            }
            false if token.is_empty() || token.contains(' ') => {
                r#"{"error": "invalid_grant", "error_description": "refresh token is malformed"}"#
            }
            false => {
                r#"{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"}"#
            }
        };
        json(400, text.to_owned())
    }

    /// New tokens, the refresh token only if there is a new one.
    pub(super) fn grant(&self, refresh_token: bool) -> Response {
        let scope = self.scopes();
        let memory = &mut *self.memory();
        memory.given += 1;
        let number = memory.given;
        let (access, refresh) = match self.google {
            true => (format!("ya29.{number}"), format!("1//{number}")),
            false => (format!("sl.B2M8{number}"), format!("refresh-{number}")),
        };
        memory.access_tokens.insert(access.clone());
        let mut more = String::new();
        if refresh_token {
            memory.refresh_tokens.insert(refresh.clone());
            more = format!(r#", "refresh_token": "{refresh}", "scope": "{scope}""#);
        }
        let text = match self.google {
            true => format!(
                r#"{{"access_token":"{access}","expires_in":3599{more},"scope":"{scope}","token_type":"Bearer"}}"#,
                more = more.split(", \"scope").next().unwrap(),
            ),
            false => format!(
                r#"{{"access_token": "{access}", "token_type": "bearer", "expires_in": 14400{more}}}"#
            ),
        };
        json(200, text)
    }
}

pub(super) fn json(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
