//! The beginning of an object, by a request with a `Range`.

/// The value of the header `Range` that asks for the first bytes of an object. None at all cannot be asked
/// for: then it is one.
pub fn first_bytes(at_most: usize) -> String {
    format!("bytes=0-{}", at_most.max(1) - 1)
}

/// How many of the bytes that came are the beginning that [`first_bytes`] asked for. `content_range` is the
/// header of this name in a 206; it is missing in a 200, by which a server answers that sends the whole
/// object whatever was asked for.
///
/// # Errors
/// If they are another part, or fewer bytes than were asked for although the object has more: a caller would
/// take them for the whole object.
pub fn length_of_start(
    content_range: Option<&str>,
    came: usize,
    at_most: usize,
) -> Result<usize, &'static str> {
    let Some(range) = content_range else { return Ok(came.min(at_most)) };
    let (last, total) = parse(range).ok_or("another part of the object than was asked for")?;
    let (sent, asked) = (last.saturating_add(1), at_most.max(1));
    if sent < asked && total != Some(sent) || came < sent.min(asked) {
        return Err("fewer bytes of the object than were asked for");
    }
    Ok(came.min(at_most))
}

/// Whether a 416 says that the object is empty: then it has no first byte. The header may be missing.
pub fn is_of_nothing(content_range: Option<&str>) -> bool {
    content_range.is_none_or(|range| range.trim() == "bytes */0")
}

/// The last byte, and the length of the whole if it is known, of a part that begins with the first byte.
fn parse(range: &str) -> Option<(usize, Option<usize>)> {
    let (last, total) = range.trim().strip_prefix("bytes 0-")?.split_once('/')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((last.parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_as_long_as_was_asked_for_or_the_whole() {
        assert_eq!(first_bytes(4096), "bytes=0-4095");
        assert_eq!(first_bytes(0), "bytes=0-0");
        assert_eq!(length_of_start(Some("bytes 0-9/100"), 10, 10), Ok(10));
        assert_eq!(length_of_start(Some("bytes 0-9/*"), 10, 10), Ok(10));
        assert_eq!(length_of_start(Some("bytes 0-4/5"), 5, 10), Ok(5));
        assert_eq!(length_of_start(Some("bytes 0-0/5"), 1, 0), Ok(0));
        // All of it, from a server that knows no ranges or rounds them up.
        assert_eq!(length_of_start(None, 100, 10), Ok(10));
        assert_eq!(length_of_start(None, 3, 10), Ok(3));
        assert_eq!(length_of_start(Some("bytes 0-99/100"), 20, 10), Ok(10));
    }

    #[test]
    fn a_part_that_would_be_taken_for_the_whole_is_refused() {
        let wrong = [
            ("bytes 5-14/100", 10),
            ("bytes 0-4/100", 5),
            ("bytes 0-4/*", 5),
            ("bytes 0-9/100", 9),
            ("bytes 0-x/100", 10),
            ("0-9/100", 10),
            ("", 10),
        ];
        for (range, came) in wrong {
            assert!(length_of_start(Some(range), came, 10).is_err(), "{range}");
        }
    }

    #[test]
    fn only_an_empty_object_has_no_first_byte() {
        assert!(is_of_nothing(None) && is_of_nothing(Some("bytes */0")));
        assert!(!is_of_nothing(Some("bytes */7")) && !is_of_nothing(Some("bytes */*")));
    }
}
