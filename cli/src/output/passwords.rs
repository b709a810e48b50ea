//! Errors are pasted into chats and logs: a password that somebody wrote into a URL is not repeated.

/// What stands for a hidden part.
const HIDDEN: &str = "…";
/// A parameter of a URL with such a word in its name is hidden.
const SECRET: [&str; 6] = ["pass", "secret", "token", "key", "credential", "signature"];

/// A text without the passwords of URLs: those that were typed on the command line, and any in the text.
pub(crate) fn without_passwords(text: &str) -> String {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    in_urls(&typed(text, arguments))
}

/// What was typed is known as it is: a password may hold any character.
fn typed(text: &str, arguments: impl Iterator<Item = String>) -> String {
    arguments.fold(text.to_owned(), |text, argument| {
        secrets(&argument).into_iter().fold(text, |text, (before, secret, after)| {
            let quoted = format!("{secret:?}");
            let quoted = quoted.trim_matches('"');
            let shown = format!("{before}{HIDDEN}{after}");
            let text = text.replace(&format!("{before}{secret}{after}"), &shown);
            text.replace(&format!("{before}{quoted}{after}"), &shown)
        })
    })
}

/// The parts of an argument that may be secret, each with what stands before and after it.
fn secrets(argument: &str) -> Vec<(String, &str, &'static str)> {
    let start = argument.find("://").map_or(0, |scheme| scheme + 3);
    let password = password(&argument[start..]).map(|found| (":".to_owned(), found, "@"));
    let query = argument.split_once('?').map_or("", |(_, query)| query);
    let parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
    let is_secret = |name: &str| SECRET.iter().any(|word| name.to_lowercase().contains(word));
    let parameters = parameters.filter(|(name, value)| is_secret(name) && !value.is_empty());
    let parameters = parameters.map(|(name, value)| (format!("{name}="), value, ""));
    password.into_iter().chain(parameters).collect()
}

/// The URLs of a text end at a blank or a quotation mark.
fn in_urls(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        let (url, after) = after.split_at(after.find(ends).unwrap_or(after.len()));
        shown.push_str(before);
        match password(url) {
            Some(found) => shown += &url.replace(&format!(":{found}@"), &format!(":{HIDDEN}@")),
            None => shown += url,
        }
        rest = after;
    }
    shown + rest
}

/// What is between the first colon and the last `@`.
fn password(text: &str) -> Option<&str> {
    let (before, _) = text.rsplit_once('@')?;
    before.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_hidden_wherever_it_is_repeated() {
        for (argument, shown) in [
            ("ftp://ann:hunter2@host/x", "ftp://ann:…@host/x"),
            ("ftp://ann:s'e @c\"r/hunter2?@host/x", "ftp://ann:…@host/x"),
            ("--remote=ftp://ann:hunter2@host/x", "--remote=ftp://ann:…@host/x"),
            ("ann:hunter2@host:/x", "ann:…@host:/x"),
            ("s3://b?endpoint=http://ann:hunter2@h", "s3://b?endpoint=http:…@h"),
            ("s3://b?region=x&Secret-Key=hunter2&a=b", "s3://b?region=x&Secret-Key=…&a=b"),
            ("webdavs://ada@host/a", "webdavs://ada@host/a"),
            ("./a:b", "./a:b"),
        ] {
            for text in [format!("error: '{argument}' is wrong"), format!("{argument:?}")] {
                let hidden = typed(&text, [argument.to_owned()].into_iter());
                assert!(!hidden.contains("hunter2") && hidden.contains(shown), "{hidden}");
            }
        }
    }

    #[test]
    fn a_text_is_searched_for_urls() {
        let text = r#"get "http://a:secret@h/x" and s3://key:secret@b, see https://h/x"#;
        let shown = r#"get "http://a:…@h/x" and s3://key:…@b, see https://h/x"#;
        assert_eq!(in_urls(text), shown);
        assert_eq!(in_urls("nothing: a@b"), "nothing: a@b");
    }
}
