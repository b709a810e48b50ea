//! Names that Windows does not have, or takes for another one.
//!
//! With a whole path of the form `\\?\…`, as is used here, the system itself lets most of them pass: then hardly any
//! program could open the file.

/// The devices, which are there in every folder, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Devices with a number. The superscript digits count as digits.
const NUMBERED: [&str; 2] = ["com", "lpt"];
const NUMBERS: &str = "0123456789\u{b9}\u{b2}\u{b3}";

/// Why a file of Windows cannot have this name; `None` if it can.
#[cfg_attr(not(windows), allow(dead_code, reason = "other systems have these names"))]
pub(crate) fn why_not(name: &str) -> Option<&'static str> {
    if name.chars().any(|c| c < ' ' || r#"<>:"|?*\"#.contains(c)) {
        return Some(r#"Windows has no names with < > : " | ? * \ or control characters"#);
    }
    if name.ends_with(['.', ' ']) {
        return Some("Windows has no names that end in a dot or a space");
    }
    is_device(name).then_some("Windows takes this name for that of a device")
}

fn is_device(name: &str) -> bool {
    let start = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    let numbered = |device: &str| {
        let mut number = start.strip_prefix(device)?.chars();
        Some(number.next().is_some_and(|c| NUMBERS.contains(c)) && number.next().is_none())
    };
    DEVICES.contains(&start.as_str()) || NUMBERED.into_iter().any(|d| numbered(d) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_lacks_are_found() {
        let lacking = [
            "a:b",
            "a<",
            "a>",
            "\"",
            "a|b",
            "what?",
            "*",
            "a\\b",
            "a\nb",
            "\u{1}",
            "a.",
            "a ",
            "...",
            "CON",
            "con",
            "nul.txt",
            "Aux.tar.gz",
            "COM1",
            "lpt9.log",
            "com\u{b9}",
            "PRN .x",
            "CONIN$",
        ];
        lacking.iter().for_each(|name| assert!(why_not(name).is_some(), "{name:?}"));
        let fine = [
            "a", ".hidden", " a", "a.b c", "console", "com", "com10", "comma", "null", "日本",
            "a'b", "a~1", "lpt.x1", "x.con", "$con",
        ];
        fine.iter().for_each(|name| assert_eq!(why_not(name), None, "{name:?}"));
    }
}
