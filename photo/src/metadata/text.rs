//! Makes text readable: without control characters and padding, and never too long.

/// Most bytes of a fact's text in UTF-8. Real names and comments are far shorter, and all facts of a photo
/// must stay well below the 64 KB of its item.
pub(super) const MAX_TEXT_BYTES: usize = 512;

const ELLIPSIS: char = '…';

/// The text up to the first NUL. EXIF requires ASCII, but cameras and programs write UTF-8; anything else
/// is read as Latin-1. Absent if nothing is left.
pub(super) fn plain_bytes(bytes: &[u8]) -> Option<String> {
    let text = until_nul(bytes);
    // A long text may have been cut inside its last character.
    let whole = match str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => {
            text.get(..error.valid_up_to()).unwrap_or(text)
        }
        _ => text,
    };
    let latin_1 = || text.iter().copied().map(char::from).collect();
    plain(&str::from_utf8(whole).map_or_else(|_| latin_1(), str::to_owned))
}

/// The text up to the first NUL, if it is UTF-8. Absent if nothing is left.
pub(super) fn plain_utf8(bytes: &[u8]) -> Option<String> {
    plain(str::from_utf8(until_nul(bytes)).ok()?)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The text on one line, without control characters and surrounding spaces, and at most [`MAX_TEXT_BYTES`]
/// long. Absent if nothing is left.
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
    fn a_text_of_the_allowed_length_is_kept_whole() {
        let text = "a".repeat(MAX_TEXT_BYTES);
        assert_eq!(plain(&text), Some(text));
    }

    #[test]
    fn a_longer_text_is_cut_between_characters() {
        // The ellipsis leaves 509 bytes, and the last whole character ends at 508.
        let cut = plain(&"é".repeat(300)).unwrap();
        assert_eq!(cut, format!("{}…", "é".repeat(254)));
        assert!(cut.len() <= MAX_TEXT_BYTES);
    }
}
