//! What a `207 Multi-Status` says: the members of a collection, or what became of each in a request.

use std::time::SystemTime;

use db_to_cloud_http::percent_decoded;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::error::Failure;

/// One `response`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// The path, decoded, without a slash at its end.
    pub(crate) path: String,
    pub(crate) is_collection: bool,
    pub(crate) modified: Option<SystemTime>,
    /// The status of the whole, if it has one.
    pub(crate) status: Option<u16>,
}

const DAV: ResolveResult<'static> = ResolveResult::Bound(Namespace("DAV:"));

/// Reads all responses. A text that ends too early is an error, never a shorter list.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<Response>, Failure> {
    let wrong = |_| Failure::not_dav("a list that is no XML");
    let text = std::str::from_utf8(body).map_err(|_| Failure::not_dav("a list that is no text"))?;
    let mut reader = NsReader::from_str(text);
    let mut parser = Parser::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(wrong)?;
        let is_dav = namespace == DAV;
        match event {
            Event::Start(element) => parser.begin(is_dav, element.local_name().as_ref()),
            Event::Empty(element) => {
                parser.begin(is_dav, element.local_name().as_ref());
                parser.end()?;
            }
            Event::End(_) => parser.end()?,
            Event::Text(text) => parser.text.push_str(&text.xml10_content()),
            Event::CData(text) => parser.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok().flatten() {
                Some(character) => parser.text.push(character),
                None => {
                    let known = resolve_predefined_entity(&reference.xml10_content());
                    parser.text.push_str(known.unwrap_or_default());
                }
            },
            Event::Eof if parser.whole => return Ok(parser.responses),
            Event::Eof => return Err(Failure::not_dav("a part of the list is missing")),
            _ => {}
        }
    }
}

/// The elements that are open, and what was read in them.
#[derive(Default)]
struct Parser {
    open: Vec<String>,
    text: String,
    current: Response,
    responses: Vec<Response>,
    /// The root was closed.
    whole: bool,
}

impl Parser {
    fn begin(&mut self, is_dav: bool, name: &str) {
        self.text.clear();
        // Elements of others have names that match nothing.
        self.open.push(if is_dav { name.to_owned() } else { String::new() });
    }

    fn end(&mut self) -> Result<(), Failure> {
        let Some(name) = self.open.pop() else { return Ok(()) };
        let text = std::mem::take(&mut self.text);
        let parent = self.open.last().map(String::as_str).unwrap_or_default();
        match (parent, name.as_str()) {
            ("response", "href") => self.current.path = path(text.trim())?,
            ("response", "status") => self.current.status = status(&text),
            ("resourcetype", "collection") => self.current.is_collection = true,
            ("prop", "getlastmodified") => {
                self.current.modified = httpdate::parse_http_date(text.trim()).ok();
            }
            ("multistatus", "response") => self.responses.push(std::mem::take(&mut self.current)),
            ("", "multistatus") => self.whole = true,
            _ => {}
        }
        Ok(())
    }
}

/// The path of a `href`: an absolute address or a path, escaped more or less.
fn path(href: &str) -> Result<String, Failure> {
    let path = match href.split_once("://") {
        // Some servers leave ? and # unescaped, so this is not for a parser of addresses.
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => href,
    };
    let path = percent_decoded(path)
        .ok_or_else(|| Failure::not_dav("a list with a name that is no text"))?;
    Ok(path.trim_end_matches('/').to_owned())
}

/// The number in `HTTP/1.1 412 Precondition Failed`.
fn status(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// What a server such as sabre/dav says of an error; empty for others.
pub(crate) fn error_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let message = || {
        let (_, rest) = text.split_once(":message>")?;
        let (message, _) = rest.split_once("</")?;
        Some(message.trim().chars().take(200).collect())
    };
    message().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, is_collection: bool) -> Response {
        Response { path: path.to_owned(), is_collection, ..Response::default() }
    }

    /// As Apache, nginx, sabre/dav and nephele write it.
    #[test]
    fn lists_of_all_kinds_are_read() {
        let apache = r#"<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:"><D:href>/a%20b/docs/</D:href><D:propstat><D:prop>
<lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop>
<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
<D:response><D:href>/a%20b/docs/x&amp;y</D:href><D:propstat><D:prop><lp1:resourcetype/>
<lp1:getlastmodified>Wed, 21 Oct 2026 07:28:00 GMT</lp1:getlastmodified>
</D:prop></D:propstat></D:response>
</D:multistatus>"#;
        let apache = apache.replace(
            "<D:response><D:href>/a%20b/docs/x",
            "<D:response xmlns:lp1=\"DAV:\"><D:href>/a%20b/docs/x",
        );
        let modified = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").ok();
        let file = Response { modified, ..of("/a b/docs/x&y", false) };
        assert_eq!(parse(apache.as_bytes()).unwrap(), [of("/a b/docs", true), file]);
        let absolute = r#"<multistatus xmlns="DAV:"><response><href>http://h:1/docs/#1?</href>
<propstat><prop><resourcetype><collection></collection></resourcetype></prop></propstat>
</response></multistatus>"#;
        assert_eq!(parse(absolute.as_bytes()).unwrap(), [of("/docs/#1?", true)]);
    }

    #[test]
    fn inner_errors_are_seen() {
        let inner = r#"<d:multistatus xmlns:d="DAV:"><d:response><d:href>/x</d:href>
<d:status>HTTP/1.1 423 Locked</d:status></d:response></d:multistatus>"#;
        assert_eq!(parse(inner.as_bytes()).unwrap()[0].status, Some(423));
    }

    #[test]
    fn half_a_list_is_an_error() {
        let whole =
            r#"<multistatus xmlns="DAV:"><response><href>/a</href></response></multistatus>"#;
        assert_eq!(parse(whole.as_bytes()).unwrap().len(), 1);
        for length in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..length]).is_err(), "{}", &whole[..length]);
        }
        assert!(parse(b"<html><body>Sign in</body></html>").is_err());
        assert!(parse(b"\xff\xfe").is_err());
    }

    #[test]
    fn the_text_of_an_error_is_found() {
        let body =
            br#"<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">
<s:exception>Sabre\DAV\Exception\Forbidden</s:exception><s:message>no room</s:message></d:error>"#;
        assert_eq!(error_text(body), "no room");
        assert_eq!(error_text(b"<html>500</html>"), "");
    }
}
