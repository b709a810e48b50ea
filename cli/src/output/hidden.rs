//! Which characters of a name are shown escaped, since a terminal obeys them or a person cannot see them.

/// Characters that are invisible or change the direction of the text around them, besides the control
/// characters: the default-ignorable ones of Unicode 17, the separators of lines and paragraphs, the
/// annotations, and blanks that look like nothing.
const RANGES: [(char, char); 19] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character must not reach the terminal as it is.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control() || RANGES.iter().any(|(first, last)| (*first..=*last).contains(&c))
}
