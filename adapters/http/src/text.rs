//! Texts of addresses and errors.

use std::error::Error;

/// Resolves `%2F` and the like; `None` if what follows a `%` is no byte, or if it is no text then.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after.get(..2).filter(|d| d.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

/// The error and those below it, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text = format!("{text}: {source}");
        below = source.source();
    }
    text
}

/// Whether this `Content-Type` is that of a page for people, such as the sign-in page of a network. No
/// storage answers so.
pub fn is_page(content_type: Option<&[u8]>) -> bool {
    content_type.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(b"text/html"))
}

/// Whether an error that a connection could not be made for is one of the handshake, by its text: the
/// libraries below keep no kind of it.
pub fn is_of_tls(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["certificate", "tls", "handshake", "corrupt message"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_handshakes_are_known() {
        assert!(is_page(Some(b"Text/HTML; charset=utf-8")));
        assert!(!is_page(Some(b"application/json")) && !is_page(None));
        assert!(is_of_tls("error: invalid peer certificate: UnknownIssuer"));
        assert!(is_of_tls("received corrupt message of type InvalidContentType"));
        assert!(!is_of_tls("tcp connect error: Connection refused (os error 111)"));
    }

    #[test]
    fn escapes_are_resolved_or_refused() {
        assert_eq!(percent_decoded("a%2Fb%C3%BC%25").as_deref(), Some("a/bü%"));
        for wrong in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(percent_decoded(wrong), None, "{wrong}");
        }
    }
}
