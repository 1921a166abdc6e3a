//! The one place where an object key is decoded.

use percent_encoding::percent_decode_str;

/// How a sender writes an object's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As the key is.
    Plain,
    /// As a form's field: `+` is a space, then `%XX` are bytes of UTF-8.
    Form,
}

/// The key that `text` stands for; never empty.
///
/// # Errors
/// Why it is no key.
pub(super) fn decode(text: String, encoding: Encoding) -> Result<String, &'static str> {
    let key = match encoding {
        Encoding::Plain => text,
        Encoding::Form => decode_form(&text)?,
    };
    if key.is_empty() { Err("an empty object key") } else { Ok(key) }
}

fn decode_form(text: &str) -> Result<String, &'static str> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err("an object key that is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<String, &'static str> {
        decode(text.to_owned(), Encoding::Form)
    }

    #[test]
    fn a_percent_sign_in_a_key_is_not_decoded_twice() {
        assert_eq!(form("100%2525.jpg").as_deref(), Ok("100%25.jpg"));
        assert_eq!(form("a%2Bb+c.jpg").as_deref(), Ok("a+b c.jpg"));
        assert_eq!(form("100%.jpg").as_deref(), Ok("100%.jpg"));
    }

    #[test]
    fn a_key_that_is_not_encoded_stays_as_it_is() {
        let key = "서울 여행/a+b 100%25 봄 🌸.jpg";
        assert_eq!(decode(key.to_owned(), Encoding::Plain).as_deref(), Ok(key));
    }

    #[test]
    fn an_empty_key_and_bytes_that_are_no_text_are_no_keys() {
        for encoding in [Encoding::Plain, Encoding::Form] {
            assert!(decode(String::new(), encoding).is_err(), "{encoding:?}");
        }
        assert!(form("%FF.jpg").is_err());
    }
}
