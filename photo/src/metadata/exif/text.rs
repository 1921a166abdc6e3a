//! Text as people read it: no control characters, no padding, never too long.

/// The longest text of a fact, in bytes of UTF-8. Real names and comments are far shorter; the
/// facts of a photo must stay well below the 64 KB that its item may have.
pub(super) const MAX_TEXT_BYTES: usize = 512;

const ELLIPSIS: char = '…';

/// The text up to the first NUL. EXIF asks for ASCII; cameras and programs write UTF-8, and where it
/// is none, Latin-1. Absent where nothing is left.
pub(super) fn plain_bytes(bytes: &[u8]) -> Option<String> {
    let text = until_nul(bytes);
    // A long text may have been cut within its last character.
    let whole = match str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => &text[..error.valid_up_to()],
        _ => text,
    };
    let latin_1 = || text.iter().copied().map(char::from).collect();
    plain(&str::from_utf8(whole).map_or_else(|_| latin_1(), str::to_owned))
}

/// The same for bytes that are no text unless they are UTF-8.
pub(super) fn plain_utf8(bytes: &[u8]) -> Option<String> {
    plain(str::from_utf8(until_nul(bytes)).ok()?)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The text on one line, without control characters and surrounding spaces, at most
/// [`MAX_TEXT_BYTES`] long. Absent where nothing is left.
pub(super) fn plain(text: &str) -> Option<String> {
    let line: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    let line = line.trim();
    (!line.is_empty()).then(|| cut(line))
}

fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT_BYTES - ELLIPSIS.len_utf8());
    let mut cut = text[..end].to_owned();
    cut.push(ELLIPSIS);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_dropped_and_line_breaks_become_spaces() {
        assert_eq!(plain("a\u{1}b\u{7f}\u{85}c").as_deref(), Some("ab c"));
        assert_eq!(plain("first\nsecond\tthird\r\n").as_deref(), Some("first second third"));
    }

    #[test]
    fn a_text_of_the_allowed_length_is_whole() {
        let text = "a".repeat(MAX_TEXT_BYTES);
        assert_eq!(plain(&text), Some(text));
    }

    #[test]
    fn a_longer_text_is_cut_between_characters() {
        // 508 bytes are the last whole character below the 509 that the ellipsis leaves.
        let cut = plain(&"é".repeat(300)).unwrap();
        assert_eq!(cut, format!("{}…", "é".repeat(254)));
        assert!(cut.len() <= MAX_TEXT_BYTES);
    }
}
