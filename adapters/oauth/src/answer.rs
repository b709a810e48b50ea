//! What the service answers through the browser, or through the hands of the user.

use db_to_cloud_http::percent_decoded;
use reqwest::Url;

use crate::error::Failure;

/// What a query says about the sign-in with this state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The code to exchange.
    Code(String),
    /// The service or the user said no.
    Denied { error: String, description: String },
    /// It is about another sign-in, or about none.
    Foreign,
}

impl Answer {
    /// Reads the query of a redirect.
    pub(crate) fn of_query(query: &str, state: &str) -> Self {
        let mut url = Url::from_directory_path("/").ok();
        let pairs = url.as_mut().map(|url| {
            url.set_query(Some(query));
            url.query_pairs().into_owned().collect::<Vec<_>>()
        });
        let pairs = pairs.unwrap_or_default();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
        // Without our state it may be a code that somebody else wants us to use.
        if value("state").as_deref() != Some(state) {
            return Self::Foreign;
        }
        match (value("code"), value("error")) {
            (_, Some(error)) => {
                Self::Denied { error, description: value("error_description").unwrap_or_default() }
            }
            (Some(code), None) if !code.is_empty() => Self::Code(code),
            _ => Self::Foreign,
        }
    }

    /// Reads what a user pasted: a code, or the address that the browser ended at.
    pub(crate) fn of_paste(text: &str, state: &str) -> Result<Self, Failure> {
        // Terminals and mails break long lines.
        let text: String = text.split_whitespace().collect();
        let query = text.split_once('?').map_or(text.as_str(), |(_, query)| query);
        if query.contains("code=") || query.contains("error=") {
            return match Self::of_query(query, state) {
                Self::Foreign => Err(Failure::BadPaste(
                    "this address is of another sign-in: open the address that was shown last, and \
                     copy the whole address that the browser ends at",
                )),
                answer => Ok(answer),
            };
        }
        if text.is_empty() || text.contains("://") {
            return Err(Failure::BadPaste(
                "there is no code in this: copy the code, or the whole address that the browser \
                 ends at",
            ));
        }
        Ok(Self::Code(percent_decoded(&text).unwrap_or(text)))
    }

    /// The code.
    pub(crate) fn into_code(self) -> Result<String, Failure> {
        match self {
            Self::Code(code) => Ok(code),
            Self::Denied { error, description } => Err(Failure::Denied { error, description }),
            Self::Foreign => Err(Failure::BadPaste("this is of another sign-in")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Answer {
        Answer::Code(text.to_owned())
    }

    #[test]
    fn only_an_answer_with_our_state_is_ours() {
        assert_eq!(Answer::of_query("code=4%2F0Ab&state=s1&scope=x", "s1"), code("4/0Ab"));
        for foreign in ["", "code=c", "code=c&state=s2", "state=s1", "code=&state=s1", "error=x"] {
            assert_eq!(Answer::of_query(foreign, "s1"), Answer::Foreign, "{foreign}");
        }
        let denied = Answer::of_query("error=access_denied&error_description=a+b&state=s1", "s1");
        let (error, description) = ("access_denied".to_owned(), "a b".to_owned());
        assert_eq!(denied, Answer::Denied { error, description });
    }

    #[test]
    fn a_code_or_the_address_may_be_pasted() {
        let paste = |text: &str| Answer::of_paste(text, "s1").unwrap();
        assert_eq!(paste(" Ab-c_d \n"), code("Ab-c_d"));
        assert_eq!(paste("4/0Ab"), code("4/0Ab"));
        assert_eq!(paste("4%2F0Ab"), code("4/0Ab"));
        assert_eq!(
            paste("http://127.0.0.1:53682/?state=s1&co\n de=4%2F0Ab&scope=x"),
            code("4/0Ab")
        );
        assert_eq!(paste("state=s1&code=c"), code("c"));
        let denied = paste("http://127.0.0.1:1/?error=access_denied&state=s1");
        assert!(matches!(denied, Answer::Denied { .. }));
    }

    #[test]
    fn what_is_no_code_is_refused_before_anything_is_sent() {
        for text in ["", " \n", "http://127.0.0.1:53682/", "http://h/?code=c&state=s2", "code=c"] {
            let error = Answer::of_paste(text, "s1").unwrap_err();
            assert!(matches!(error, Failure::BadPaste(_)), "{text}");
        }
    }
}
